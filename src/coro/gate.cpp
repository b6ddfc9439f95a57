#include "postern/coro/gate.hpp"

#include <utility>

#include "postern/base/assert.hpp"

namespace postern::coro {

/// A coroutine without a parent: begun by `spawn`, it destroys itself when it ends.
struct Gate::Root {
  struct promise_type {
    Root get_return_object() noexcept {
      return Root{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }  // `run` catches all
  };
  std::coroutine_handle<promise_type> frame;
};

Gate::~Gate() {
  POSTERN_ASSERT(count_ == 0);
}

Gate::Root Gate::run(Gate& gate, Task<void> task) {
  try {
    // Moved into the statement, so that the task's frame is gone before the gate hears that it ended.
    Task<void> owned(std::move(task));
    co_await std::move(owned);
  } catch (const std::exception& e) {  // ours do not throw: whatever comes here is a bug of this task alone
    gate.on_exception_(e.what());
  } catch (...) {  // the same, of something that is no exception class
    gate.on_exception_("unknown exception");
  }
  gate.leave();
}

void Gate::spawn(Task<void> task) {
  ++count_;
  run(*this, std::move(task)).frame.resume();
}

void Gate::leave() {
  if (--count_ == 0 && waiter_) scheduler_.enqueue(std::exchange(waiter_, {}));
}

void Gate::Awaiter::await_suspend(std::coroutine_handle<> self) const noexcept {
  POSTERN_ASSERT(!gate_->waiter_);
  gate_->waiter_ = self;
}

}  // namespace postern::coro
