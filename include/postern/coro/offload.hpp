#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "postern/base/result.hpp"
#include "postern/coro/event.hpp"
#include "postern/coro/task.hpp"

namespace postern::coro {

/// Threads for what blocks (files, databases), as one loop sees them: implemented by loop::Loop, and by the
/// tests without threads. Not safe on other threads.
class Offload {
 public:
  Offload() = default;
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;

  /// Runs `work` on some thread and then `done` on the loop, in a later turn. Neither may throw. `work` gets
  /// values only: whoever asked for it may be gone before it begins. Both functions are destroyed on the
  /// loop.
  void dispatch(std::function<void()> work, std::function<void()> done);
  /// How many were asked for and are not done.
  std::size_t running() const noexcept { return running_; }
  /// Waits until nothing runs: work cannot be cancelled, so a loop is stopped behind this. One waiter.
  Task<void> idle(Scheduler& scheduler);

 protected:
  /// Asserts that nothing runs.
  virtual ~Offload();
  virtual void start(std::function<void()> work, std::function<void()> done) = 0;

 private:
  std::size_t running_ = 0;
  Event* waiter_ = nullptr;
};

namespace detail {

/// What a caller and its work share. Lives until both have let go; the loop's queue orders their accesses.
template <class T>
class Offloaded {
 public:
  std::atomic<bool> abandoned{false};
  std::optional<T> result;
  std::exception_ptr exception;
  Event* waiter = nullptr;  // null when the caller has gone
};

}  // namespace detail

/// The value of `work`, which runs on a thread, or why nobody waited for it: the deadline or the scope. Then
/// its result is dropped, and work that has not begun does not begin. Throws what `work` threw.
template <class T>
Task<Result<T, WaitResult>> offload(Offload& pool, Scheduler& scheduler, CancelSource& scope,
                                    Deadline deadline, std::function<T()> work) {
  if (scope.reason()) co_return WaitResult::cancelled;
  if (deadline.when() <= scheduler.now()) co_return WaitResult::timed_out;
  const auto state = std::make_shared<detail::Offloaded<T>>();
  Event done(scheduler, scope);
  state->waiter = &done;
  pool.dispatch(
      [state, work = std::move(work)] {
        if (state->abandoned.load(std::memory_order_relaxed)) return;
        try {
          state->result.emplace(work());
        } catch (...) {  // the caller's coroutine gets it, on its own thread
          state->exception = std::current_exception();
        }
      },
      [state] {
        if (state->waiter != nullptr) state->waiter->set();
      });
  const WaitResult outcome = co_await done.wait(deadline);
  state->waiter = nullptr;
  if (outcome != WaitResult::ready) {
    state->abandoned.store(true, std::memory_order_relaxed);
    co_return outcome;
  }
  if (state->exception) std::rethrow_exception(state->exception);
  co_return std::move(*state->result);
}

}  // namespace postern::coro
