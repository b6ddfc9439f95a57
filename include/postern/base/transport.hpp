#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace postern {

/// What a transport is waiting for before the same call can get on.
enum class Want : std::uint8_t { none, read, write };

enum class IoStatus : std::uint8_t {
  ok,      ///< `bytes` were taken or given; with `bytes == 0`, see `want`
  eof,     ///< the peer ended its side in an orderly way (FIN; over TLS: close_notify)
  reset,   ///< the peer is gone without an orderly end (RST; over TLS also: FIN without close_notify)
  failed,  ///< anything else; see Transport::failure()
};

/// The outcome of one call. `bytes` were accepted (they need not have left) or read.
struct IoResult {
  std::size_t bytes = 0;
  Want want = Want::none;
  IoStatus status = IoStatus::ok;

  bool ok() const noexcept { return status == IoStatus::ok; }
  bool blocked() const noexcept { return ok() && want != Want::none; }
};

/// A byte stream whose calls never wait: TCP, TLS over any other transport, or memory in a test. Used on one
/// loop only.
///
/// - A call that cannot get on returns `want`; the caller waits for that readiness and calls again.
/// - A result that is not ok is final for that direction: the same comes back from every later call.
/// - After a blocked `try_write` the caller must pass the same octets again, and nothing else before them.
/// - What was accepted may still be staged: `try_flush` sends it, `unsent()` tells.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual IoResult try_read(std::span<char> into) = 0;
  virtual IoResult try_write(std::span<const char> from) = 0;
  /// Sends what is staged. Ok with `want == none` when nothing is left.
  virtual IoResult try_flush() = 0;
  /// Gets on with a handshake; ok with `want == none` when it is complete (at once for transports without
  /// one).
  virtual IoResult try_handshake() = 0;
  /// Ends our side: flushes, close_notify over TLS, then FIN. Ok with `want == none` when done.
  virtual IoResult try_shutdown() = 0;
  /// Gives up: what is staged is dropped and the peer sees a reset, no close_notify. Nothing may be called
  /// afterwards.
  virtual void abort() noexcept = 0;

  /// Octets that were accepted and have not left.
  virtual std::size_t unsent() const noexcept = 0;
  /// What went wrong, for the log; empty while nothing did. Holds nothing that a peer chose freely.
  virtual std::string failure() const = 0;
};

}  // namespace postern
