#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "postern/base/clock.hpp"

namespace postern::sim {

/// What happened in a run, line by line, with the virtual time. A run that is not traced does not pay for it:
/// a seed that fails is run again with its trace.
class Trace {
 public:
  explicit Trace(const Clock* clock, bool wanted) : clock_(clock), wanted_(wanted) {}
  bool wanted() const noexcept { return wanted_; }
  void line(const std::string& who, const std::string& what) const {
    if (!wanted_) return;
    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(clock_->now().time_since_epoch());
    std::printf("%10.3f  %-12s %s\n", static_cast<double>(time.count()) / 1000, who.c_str(), what.c_str());
    std::fflush(stdout);  // what is still in a buffer when a run dies would be missed most
  }

 private:
  const Clock* clock_;
  bool wanted_;
};

/// Octets as a line can show them, the middle left out if there are many.
std::string shown(std::string_view octets);

}  // namespace postern::sim
