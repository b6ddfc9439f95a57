#pragma once

#include <memory>
#include <string>

#include "postern/backend/backend.hpp"
#include "postern/backend/capability_table.hpp"
#include "postern/backend/imap_client.hpp"
#include "postern/backend/pop3_client.hpp"
#include "postern/base/log.hpp"
#include "postern/loop/resolver.hpp"
#include "postern/net/chunk_pool.hpp"
#include "postern/net/socket.hpp"

namespace postern::backend {

/// How far an attempt has come; written while it runs, read by whoever has to explain its end.
class Progress {
 public:
  Progress() = default;  // not an aggregate: it crosses coroutines
  Phase phase = Phase::route;
  std::string server;  ///< the one being tried
};

/// Opens connections to the servers of a backend, on one loop.
class Dialer {
 public:
  Dialer(coro::Scheduler& scheduler, net::ChunkPool& pool, net::Connector& connector,
         loop::Resolver& resolver, CapabilityTable& capabilities, Random& random, Log& log)
      : scheduler_(scheduler),
        pool_(pool),
        connector_(connector),
        resolver_(resolver),
        capabilities_(capabilities),
        random_(random),
        log_(log) {}

  /// A server of the backend that has greeted, with TLS as the settings ask. Servers are tried one after the
  /// other while the failure allows it; the failure of the last one is returned. Counted and logged for each
  /// server. The client lives in `scope`, and shares `turn`; both outlive it.
  coro::Task<Result<std::unique_ptr<Pop3Client>>> dial_pop3(Backend& backend, net::Turn& turn,
                                                            coro::CancelSource& scope, Progress& progress);
  coro::Task<Result<std::unique_ptr<ImapClient>>> dial_imap(Backend& backend, net::Turn& turn,
                                                            coro::CancelSource& scope, Progress& progress);

 private:
  template <class Client>
  coro::Task<Result<std::unique_ptr<Client>>> dial(Backend& backend, net::Turn& turn,
                                                   coro::CancelSource& scope, Progress& progress);
  template <class Client>
  coro::Task<Result<std::unique_ptr<Client>>> dial_server(Backend& backend, Server& server, net::Turn& turn,
                                                          coro::CancelSource& scope, Progress& progress);
  coro::Task<Result<Connection>> connect(Backend& backend, Server& server, coro::CancelSource& scope,
                                         Progress& progress);
  void report(Backend& backend, Server& server, const Error& error);

  coro::Scheduler& scheduler_;
  net::ChunkPool& pool_;
  net::Connector& connector_;
  loop::Resolver& resolver_;
  CapabilityTable& capabilities_;
  Random& random_;
  Log& log_;
};

}  // namespace postern::backend
