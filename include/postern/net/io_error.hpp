#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "postern/base/failure.hpp"
#include "postern/base/result.hpp"

namespace postern::net {

/// How waiting for a peer ended when it did not end well.
enum class Errc : std::uint8_t {
  eof,        ///< the peer ended its side in an orderly way
  reset,      ///< the peer is gone
  failed,     ///< the transport failed; detail says how
  timed_out,  ///< the deadline of this wait passed
  stalled,    ///< the peer has taken no octet for the stream's write timeout
  cancelled,  ///< the scope was cancelled; reason() says why
  too_long,   ///< a line is longer than it may be
};

class IoError {
 public:
  IoError(Errc code, std::string detail) : code_(code), detail_(std::move(detail)) {}
  static IoError cancelled(FailureKind reason) {
    IoError error(Errc::cancelled, "cancelled");
    error.reason_ = reason;
    return error;
  }

  Errc code() const noexcept { return code_; }
  /// Only for `cancelled`.
  FailureKind reason() const noexcept { return reason_; }
  const std::string& detail() const noexcept { return detail_; }

  /// As a failure: `otherwise`, unless the scope was cancelled, which keeps its own reason.
  Error as(FailureKind otherwise, const std::string& doing) const {
    return Error(code_ == Errc::cancelled ? reason_ : otherwise, doing + ": " + detail_);
  }

 private:
  Errc code_;
  FailureKind reason_ = FailureKind::internal;
  std::string detail_;
};

using IoOutcome = Result<void, IoError>;

}  // namespace postern::net
