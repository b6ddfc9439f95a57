#pragma once

#include <algorithm>

#include "postern/base/clock.hpp"

namespace postern::coro {

/// An absolute moment after which waiting is over; passed down, so that a chain of waits has one end.
class Deadline {
 public:
  explicit Deadline(TimePoint when) noexcept : when_(when) {}
  static Deadline never() noexcept { return Deadline(TimePoint::max()); }

  TimePoint when() const noexcept { return when_; }
  bool is_never() const noexcept { return when_ == TimePoint::max(); }
  friend Deadline earlier(Deadline a, Deadline b) noexcept { return Deadline(std::min(a.when_, b.when_)); }

 private:
  TimePoint when_;
};

}  // namespace postern::coro
