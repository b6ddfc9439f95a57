#pragma once

#include <atomic>
#include <chrono>

#include "postern/base/clock.hpp"

namespace postern::store {

/// Whether it is worth trying: after several troubles in a row there is a rest, and after the rest one more
/// trouble is enough for the next. So a disk that hangs costs a few logins their time, and not all. Safe on
/// any thread.
class Backoff {
 public:
  /// Two loads that hit upon a busy moment are no reason to do without a store; five in a row are.
  static constexpr unsigned kTroubles = 5;
  static constexpr std::chrono::seconds kRest{30};

  explicit Backoff(const Clock& clock) noexcept : clock_(clock) {}

  bool is_resting() const noexcept;
  void succeed() noexcept { troubles_.store(0, std::memory_order_relaxed); }
  void fail() noexcept;

 private:
  const Clock& clock_;
  std::atomic<unsigned> troubles_{0};
  std::atomic<Duration::rep> until_{0};
};

}  // namespace postern::store
