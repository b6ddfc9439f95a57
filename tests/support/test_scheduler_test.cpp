#include "support/test_scheduler.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "postern/coro/cancel.hpp"
#include "postern/coro/event.hpp"

namespace postern::test {
namespace {

using namespace std::chrono_literals;

coro::Task<coro::WaitResult> wait_until(TestScheduler& scheduler, TimePoint when) {
  coro::CancelSource scope;
  coro::Event never(scheduler, scope);
  const coro::Deadline deadline(when);
  const coro::WaitResult result = co_await never.wait(deadline);
  co_return result;
}

coro::Task<int> yield_times(TestScheduler& scheduler, int times) {
  for (int i = 0; i < times; ++i) co_await coro::Yield(scheduler);
  co_return times;
}

coro::Task<std::string> fail_later(TestScheduler& scheduler) {
  co_await coro::Yield(scheduler);
  throw std::runtime_error("as it has to");
}

TEST(TestScheduler, RunMovesTimeToWhatIsWaitedFor) {
  TestScheduler scheduler;
  const TimePoint when = scheduler.now() + 3h;
  EXPECT_EQ(scheduler.run(wait_until(scheduler, when)), coro::WaitResult::timed_out);
  EXPECT_EQ(scheduler.now(), when);
}

TEST(TestScheduler, RunsOneBatchInATurn) {
  TestScheduler scheduler;
  const std::uint64_t before = scheduler.turn();
  Running<int> running(scheduler, yield_times(scheduler, 3));
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_FALSE(running.done());
    EXPECT_TRUE(scheduler.run_turn());
  }
  EXPECT_TRUE(running.done());
  EXPECT_EQ(scheduler.turn(), before + 3);
  EXPECT_FALSE(scheduler.run_turn());
}

coro::Task<void> note(TestScheduler& scheduler, std::string& order, char name) {
  co_await coro::Yield(scheduler);
  order += name;
}

TEST(TestScheduler, ResumesABatchInTheOrderThatIsChosen) {
  TestScheduler scheduler;
  scheduler.choose_by([](std::size_t left) { return left - 1; });
  std::string order;
  coro::Gate gate(scheduler, [](const char*) {});
  for (const char name : {'a', 'b', 'c'}) gate.spawn(note(scheduler, order, name));
  scheduler.run_until_idle();
  EXPECT_EQ(order, "cab");
}

TEST(TestScheduler, RunThrowsWhatTheTaskThrew) {
  TestScheduler scheduler;
  EXPECT_THROW(scheduler.run(fail_later(scheduler)), std::runtime_error);
}

TEST(TestScheduler, AdvanceStopsBeforeATimerThatIsNotDue) {
  TestScheduler scheduler;
  Running<coro::WaitResult> running(scheduler, wait_until(scheduler, scheduler.now() + 10s));
  scheduler.advance(10s - 1ns);
  EXPECT_FALSE(running.done());
  scheduler.advance(1ns);
  EXPECT_TRUE(running.done());
}

TEST(TestScheduler, PollsInEveryTurn) {
  TestScheduler scheduler;
  int left = 5;
  scheduler.on_poll([&] { return left > 0 && left-- > 0; });
  scheduler.run_until_idle();
  EXPECT_EQ(left, 0);
  EXPECT_EQ(scheduler.turn(), 6u);
}

TEST(TestScheduler, WallTimeMovesWithTime) {
  TestScheduler scheduler;
  const WallTime before = scheduler.wall_now();
  scheduler.advance(90s);
  EXPECT_EQ(scheduler.wall_now() - before, 90s);
}

}  // namespace
}  // namespace postern::test
