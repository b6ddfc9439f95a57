#pragma once

#include <algorithm>
#include <cstdint>

namespace postern::maildrop {

/// How far ahead of a client messages are asked for: not at all until it is seen to go from one message to
/// the next (RETR k or DELE k, then RETR k+1), then more and more.
class Walk {
 public:
  static constexpr std::uint32_t kFirstWindow = 2;
  static constexpr std::uint32_t kMaxWindow = 16;

  void retrieves(std::uint32_t message) noexcept {
    const bool walks = message == next_;
    window_ = walks ? std::clamp(window_ * 2, kFirstWindow, kMaxWindow) : 0;
    next_ = message + 1;
  }
  void deletes(std::uint32_t message) noexcept {
    if (next_ == 0 || message == next_) next_ = message + 1;
  }
  /// Something went wrong, or the client turned to something else.
  void stop() noexcept {
    window_ = 0;
    next_ = 0;
  }
  /// How many messages behind the one that is fetched.
  std::uint32_t window() const noexcept { return window_; }

 private:
  std::uint32_t next_ = 0;  // 0: nothing is known
  std::uint32_t window_ = 0;
};

}  // namespace postern::maildrop
