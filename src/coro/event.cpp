#include "postern/coro/event.hpp"

#include <utility>

#include "postern/base/assert.hpp"

namespace postern::coro {

Event::~Event() {
  POSTERN_ASSERT(!waiter_);
}

void Event::set() {
  set_ = true;
  wake();
}

void Event::on_timer() {
  timed_out_ = true;
  wake();
}

void Event::on_cancel(FailureKind) {
  wake();
}

void Event::suspend(std::coroutine_handle<> self, Deadline deadline) {
  POSTERN_ASSERT(!waiter_);
  waiter_ = self;
  timed_out_ = false;
  if (!deadline.is_never()) scheduler_.arm(*this, deadline.when());
}

void Event::wake() {
  if (is_armed()) scheduler_.disarm(*this);
  if (waiter_) scheduler_.enqueue(std::exchange(waiter_, {}));
}

WaitResult Event::outcome() noexcept {
  const bool timed_out = std::exchange(timed_out_, false);
  if (set_) return WaitResult::ready;
  return timed_out ? WaitResult::timed_out : WaitResult::cancelled;
}

}  // namespace postern::coro
