#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "postern/backend/backend.hpp"
#include "postern/backend/capability_table.hpp"
#include "postern/backend/credentials.hpp"
#include "postern/base/result.hpp"
#include "postern/net/line_reader.hpp"
#include "postern/net/stream.hpp"
#include "postern/pop3/reply.hpp"

namespace postern::backend {

/// The gateway as the client of a POP3 server, from the connection to "authenticated". Nothing is sent ahead
/// across a login: servers lose it (seen with Courier). Errors are those of the failure table; after one, all
/// that is left is to destroy it, except after a refused login.
class Pop3Client {
 public:
  Pop3Client(net::Turn& turn, coro::CancelSource& scope, net::ChunkPool& pool, Connection connection,
             Backend& backend, Server& server, CapabilityTable& capabilities, Random& random);

  /// TLS if it is implicit, the greeting, STLS if it is asked for. What an upstream sends behind its answer
  /// to STLS and before the handshake ends the connection (injection, CVE-2011-0411).
  coro::Task<Result<void>> greet(coro::Deadline deadline, Phase& phase);

  /// Logs in, with USER and PASS or with AUTH PLAIN, whichever suits the server and the name. A refusal is
  /// what pop3::login_failure makes of it.
  coro::Task<Result<void>> login(const BackendCredentials& credentials, coro::Deadline deadline);

  /// The next status line. Its views die with the next wait on this client.
  coro::Task<Result<pop3::Reply>> read_reply(coro::Deadline deadline);

  net::Stream& stream() noexcept { return stream_; }
  net::LineReader& reader() noexcept { return reader_; }
  const pop3::Capabilities& capabilities() const noexcept { return known_; }
  const std::string& server() const noexcept { return server_.name(); }

 private:
  coro::Task<Result<void>> start_tls(coro::Deadline deadline);
  coro::Task<Result<void>> learn(coro::Deadline deadline);
  coro::Task<Result<void>> log_in_with_user(const BackendCredentials& credentials, coro::Deadline deadline);
  coro::Task<Result<void>> log_in_with_auth(const BackendCredentials& credentials, coro::Deadline deadline);
  Error refusal(const pop3::Reply& reply, std::string_view secret) const;

  Backend& backend_;
  Server& server_;
  CapabilityTable& table_;
  std::string table_key_;
  pop3::Capabilities known_;
  net::Stream stream_;
  net::LineReader reader_;
};

}  // namespace postern::backend
