#include "postern/coro/offload.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "support/test_scheduler.hpp"

namespace postern::coro {
namespace {

using namespace std::chrono_literals;
using test::Running;
using test::TestScheduler;
using Outcome = Result<int, WaitResult>;

class OffloadTest : public testing::Test {
 protected:
  Deadline in(Duration duration) const { return Deadline(scheduler.now() + duration); }
  Task<Outcome> begin(Deadline deadline, std::function<int()> work) {
    return offload(scheduler, scheduler, scope, deadline, std::move(work));
  }

  TestScheduler scheduler;
  CancelSource scope;
};

TEST_F(OffloadTest, GivesWhatTheWorkReturned) {
  Outcome outcome = scheduler.run(begin(in(1s), [] { return 42; }));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(*outcome, 42);
}

TEST_F(OffloadTest, WorksInALaterTurn) {
  bool worked = false;
  Running<Outcome> running(scheduler, begin(in(1s), [&] { return (worked = true) ? 1 : 0; }));
  EXPECT_FALSE(worked);
  EXPECT_EQ(scheduler.running(), 1u);
  scheduler.run_until_idle();
  EXPECT_TRUE(worked);
  EXPECT_TRUE(running.done());
  EXPECT_EQ(scheduler.running(), 0u);
}

TEST_F(OffloadTest, ThrowsWhatTheWorkThrew) {
  const auto fail = []() -> int { throw std::runtime_error("broken"); };
  EXPECT_THROW(static_cast<void>(scheduler.run(begin(in(1s), fail))), std::runtime_error);
}

TEST_F(OffloadTest, IsLeftAtTheDeadlineAndItsResultIsDropped) {
  const auto held = std::make_shared<int>(7);
  scheduler.hold_work(true);
  const TimePoint end = scheduler.now() + 2s;
  Outcome outcome = scheduler.run(begin(in(2s), [held] { return *held; }));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error(), WaitResult::timed_out);
  EXPECT_EQ(scheduler.now(), end);
  EXPECT_EQ(scheduler.running(), 1u);
  scheduler.hold_work(false);
  scheduler.run_until_idle();
  EXPECT_EQ(scheduler.running(), 0u);
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(OffloadTest, IsLeftWhenItsScopeIsCancelled) {
  scheduler.hold_work(true);
  Running<Outcome> running(scheduler, begin(Deadline::never(), [] { return 1; }));
  scope.cancel(FailureKind::kicked);
  scheduler.run_until_idle();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(running.take().error(), WaitResult::cancelled);
  scheduler.hold_work(false);
  scheduler.run_until_idle();
}

TEST_F(OffloadTest, WorkThatNobodyWaitsForAnyMoreDoesNotBegin) {
  bool worked = false;
  scheduler.hold_work(true);
  const Outcome outcome = scheduler.run(begin(in(1s), [&] { return (worked = true) ? 1 : 0; }));
  EXPECT_FALSE(outcome.has_value());
  scheduler.hold_work(false);
  scheduler.run_until_idle();
  EXPECT_FALSE(worked);
}

TEST_F(OffloadTest, DoesNotBeginBehindADeadlineOrInACancelledScope) {
  const auto never = [] {
    ADD_FAILURE() << "worked";
    return 0;
  };
  EXPECT_EQ(scheduler.run(begin(in(0s), never)).error(), WaitResult::timed_out);
  scope.cancel(FailureKind::kicked);
  EXPECT_EQ(scheduler.run(begin(in(1s), never)).error(), WaitResult::cancelled);
  EXPECT_EQ(scheduler.running(), 0u);
}

TEST_F(OffloadTest, IdleWaitsForWorkThatWasLeftAndForWhatItBegan) {
  int done = 0;
  scheduler.hold_work(true);
  scheduler.dispatch([] {}, [&] { scheduler.dispatch([] {}, [&] { ++done; }); });
  Running<void> idle(scheduler, scheduler.idle(scheduler));
  scheduler.run_until_idle();
  EXPECT_FALSE(idle.done());
  scheduler.hold_work(false);
  scheduler.run_until_idle();
  EXPECT_TRUE(idle.done());
  EXPECT_EQ(done, 1);
}

TEST_F(OffloadTest, IdleDoesNotWaitForNothing) {
  const Running<void> idle(scheduler, scheduler.idle(scheduler));
  EXPECT_TRUE(idle.done());
}

}  // namespace
}  // namespace postern::coro
