#include "postern/loop/loop.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/run_on_loop.hpp"

namespace postern::loop {
namespace {

using namespace std::chrono_literals;
using test::run_on;
using test::Running;

class Alarm final : public coro::Timer {
 public:
  explicit Alarm(std::function<void()> action) : action_(std::move(action)) {}

 private:
  void on_timer() override { action_(); }
  std::function<void()> action_;
};

coro::Task<void> note_twice(Loop& loop, std::vector<std::string>& notes, std::string name) {
  co_await coro::Yield(loop);
  notes.push_back(name + " " + std::to_string(loop.turn()));
  co_await coro::Yield(loop);
  notes.push_back(name + " " + std::to_string(loop.turn()));
}

class LoopTest : public testing::Test {
 protected:
  Loop loop{system_clock()};
};

TEST_F(LoopTest, RunsOneBatchInAnIterationInTheOrderOfEnqueueing) {
  std::vector<std::string> notes;
  Running<void> a(loop, note_twice(loop, notes, "a"));
  Running<void> b(loop, note_twice(loop, notes, "b"));
  const std::uint64_t first = loop.turn() + 1;
  run_on(loop, note_twice(loop, notes, "c"));
  const std::string one = " " + std::to_string(first);
  const std::string two = " " + std::to_string(first + 1);
  EXPECT_EQ(notes,
            (std::vector<std::string>{"a" + one, "b" + one, "c" + one, "a" + two, "b" + two, "c" + two}));
}

/// Notes that its descriptor can be read, and then looks away.
class NoteReadable final : public ReadinessWatcher {
 public:
  NoteReadable(Readiness& readiness, std::vector<std::string>& notes) : readiness_(readiness), notes_(notes) {
    readiness_.watch(this);
    readiness_.arm(true, false);
  }
  void on_ready(bool, bool) override {
    notes_.emplace_back("readable");
    readiness_.arm(false, false);
  }

