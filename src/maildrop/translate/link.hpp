#pragma once

#include <memory>
#include <optional>
#include <string>

#include "postern/backend/dialer.hpp"
#include "postern/backend/imap_client.hpp"

namespace postern::maildrop {

/// The way to one user's mail on an IMAP backend: a connection that is logged in, and that can be made again.
/// Keeps the credentials as long as it lives.
class Link {
 public:
  Link(backend::Dialer& dialer, backend::Backend& backend, const backend::BackendCredentials& credentials,
       backend::Origin origin, net::Turn& turn, coro::CancelSource& scope);
  ~Link();

  /// Connects and logs in. `progress` tells how far it came.
  coro::Task<Result<void>> open(backend::Progress& progress);
  bool is_open() const noexcept { return client_ != nullptr; }
  backend::ImapClient& client() noexcept { return *client_; }
  /// The connection is of no use any more. Nobody waits for it.
  void drop() noexcept;

  backend::Backend& backend() noexcept { return backend_; }
  coro::Scheduler& scheduler() noexcept { return turn_.scheduler(); }
  coro::CancelSource& scope() noexcept { return scope_; }
  const std::string& user() const noexcept { return credentials_.user; }
  const std::string& session() const noexcept { return origin_.session; }
  /// The server of the last connection.
  const std::string& server() const noexcept { return server_; }
  /// When a command that begins now should be answered.
  coro::Deadline patience() const noexcept;

  std::uint64_t bytes_read() const noexcept;
  std::uint64_t bytes_written() const noexcept;

  /// The mailbox that is selected, as on the wire; empty for none.
  std::string selected;
  /// It said so when it was selected again.
  bool is_read_only = false;
  /// A server of this session has asked to be left alone, for so long if it is not zero.
  std::optional<Duration> throttled() const noexcept;

  /// When a command was sent last.
  TimePoint last_used;

 private:
  backend::Dialer& dialer_;
  backend::Backend& backend_;
  backend::BackendCredentials credentials_;
  backend::Origin origin_;
  net::Turn& turn_;
  coro::CancelSource& scope_;
  std::unique_ptr<backend::ImapClient> client_;
  std::string server_;
  std::optional<Duration> throttled_;  // by an earlier connection
  std::uint64_t read_before_ = 0;      // of earlier connections
  std::uint64_t written_before_ = 0;
};

}  // namespace postern::maildrop
