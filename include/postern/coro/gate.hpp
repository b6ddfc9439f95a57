#pragma once

#include <coroutine>
#include <cstddef>
#include <functional>

#include "postern/coro/scheduler.hpp"
#include "postern/coro/task.hpp"

namespace postern::coro {

/// Owns coroutines that nobody awaits. Every task that is started is started here, and a gate is only
/// destroyed empty: stop what runs (cancel its scope), then await `closed()`.
class Gate {
 public:
  /// `on_exception` hears of an exception that left a task: a bug, which ends that task alone.
  Gate(Scheduler& scheduler, std::function<void(const char* what)> on_exception)
      : scheduler_(scheduler), on_exception_(std::move(on_exception)) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();

  /// Begins the task now, in place, and keeps it until it ends.
  void spawn(Task<void> task);
  std::size_t count() const noexcept { return count_; }

  class Awaiter {
   public:
    explicit Awaiter(Gate& gate) noexcept : gate_(&gate) {}
    bool await_ready() const noexcept { return gate_->count_ == 0; }
    void await_suspend(std::coroutine_handle<> self) const noexcept;
    void await_resume() const noexcept {}

   private:
    Gate* gate_;
  };
  /// Waits until nothing runs. One waiter. While it waits only what runs here itself may spawn more, as a
  /// session spawns its UPDATE during a drain: the spawner still counts, so the gate does not close between
  /// the two. Whoever spawns from outside could come too late.
  Awaiter closed() noexcept { return Awaiter(*this); }

 private:
  struct Root;
  static Root run(Gate& gate, Task<void> task);
  void leave();

  Scheduler& scheduler_;
  std::function<void(const char*)> on_exception_;
  std::size_t count_ = 0;
  std::coroutine_handle<> waiter_;
};

}  // namespace postern::coro
