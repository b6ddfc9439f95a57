#include "postern/coro/gate.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "postern/coro/cancel.hpp"
#include "postern/coro/event.hpp"
#include "support/test_scheduler.hpp"

namespace postern::coro {
namespace {

using test::Running;
using test::TestScheduler;

Task<void> wait_for(Event& event) {
  co_await event.wait(Deadline::never());
}

Task<void> fail_after(Event& event) {
  co_await event.wait(Deadline::never());
  throw std::runtime_error("broken pencil");
}

Task<void> fail_with_number() {
  throw 5;
  co_return;
}

Task<void> finish() {
  co_return;
}

Task<void> spawn_another(Gate& gate, Event& own, Event& others) {
  gate.spawn(wait_for(others));
  co_await own.wait(Deadline::never());
}

Task<void> spawn_later(Gate& gate, Event& own, Event& others) {
  co_await own.wait(Deadline::never());
  gate.spawn(wait_for(others));
}

Task<void> wait_closed(Gate& gate) {
  co_await gate.closed();
}

class GateTest : public testing::Test {
 protected:
  TestScheduler scheduler;
  CancelSource scope;
  Event first{scheduler, scope};
  Event second{scheduler, scope};
  std::vector<std::string> exceptions;
  Gate gate{scheduler, [this](const char* what) { exceptions.emplace_back(what); }};
};

TEST_F(GateTest, CountsWhatRuns) {
  gate.spawn(finish());
  EXPECT_EQ(gate.count(), 0u);
  gate.spawn(wait_for(first));
  gate.spawn(wait_for(second));
  EXPECT_EQ(gate.count(), 2u);
  first.set();
  scheduler.run_until_idle();
  EXPECT_EQ(gate.count(), 1u);
  second.set();
  scheduler.run_until_idle();
  EXPECT_EQ(gate.count(), 0u);
}

TEST_F(GateTest, ClosedWaitsForTheLast) {
  gate.spawn(wait_for(first));
  gate.spawn(wait_for(second));
  Running<void> closed(scheduler, wait_closed(gate));
  first.set();
  scheduler.run_until_idle();
  EXPECT_FALSE(closed.done());
  second.set();
  scheduler.run_until_idle();
  EXPECT_TRUE(closed.done());
}

TEST_F(GateTest, ClosedWaitsForWhatATaskSpawnsMeanwhile) {
  gate.spawn(spawn_later(gate, first, second));
  Running<void> closed(scheduler, wait_closed(gate));
  first.set();
  scheduler.run_until_idle();
  EXPECT_EQ(gate.count(), 1u);
  EXPECT_FALSE(closed.done());
  second.set();
  scheduler.run_until_idle();
  EXPECT_TRUE(closed.done());
}

TEST_F(GateTest, ClosedDoesNotWaitForNothing) {
  const Running<void> closed(scheduler, wait_closed(gate));
  EXPECT_TRUE(closed.done());
}

TEST_F(GateTest, AnExceptionEndsItsTaskAlone) {
  gate.spawn(fail_after(first));
  gate.spawn(wait_for(second));
  first.set();
  scheduler.run_until_idle();
  EXPECT_EQ(exceptions, std::vector<std::string>{"broken pencil"});
  EXPECT_EQ(gate.count(), 1u);
  second.set();
  scheduler.run_until_idle();
  EXPECT_EQ(gate.count(), 0u);
}

TEST_F(GateTest, TakesExceptionsOfAnyType) {
  gate.spawn(fail_with_number());
  EXPECT_EQ(exceptions, std::vector<std::string>{"unknown exception"});
  EXPECT_EQ(gate.count(), 0u);
}

TEST_F(GateTest, ATaskMaySpawnAnother) {
  gate.spawn(spawn_another(gate, first, second));
  EXPECT_EQ(gate.count(), 2u);
  first.set();
  scheduler.run_until_idle();
  EXPECT_EQ(gate.count(), 1u);
  second.set();
  scheduler.run_until_idle();
  EXPECT_EQ(gate.count(), 0u);
}

TEST_F(GateTest, CancellingTheScopeEmptiesIt) {
  gate.spawn(wait_for(first));
  gate.spawn(wait_for(second));
  scope.cancel(FailureKind::draining);
  scheduler.run(wait_closed(gate));
  EXPECT_EQ(gate.count(), 0u);
}

#if GTEST_HAS_DEATH_TEST
TEST_F(GateTest, DiesWhenDestroyedWhileSomethingRuns) {
  EXPECT_DEATH(
      {
        Gate full(scheduler, [](const char*) {});
        full.spawn(wait_for(first));
      },
      "count_");
}
#endif

}  // namespace
}  // namespace postern::coro
