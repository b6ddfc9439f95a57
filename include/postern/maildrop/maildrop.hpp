#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "postern/base/result.hpp"
#include "postern/base/units.hpp"
#include "postern/coro/deadline.hpp"
#include "postern/coro/task.hpp"
#include "postern/pop3/command.hpp"

namespace postern::maildrop {

/// Where the lines of a multi-line answer go: towards the client. Spans are in wire form (CRLF, dot-stuffed)
/// without the terminator.
///
/// `begin` says +OK; before it, a failure is an ordinary -ERR. After it there is no way to say that something
/// went wrong: a sink that began and does not end makes the session cut the connection, without the
/// terminator. So nothing that is not complete is ever presented as complete. An error of the sink is the
/// client's (client_reset, client_stalled, ...).
class Sink {
 public:
  virtual ~Sink() = default;
  /// `size`: the message's octets, if they are known, for the status line.
  virtual coro::Task<Result<void>> begin(std::optional<Bytes> size) = 0;
  /// The span has to live until the call is over.
  virtual coro::Task<Result<void>> write(std::string_view wire) = 0;
  /// Writes the tail, which ends in CRLF or is empty, and the terminator, in one piece.
  virtual coro::Task<Result<void>> end(std::string_view tail) = 0;
};

struct Stat {
  std::uint32_t messages = 0;
  Bytes octets = 0;
};

/// A valid TRANSACTION command that the client has sent, and that will be executed in this order.
struct QueuedCommand {
  std::uint64_t sequence = 0;
  pop3::Verb verb = pop3::Verb::other;
  std::optional<std::uint32_t> message;
  std::uint64_t lines = 0;
};

/// What POP3 sees of a mailbox (RFC 1939 §5-7). One call at a time; its errors are of the failure table.
/// After `backend_lost`, `backend_timeout` or `backend_protocol` only abandon() makes sense.
class Maildrop {
 public:
  virtual ~Maildrop() = default;

  /// What the store behind cannot do, so that CAPA does not offer it.
  virtual bool has_top() const noexcept = 0;
  virtual bool has_uidl() const noexcept = 0;
  /// The server, for logs.
  virtual const std::string& server() const noexcept = 0;

  /// Tells what the client has asked and is not yet executed, oldest first, never QUIT. Does not wait; may be
  /// called again with the same commands. What comes of it is the maildrop's affair, but only for commands in
  /// this list or for reads.
  virtual void expect(std::span<const QueuedCommand> commands) = 0;
  /// The client is waited for next, perhaps for long: nothing is held for nothing. Does not wait.
  virtual void rest() = 0;
  /// The client has been silent for a while: what was asked for ahead is taken in, so that the server does
  /// not wait for its reader.
  virtual coro::Task<void> settle() = 0;

  virtual coro::Task<Result<Stat>> stat() = 0;
  virtual coro::Task<Result<Bytes>> list(std::uint32_t message) = 0;
  virtual coro::Task<Result<std::string>> uidl(std::uint32_t message) = 0;
  virtual coro::Task<Result<void>> list(Sink& sink) = 0;
  virtual coro::Task<Result<void>> uidl(Sink& sink) = 0;
  virtual coro::Task<Result<void>> retrieve(std::uint32_t message, Sink& sink) = 0;
  virtual coro::Task<Result<void>> top(std::uint32_t message, std::uint64_t lines, Sink& sink) = 0;
  virtual coro::Task<Result<void>> mark_deleted(std::uint32_t message) = 0;
  virtual coro::Task<Result<void>> reset() = 0;
  virtual coro::Task<Result<void>> noop() = 0;

  /// Enters UPDATE: removes what is marked, and nothing else. `update_failed` if not all of it could be
  /// removed.
  virtual coro::Task<Result<void>> commit(coro::Deadline deadline) = 0;

  /// A hash of all unique-ids, whatever their order, if the client has asked for the list: the same as long
  /// as the mailbox is the same. Nothing where the ids are the server's own.
  virtual std::optional<std::uint64_t> uidl_hash() const noexcept { return std::nullopt; }

  /// Octets exchanged with the backend so far.
  virtual std::uint64_t bytes_from_backend() const noexcept = 0;
  virtual std::uint64_t bytes_to_backend() const noexcept = 0;
};

}  // namespace postern::maildrop
