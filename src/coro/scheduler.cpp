#include "postern/coro/scheduler.hpp"

#include <utility>

#include "postern/base/assert.hpp"

namespace postern::coro {

Timer::~Timer() {
  if (scheduler_ != nullptr) scheduler_->disarm(*this);
}

void TimerHeap::arm(Scheduler& owner, Timer& timer, TimePoint when) {
  if (timer.due_) forget_due(timer);
  if (!timer.is_armed()) {
    timer.scheduler_ = &owner;
    timer.when_ = when;
    timer.index_ = heap_.size();
    heap_.push_back(&timer);
    sift_up(timer.index_);
    return;
  }
  POSTERN_ASSERT(timer.scheduler_ == &owner);
  const bool sooner = when < timer.when_;
  timer.when_ = when;
  if (sooner) {
    sift_up(timer.index_);
  } else {
    sift_down(timer.index_);
  }
}

void TimerHeap::disarm(Timer& timer) noexcept {
  if (!timer.is_armed()) return;
  if (timer.due_) {
    forget_due(timer);
    return;
  }
  const std::size_t hole = timer.index_;
  Timer* last = heap_.back();
  heap_.pop_back();
  timer.scheduler_ = nullptr;
  if (last == &timer) return;
  place(hole, last);
  sift_up(hole);
  sift_down(last->index_);
}

void TimerHeap::fire(TimePoint now) {
  // Collected first: a timer that arms itself again for a moment already past waits for the next call.
  POSTERN_ASSERT(due_.empty());
  while (!heap_.empty() && heap_.front()->when_ <= now) {
    Timer& timer = *heap_.front();
    Scheduler* const owner = timer.scheduler_;
    disarm(timer);
    timer.scheduler_ =
        owner;  // armed until it is told, so that it can be disarmed, or leave when it is destroyed
    timer.due_ = true;
    timer.index_ = due_.size();
    due_.push_back(&timer);
  }
  for (std::size_t i = 0; i < due_.size(); ++i) {
    Timer* const timer = due_[i];
    if (timer == nullptr) continue;
    forget_due(*timer);
    timer->on_timer();
  }
  due_.clear();
}

void TimerHeap::forget_due(Timer& timer) noexcept {
  due_[timer.index_] = nullptr;
  timer.due_ = false;
  timer.scheduler_ = nullptr;
}

void TimerHeap::place(std::size_t index, Timer* timer) noexcept {
  heap_[index] = timer;
  timer->index_ = index;
}

void TimerHeap::sift_up(std::size_t index) noexcept {
  Timer* timer = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->when_ <= timer->when_) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, timer);
}

void TimerHeap::sift_down(std::size_t index) noexcept {
  Timer* timer = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->when_ < heap_[child]->when_) ++child;
    if (timer->when_ <= heap_[child]->when_) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, timer);
}

}  // namespace postern::coro
