#pragma once

#include "postern/base/clock.hpp"

namespace postern::tls {

class ManualClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return now_; }
  WallTime wall_now() const noexcept override { return WallTime(std::chrono::hours(24 * 365 * 50)); }
  void advance(Duration by) { now_ += by; }

 private:
  TimePoint now_{std::chrono::hours(1)};
};

}  // namespace postern::tls