 private:
  Readiness& readiness_;
  std::vector<std::string>& notes_;
};

coro::Task<void> write_between_batches(Loop& loop, int descriptor, std::vector<std::string>& notes) {
  co_await coro::Yield(loop);
  notes.emplace_back("first batch");
  notes.emplace_back(write(descriptor, "x", 1) == 1 ? "written" : "not written");
  co_await coro::Yield(loop);
  notes.emplace_back("second batch");
}

TEST_F(LoopTest, PollsBetweenTwoBatches) {
  std::array<int, 2> pair{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
  {
    std::vector<std::string> notes;
    const auto readiness = loop.watch(pair[0]);
    const NoteReadable watcher(*readiness, notes);
    run_on(loop, write_between_batches(loop, pair[1], notes));
    EXPECT_EQ(notes, (std::vector<std::string>{"first batch", "written", "readable", "second batch"}));
  }
  close(pair[0]);
  close(pair[1]);
}

TEST_F(LoopTest, TimersFireInOrderAndNotEarly) {
  std::vector<int> fired;
  std::vector<bool> early;
  std::vector<std::unique_ptr<Alarm>> alarms;
  const TimePoint begin = loop.now();
  for (const int at : {3, 1, 5, 2, 4}) {
    const TimePoint when = begin + at * 1500us;
    alarms.push_back(std::make_unique<Alarm>([&, at, when] {
      fired.push_back(at);
      early.push_back(loop.now() < when);
      if (at == 5) loop.stop();
    }));
    loop.arm(*alarms.back(), when);
  }
  loop.run();
  EXPECT_EQ(fired, (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_EQ(early, std::vector<bool>(5, false));
}

TEST_F(LoopTest, ATimerThatWasDisarmedOrMovedDoesNotFireAtItsOldTime) {
  bool disarmed_fired = false;
  TimePoint moved_fired{};
  Alarm disarmed([&] { disarmed_fired = true; });
  Alarm moved([&] {
    moved_fired = loop.now();
    loop.stop();
  });
  const TimePoint later = loop.now() + 8ms;
  loop.arm(disarmed, loop.now() + 1ms);
  loop.arm(moved, loop.now() + 2ms);
  loop.disarm(disarmed);
  loop.arm(moved, later);
  loop.run();
  EXPECT_FALSE(disarmed_fired);
  EXPECT_GE(moved_fired, later);
}

TEST_F(LoopTest, WaitsForATimerWithoutSpinning) {
  Alarm alarm([&] { loop.stop(); });
  loop.arm(alarm, loop.now() + 20ms + 300us);
  const std::uint64_t before = loop.turn();
  loop.run();
  EXPECT_LE(loop.turn() - before, 5u);
}

TEST_F(LoopTest, ATimerOfThePastFiresInTheNextIteration) {
  Alarm alarm([&] { loop.stop(); });
  loop.arm(alarm, loop.now() - 1h);
  loop.run();
  EXPECT_FALSE(alarm.is_armed());
}

TEST_F(LoopTest, PostRunsOnTheThreadOfTheLoopInTheOrderOfEachPoster) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 500;
  std::array<std::vector<int>, kThreads> got;
  int left = kThreads * kPosts;
  bool elsewhere = false;
  const auto here = std::this_thread::get_id();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop.post([&, t, i] {
          elsewhere = elsewhere || std::this_thread::get_id() != here;
          got[static_cast<std::size_t>(t)].push_back(i);
          if (--left == 0) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(elsewhere);
  for (const auto& numbers : got) {
    ASSERT_EQ(numbers.size(), std::size_t{kPosts});
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  }
}

TEST_F(LoopTest, WhatIsPostedByAPostRunsInALaterIteration) {
  std::vector<std::uint64_t> turns;
  loop.post([&] {
    turns.push_back(loop.turn());
    loop.post([&] {
      turns.push_back(loop.turn());
      loop.stop();
    });
  });
  loop.run();
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_LT(turns[0], turns[1]);
}

TEST_F(LoopTest, StopEndsRunAfterTheIterationAndItMayRunAgain) {
  std::vector<int> runs;
  loop.post([&] {
    loop.stop();
    runs.push_back(1);
  });
  loop.run();
  loop.post([&] {
    loop.stop();
    runs.push_back(2);
  });
  loop.run();
  EXPECT_EQ(runs, (std::vector<int>{1, 2}));
}

TEST_F(LoopTest, CallsTheFunctionForEachSignal) {
  int first = 0;
  int second = 0;
  loop.on_signal(SIGUSR1, [&] { raise(++first == 2 ? SIGUSR2 : SIGUSR1); });
  loop.on_signal(SIGUSR2, [&] {
    ++second;
    loop.stop();
  });
  raise(SIGUSR1);
  loop.run();
  EXPECT_EQ(first, 2);
  EXPECT_EQ(second, 1);
}

TEST_F(LoopTest, OffloadedWorkRunsElsewhereAndIsDoneHere) {
  std::thread::id worked;
  std::thread::id done;
  loop.dispatch([&] { worked = std::this_thread::get_id(); },
                [&] {
                  done = std::this_thread::get_id();
                  loop.stop();
                });
  EXPECT_EQ(loop.running(), 1u);
  loop.run();
  EXPECT_NE(worked, std::thread::id());
  EXPECT_NE(worked, std::this_thread::get_id());
  EXPECT_EQ(done, std::this_thread::get_id());
  EXPECT_EQ(loop.running(), 0u);
}

coro::Task<coro::WaitResult> wait_shortly(Loop& loop, std::function<int()> work) {
  coro::CancelSource scope;
  const coro::Deadline deadline(loop.now() + 1ms);
  const auto outcome = co_await coro::offload(loop, loop, scope, deadline, std::move(work));
  co_return outcome ? coro::WaitResult::ready : coro::WaitResult::timed_out;
}

TEST_F(LoopTest, GoesOnWhileAThreadHangsAndIdleWaitsForIt) {
  std::promise<void> release;
  const auto hang = [&release] {
    release.get_future().wait();
    return 1;
  };
  EXPECT_EQ(run_on(loop, wait_shortly(loop, hang)), coro::WaitResult::timed_out);
  EXPECT_EQ(loop.running(), 1u);
  Running<void> idle(loop, test::then_stop(loop, loop.idle(loop)));
  EXPECT_FALSE(idle.done());
  release.set_value();
  loop.run();
  EXPECT_TRUE(idle.done());
  EXPECT_EQ(loop.running(), 0u);
}

TEST(Loop, DropsWhatWasPostedAndNotRun) {
  const auto held = std::make_shared<int>(1);
  {
    Loop loop(system_clock());
    loop.post([held] { FAIL() << "ran"; });
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Loop, IsDestroyedWithHandlesThatAreClosing) {
  std::array<int, 2> pair{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
  {
    Loop loop(system_clock());
    loop.on_signal(SIGUSR1, [] {});
    for (int i = 0; i < 3; ++i) loop.watch(pair[0])->arm(true, true);
    raise(SIGUSR1);
  }
  close(pair[0]);
  close(pair[1]);
}

TEST(Loop, SeveralRunOnThreadsOfTheirOwn) {
  std::vector<std::thread> threads;
  std::array<int, 3> ran{};
  for (std::size_t i = 0; i < ran.size(); ++i) {
    threads.emplace_back([&ran, i] {
      Loop loop(system_clock());
      loop.post([&] {
        ran[i] = 1;
        loop.stop();
      });
      loop.run();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ran, (std::array<int, 3>{1, 1, 1}));
}

#if GTEST_HAS_DEATH_TEST
void destroy_loop_while_watching() {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()) != 0) return;
  auto loop = std::make_unique<Loop>(system_clock());
  const auto left = loop->watch(pair[0]);
  left->arm(true, false);
  loop.reset();
}

TEST(LoopDeathTest, DiesWhenAThreadStillWorksForIt) {
  EXPECT_DEATH(
      {
        Loop loop(system_clock());
        loop.dispatch([] {}, [] {});
      },
      "running");
}

TEST(LoopDeathTest, DiesWhenSomethingIsStillWatched) {
  EXPECT_DEATH(destroy_loop_while_watching(), "uv_loop_close");
}
#endif

}  // namespace
}  // namespace postern::loop
