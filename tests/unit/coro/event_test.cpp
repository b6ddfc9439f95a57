#include "postern/coro/event.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "support/test_scheduler.hpp"

namespace postern::coro {
namespace {

using namespace std::chrono_literals;
using test::Running;
using test::TestScheduler;

Task<WaitResult> wait_for(Event& event, Deadline deadline) {
  const WaitResult result = co_await event.wait(deadline);
  co_return result;
}

class EventTest : public testing::Test {
 protected:
  Deadline in(Duration duration) const { return Deadline(scheduler.now() + duration); }
  Task<WaitResult> wait(Deadline deadline) { return wait_for(event, deadline); }

  TestScheduler scheduler;
  CancelSource scope;
  Event event{scheduler, scope};
};

TEST_F(EventTest, SetBeforeTheWaitEndsItAtOnce) {
  event.set();
  Running<WaitResult> running(scheduler, wait(Deadline::never()));
  ASSERT_TRUE(running.done());
  EXPECT_EQ(running.take(), WaitResult::ready);
}

TEST_F(EventTest, SetWakesTheWaiterInTheNextBatch) {
  Running<WaitResult> running(scheduler, wait(Deadline::never()));
  scheduler.run_until_idle();
  event.set();
  EXPECT_FALSE(running.done());
  scheduler.run_turn();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(running.take(), WaitResult::ready);
}

TEST_F(EventTest, TimesOutAtItsDeadline) {
  const TimePoint end = scheduler.now() + 5s;
  EXPECT_EQ(scheduler.run(wait(Deadline(end))), WaitResult::timed_out);
  EXPECT_EQ(scheduler.now(), end);
}

TEST_F(EventTest, ADeadlineInThePastTimesOut) {
  EXPECT_EQ(scheduler.run(wait(in(-1s))), WaitResult::timed_out);
}

TEST_F(EventTest, CancelWakesTheWaiterInTheNextBatch) {
  Running<WaitResult> running(scheduler, wait(in(5s)));
  scope.cancel(FailureKind::kicked);
  EXPECT_FALSE(running.done());
  scheduler.run_until_idle();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(running.take(), WaitResult::cancelled);
}

TEST_F(EventTest, CancelBeforeTheWaitEndsItAtOnce) {
  scope.cancel(FailureKind::kicked);
  Running<WaitResult> running(scheduler, wait(Deadline::never()));
  ASSERT_TRUE(running.done());
  EXPECT_EQ(running.take(), WaitResult::cancelled);
}

TEST_F(EventTest, SetWinsOverCancel) {
  Running<WaitResult> running(scheduler, wait(in(5s)));
  scope.cancel(FailureKind::kicked);
  event.set();
  scheduler.run_until_idle();
  EXPECT_EQ(running.take(), WaitResult::ready);
}

TEST_F(EventTest, SetWinsOverAPassedDeadline) {
  Running<WaitResult> running(scheduler, wait(in(5s)));
  scheduler.on_poll([&, told = false]() mutable {  // the timer has fired, and the waiter has not run yet
    if (scheduler.now() < TimePoint(1h) + 5s || told) return false;
    event.set();
    return told = true;
  });
  scheduler.advance(5s);
  EXPECT_EQ(running.take(), WaitResult::ready);
}

TEST_F(EventTest, AnOldTimeoutIsNotRememberedByTheNextWait) {
  Running<WaitResult> first(scheduler, wait(in(5s)));
  scheduler.on_poll([&, told = false]() mutable {
    if (scheduler.now() < TimePoint(1h) + 5s || told) return false;
    event.set();
    return told = true;
  });
  scheduler.advance(5s);
  EXPECT_EQ(first.take(), WaitResult::ready);
  event.reset();
  scope.cancel(FailureKind::kicked);
  EXPECT_EQ(scheduler.run(wait(in(5s))), WaitResult::cancelled);
}

TEST_F(EventTest, StaysSetUntilItIsReset) {
  event.set();
  EXPECT_EQ(scheduler.run(wait(in(1s))), WaitResult::ready);
  EXPECT_EQ(scheduler.run(wait(in(1s))), WaitResult::ready);
  event.reset();
  EXPECT_FALSE(event.is_set());
  EXPECT_EQ(scheduler.run(wait(in(1s))), WaitResult::timed_out);
}

TEST_F(EventTest, SetWithoutAWaiterIsNotLost) {
  event.set();
  event.set();
  scheduler.run_until_idle();
  EXPECT_EQ(scheduler.run(wait(in(1s))), WaitResult::ready);
}

TEST_F(EventTest, AWokenWaitLeavesNoTimerBehind) {
  Running<WaitResult> running(scheduler, wait(in(5s)));
  event.set();
  scheduler.run_until_idle();
  EXPECT_TRUE(running.done());
  EXPECT_FALSE(scheduler.advance_to_next_timer());
}

}  // namespace
}  // namespace postern::coro
