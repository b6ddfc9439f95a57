#pragma once

#include <chrono>

namespace postern {

/// Monotonic time; what every wait and every duration is measured in.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;
/// Time of the day; for logs, certificates and session ids only.
using WallTime = std::chrono::system_clock::time_point;

/// The seam of time: real in the process, virtual in tests. Safe on any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const noexcept = 0;
  virtual WallTime wall_now() const noexcept = 0;
};

/// The process's real clock; lives as long as the process.
const Clock& system_clock() noexcept;

}  // namespace postern
