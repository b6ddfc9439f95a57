#include "postern/coro/task.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "postern/coro/scheduler.hpp"
#include "support/test_scheduler.hpp"

namespace postern::coro {
namespace {

using test::Running;
using test::TestScheduler;

Task<int> value_of(int value) {
  co_return value;
}

Task<int> value_after_yield(Scheduler& scheduler, int value) {
  co_await Yield(scheduler);
  co_return value;
}

Task<int> sum(Scheduler& scheduler, int last) {
  int total = 0;
  for (int i = 1; i <= last; ++i) {
    if (i % 2 == 0) {
      total += co_await value_after_yield(scheduler, i);
    } else {
      total += co_await value_of(i);
    }
  }
  co_return total;
}

Task<std::unique_ptr<std::string>> make_text(std::unique_ptr<std::string> text) {
  *text += "!";
  co_return text;
}

Task<std::string> pass_text_through(Scheduler& scheduler) {
  auto text = std::make_unique<std::string>("hello");
  auto made = co_await make_text(std::move(text));
  co_await Yield(scheduler);
  co_return *made;
}

Task<void> note(std::vector<std::string>& notes, const char* text) {
  notes.emplace_back(text);
  co_return;
}

Task<void> fail(Scheduler& scheduler, bool yields) {
  if (yields) co_await Yield(scheduler);
  throw std::runtime_error("out of ink");
}

Task<std::string> catch_from_child(Scheduler& scheduler, bool yields) {
  std::string caught;
  try {
    co_await fail(scheduler, yields);
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
  co_return caught;
}

Task<long> count_awaits(long times) {
  long total = 0;
  for (long i = 0; i < times; ++i) total += co_await value_of(1);
  co_return total;
}

Task<long> count_down(Scheduler& scheduler, int depth) {
  if (depth == 0) {
    co_await Yield(scheduler);
    co_return 0;
  }
  const long below = co_await count_down(scheduler, depth - 1);
  co_return below + 1;
}

/// Counts how many of it are alive.
class Counted {
 public:
  explicit Counted(int& alive) noexcept : alive_(&alive) { ++*alive_; }
  Counted(const Counted& other) noexcept : alive_(other.alive_) { ++*alive_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*alive_; }

 private:
  int* alive_;
};

Task<Counted> hand_on(Scheduler& scheduler, Counted counted) {
  co_await Yield(scheduler);
  co_return counted;
}

Task<int> look_at(Scheduler& scheduler, int& alive) {
  Counted first(alive);
  const Counted second = co_await hand_on(scheduler, std::move(first));
  co_return alive;
}

TEST(Task, GivesValuesWithAndWithoutWaiting) {
  TestScheduler scheduler;
  EXPECT_EQ(scheduler.run(sum(scheduler, 100)), 5050);
}

TEST(Task, GivesMoveOnlyValues) {
  TestScheduler scheduler;
  EXPECT_EQ(scheduler.run(pass_text_through(scheduler)), "hello!");
}

TEST(Task, BeginsWhenItIsAwaitedAndNotBefore) {
  TestScheduler scheduler;
  std::vector<std::string> notes;
  Task<void> task = note(notes, "begun");
  EXPECT_TRUE(notes.empty());
  scheduler.run(std::move(task));
  EXPECT_EQ(notes, std::vector<std::string>{"begun"});
}

TEST(Task, MayBeDroppedBeforeItBegins) {
  int alive = 0;
  TestScheduler scheduler;
  {
    const Counted counted(alive);
    const Task<Counted> task = hand_on(scheduler, counted);
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Task, DestroysArgumentsLocalsAndResultsOnce) {
  TestScheduler scheduler;
  int alive = 0;
  EXPECT_GE(scheduler.run(look_at(scheduler, alive)), 2);
  EXPECT_EQ(alive, 0);
}

TEST(Task, PassesAnExceptionToTheParent) {
  TestScheduler scheduler;
  EXPECT_EQ(scheduler.run(catch_from_child(scheduler, false)), "out of ink");
  EXPECT_EQ(scheduler.run(catch_from_child(scheduler, true)), "out of ink");
}

TEST(Task, AMillionAwaitsThatDoNotWaitTakeNeitherStackNorTurns) {
  TestScheduler scheduler;
  Running<long> running(scheduler, count_awaits(1'000'000));
  ASSERT_TRUE(running.done());
  EXPECT_EQ(running.take(), 1'000'000);
  EXPECT_EQ(scheduler.turn(), 0u);
}

TEST(Task, ResumesAChainOfParentsFromItsLastChild) {
  TestScheduler scheduler;
  EXPECT_EQ(scheduler.run(count_down(scheduler, 500)), 500);
}

#if GTEST_HAS_DEATH_TEST
TEST(TaskDeathTest, RefusesToDestroyACoroutineThatWaits) {
  TestScheduler scheduler;
  EXPECT_DEATH(
      {
        Task<int> task = value_after_yield(scheduler, 1);
        auto awaiter = std::move(task).operator co_await();
        awaiter.await_suspend(std::noop_coroutine());
      },
      "done");
}

TEST(TaskDeathTest, RefusesToBeAwaitedTwice) {
  EXPECT_DEATH(
      {
        Task<int> task = value_of(1);
        std::move(task).operator co_await().await_suspend(std::noop_coroutine());
        std::move(task).operator co_await().await_suspend(std::noop_coroutine());
      },
      "has_begun");
}
#endif

}  // namespace
}  // namespace postern::coro
