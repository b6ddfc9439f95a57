#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "postern/base/clock.hpp"

namespace postern::coro {

class Scheduler;

/// Something that wants to be told when a moment has come. Disarms itself when it is destroyed.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  bool is_armed() const noexcept { return scheduler_ != nullptr; }
  /// When it will fire; only while armed.
  TimePoint timer_when() const noexcept { return when_; }

 protected:
  virtual ~Timer();
  /// Called once, on the loop, after it was disarmed; must not resume a coroutine in place (enqueue it).
  virtual void on_timer() = 0;

 private:
  friend class TimerHeap;
  TimePoint when_;
  std::size_t index_ = 0;           ///< where it is in the heap, or among those that are due
  bool due_ = false;                ///< its moment has come, and the heap is about to tell it
  Scheduler* scheduler_ = nullptr;  ///< non-null while armed
};

/// What coroutines of one loop are run by: implemented by loop::Loop, and with virtual time by the tests.
/// Comes by constructor; there is no default one. Not safe on other threads.
class Scheduler {
 public:
  virtual ~Scheduler() = default;

  virtual TimePoint now() const noexcept = 0;
  /// Resumes the coroutine in the next batch. A batch is what was enqueued before it began; the loop polls
  /// between two.
  virtual void enqueue(std::coroutine_handle<> coroutine) = 0;
  /// Arms or moves a timer.
  virtual void arm(Timer& timer, TimePoint when) = 0;
  virtual void disarm(Timer& timer) noexcept = 0;
  /// Grows by one with every iteration of the loop; what a budget per turn is measured against.
  virtual std::uint64_t turn() const noexcept = 0;
};

/// The armed timers of a scheduler, earliest first.
class TimerHeap {
 public:
  void arm(Scheduler& owner, Timer& timer, TimePoint when);
  void disarm(Timer& timer) noexcept;
  bool empty() const noexcept { return heap_.empty(); }
  TimePoint earliest() const noexcept { return heap_.front()->when_; }
  /// Fires what is due at `now`, the earliest first. Timers armed meanwhile wait for the next call, and one
  /// that is disarmed, moved or destroyed meanwhile by another one is not told. Not to be called by a timer.
  void fire(TimePoint now);

 private:
  void forget_due(Timer& timer) noexcept;
  void place(std::size_t index, Timer* timer) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;

  std::vector<Timer*> heap_;
  std::vector<Timer*> due_;  // empty outside of fire(), where null stands for one that left meanwhile
};

/// Suspends until the next batch.
class Yield {
 public:
  explicit Yield(Scheduler& scheduler) noexcept : scheduler_(&scheduler) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> self) const { scheduler_->enqueue(self); }
  void await_resume() const noexcept {}

 private:
  Scheduler* scheduler_;
};

}  // namespace postern::coro
