#pragma once

#include <coroutine>
#include <cstdint>

#include "postern/coro/cancel.hpp"
#include "postern/coro/deadline.hpp"
#include "postern/coro/scheduler.hpp"

namespace postern::coro {

enum class WaitResult : std::uint8_t { ready, timed_out, cancelled };

/// A fact that becomes true once and for one waiter. A wait ends in exactly one of: set, timed out,
/// cancelled; with two at once, set wins.
class Event final : private CancelTarget, private Timer {
 public:
  Event(Scheduler& scheduler, CancelSource& scope) noexcept : CancelTarget(scope), scheduler_(scheduler) {}
  /// Only while nobody waits.
  ~Event() override;

  void set();
  bool is_set() const noexcept { return set_; }
  void reset() noexcept { set_ = false; }

  class Awaiter {
   public:
    Awaiter(Event& event, Deadline deadline) noexcept : event_(&event), deadline_(deadline) {}
    bool await_ready() const noexcept { return event_->set_ || event_->cancelled().has_value(); }
    void await_suspend(std::coroutine_handle<> self) const { event_->suspend(self, deadline_); }
    WaitResult await_resume() const noexcept { return event_->outcome(); }

   private:
    Event* event_;
    Deadline deadline_;
  };
  Awaiter wait(Deadline deadline) noexcept { return Awaiter(*this, deadline); }

 private:
  void on_timer() override;
  void on_cancel(FailureKind reason) override;
  void suspend(std::coroutine_handle<> self, Deadline deadline);
  void wake();
  WaitResult outcome() noexcept;

  Scheduler& scheduler_;
  std::coroutine_handle<> waiter_;
  bool set_ = false;
  bool timed_out_ = false;
};

}  // namespace postern::coro
