#pragma once

#include <optional>

#include "postern/base/failure.hpp"
#include "postern/net/io_error.hpp"

namespace postern::session {

/// Why a session ends.
class End {
 public:
  static End quit() { return End(); }
  explicit End(FailureKind reason) : reason_(reason) {}
  /// The client's connection is to be reset: something that began cannot be completed.
  static End cut(FailureKind reason) {
    End end(reason);
    end.cut_ = true;
    return end;
  }

  bool is_quit() const noexcept { return !reason_.has_value(); }
  bool is_cut() const noexcept { return cut_; }
  FailureKind reason() const noexcept { return *reason_; }

 private:
  End() = default;
  std::optional<FailureKind> reason_;
  bool cut_ = false;
};

/// What an error of the client's stream means. `late` is what a passed deadline means there.
FailureKind client_failure(const net::IoError& error, FailureKind late) noexcept;

}  // namespace postern::session
