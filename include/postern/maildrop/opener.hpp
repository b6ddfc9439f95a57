#pragma once

#include <memory>
#include <optional>
#include <string>

#include "postern/backend/credentials.hpp"
#include "postern/backend/dialer.hpp"
#include "postern/base/clock.hpp"
#include "postern/base/log.hpp"
#include "postern/maildrop/budget.hpp"
#include "postern/maildrop/maildrop.hpp"
#include "postern/net/chunk_pool.hpp"
#include "postern/store/store.hpp"

namespace postern::maildrop {

class Contents;
class Link;
class View;

/// Which mailbox is to be opened, for whom.
class Login {
 public:
  Login(backend::BackendCredentials c, backend::Origin o, const config::View& v)
      : credentials(std::move(c)), origin(std::move(o)), view(v) {}
  backend::BackendCredentials credentials;
  backend::Origin origin;
  const config::View& view;           ///< of IMAP backends; outlives the maildrop
  std::optional<std::string> folder;  ///< instead of the view's, in UTF-8: what the client asked for
};

/// Opens maildrops on one loop. Outlives them.
class Opener {
 public:
  Opener(backend::Dialer& dialer, store::Store& store, net::ChunkPool& pool, Log& log, const Clock& clock);

  /// Opens the mailbox at a server of the backend. Another server is tried only until a credential was sent.
  /// Everything it makes lives in `scope` and shares `turn`; both, and the backend, outlive it.
  coro::Task<Result<std::unique_ptr<Maildrop>>> open(backend::Backend& backend, Login login, net::Turn& turn,
                                                     coro::CancelSource& scope, backend::Progress& progress);

  backend::Dialer& dialer() noexcept { return dialer_; }
  store::Store& store() noexcept { return store_; }
  net::ChunkPool& pool() noexcept { return pool_; }
  Log& log() noexcept { return log_; }
  const Clock& clock() const noexcept { return clock_; }
  Budget& budget() noexcept { return budget_; }

 private:
  coro::Task<Result<std::unique_ptr<Maildrop>>> open_relay(backend::Backend& backend, const Login& login,
                                                           net::Turn& turn, coro::CancelSource& scope,
                                                           backend::Progress& progress);
  coro::Task<Result<std::unique_ptr<Maildrop>>> open_translation(backend::Backend& backend,
                                                                 const Login& login, net::Turn& turn,
                                                                 coro::CancelSource& scope,
                                                                 backend::Progress& progress);

  coro::Task<Result<Contents>> list_folders(Link& link, const View& view, const Login& login);
  void tell_alert(Link& link);

  backend::Dialer& dialer_;
  store::Store& store_;
  net::ChunkPool& pool_;
  Log& log_;
  const Clock& clock_;
  Budget budget_;
};

}  // namespace postern::maildrop
