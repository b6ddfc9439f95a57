#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "postern/base/assert.hpp"
#include "postern/base/clock.hpp"
#include "postern/coro/gate.hpp"
#include "postern/coro/offload.hpp"
#include "postern/coro/scheduler.hpp"
#include "postern/coro/task.hpp"

namespace postern::test {

/// A scheduler without a loop: its time stands still until it is moved, and the same calls give the same run.
/// A turn does what an iteration of the loop does, in that order: due timers, a poll, one batch.
class TestScheduler final : public coro::Scheduler, public coro::Offload, public Clock {
 public:
  TestScheduler() = default;
  /// Asserts that nothing is left to run.
  ~TestScheduler() override;

  TimePoint now() const noexcept override { return now_; }
  WallTime wall_now() const noexcept override;
  void enqueue(std::coroutine_handle<> coroutine) override { ready_.push_back(coroutine); }
  void arm(coro::Timer& timer, TimePoint when) override { timers_.arm(*this, timer, when); }
  void disarm(coro::Timer& timer) noexcept override { timers_.disarm(timer); }
  std::uint64_t turn() const noexcept override { return turn_; }

  /// Called in every turn, where a loop looks at its descriptors; says whether it told anybody anything.
  void on_poll(std::function<bool()> poll) { polls_.push_back(std::move(poll)); }

  /// From now on, whether offloaded work is run at all: a thread that hangs, until it does not. Without it,
  /// work runs in the next turn's poll, in place.
  void hold_work(bool held) noexcept { work_held_ = held; }

  /// From now on, the coroutines of each batch are resumed in an order that this decides: it is given how
  /// many there are left, and says which is next.
  void choose_by(std::function<std::size_t(std::size_t)> choose) { choose_ = std::move(choose); }

  /// One turn; whether anything happened in it.
  bool run_turn();
  /// Turns until one in which nothing happens. Time does not move.
  void run_until_idle();
  /// Moves the time, stopping at each timer on the way.
  void advance(Duration duration);
  /// Moves the time to the next timer; false if there is none.
  bool advance_to_next_timer();

  /// Runs a task to its end, moving the time whenever all wait for it, and gives its result or throws its
  /// exception. Asserts that it ends.
  template <class T>
  T run(coro::Task<T> task);

 private:
  class Work {
   public:
    Work(std::function<void()> w, std::function<void()> d) : work(std::move(w)), done(std::move(d)) {}
    std::function<void()> work, done;
  };

  void start(std::function<void()> work, std::function<void()> done) override;
  bool run_work();
  void run_batch();

  TimePoint now_{std::chrono::hours(1)};  // not zero, so that a default time point is in the past
  std::uint64_t turn_ = 0;
  coro::TimerHeap timers_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::function<bool()>> polls_;
  std::vector<Work> work_;
  bool work_held_ = false;
  std::function<std::size_t(std::size_t)> choose_;
};

/// A task that was begun and is looked at from outside.
template <class T>
class Running {
 public:
  Running(coro::Scheduler& scheduler, coro::Task<T> task) : gate_(scheduler, [](const char*) {}) {
    gate_.spawn(keep(*this, std::move(task)));
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() = default;  // the gate asserts that it ended

  bool done() const noexcept { return gate_.count() == 0; }
  /// What it returned or threw; once, when it is done.
  T take() {
    POSTERN_ASSERT(done());
    if (exception_) std::rethrow_exception(exception_);
    if constexpr (!std::is_void_v<T>) return std::move(*result_);
  }

 private:
  using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  static coro::Task<void> keep(Running& self, coro::Task<T> task) {
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(task);
      } else {
        T value = co_await std::move(task);
        self.result_.emplace(std::move(value));
      }
    } catch (...) {
      self.exception_ = std::current_exception();
    }
  }

  std::optional<Stored> result_;
  std::exception_ptr exception_;
  coro::Gate gate_;
};

template <class T>
T TestScheduler::run(coro::Task<T> task) {
  Running<T> running(*this, std::move(task));
  run_until_idle();
  while (!running.done()) {
    POSTERN_ASSERT(advance_to_next_timer());
    run_until_idle();
  }
  return running.take();
}

}  // namespace postern::test
