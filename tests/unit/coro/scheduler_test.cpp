#include "postern/coro/scheduler.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "support/test_scheduler.hpp"

namespace postern::coro {
namespace {

using namespace std::chrono_literals;
using test::TestScheduler;

class Alarm final : public Timer {
 public:
  explicit Alarm(std::function<void()> action) : action_(std::move(action)) {}

 private:
  void on_timer() override { action_(); }
  std::function<void()> action_;
};

TEST(TimerHeap, FiresEarliestFirst) {
  TestScheduler scheduler;
  std::vector<int> fired;
  Alarm late([&] { fired.push_back(3); });
  Alarm early([&] { fired.push_back(1); });
  Alarm middle([&] { fired.push_back(2); });
  scheduler.arm(late, scheduler.now() + 3s);
  scheduler.arm(early, scheduler.now() + 1s);
  scheduler.arm(middle, scheduler.now() + 2s);
  scheduler.advance(3s);
  EXPECT_EQ(fired, (std::vector<int>{1, 2, 3}));
}

TEST(TimerHeap, FiresOnceAndIsDisarmedBefore) {
  TestScheduler scheduler;
  int fired = 0;
  bool armed_inside = true;
  Alarm alarm([&] {
    ++fired;
    armed_inside = alarm.is_armed();
  });
  scheduler.arm(alarm, scheduler.now() + 1s);
  EXPECT_TRUE(alarm.is_armed());
  scheduler.advance(10s);
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(armed_inside);
  EXPECT_FALSE(alarm.is_armed());
}

TEST(TimerHeap, MovesAnArmedTimerBothWays) {
  TestScheduler scheduler;
  std::vector<char> fired;
  Alarm a([&] { fired.push_back('a'); });
  Alarm b([&] { fired.push_back('b'); });
  scheduler.arm(a, scheduler.now() + 1s);
  scheduler.arm(b, scheduler.now() + 2s);
  scheduler.arm(a, scheduler.now() + 3s);
  scheduler.arm(b, scheduler.now() + 1s);
  scheduler.advance(1s);
  EXPECT_EQ(fired, std::vector<char>{'b'});
  scheduler.advance(2s);
  EXPECT_EQ(fired, (std::vector<char>{'b', 'a'}));
}

/// Two timers that come due in one call, whichever is told first.
class Pair {
 public:
  explicit Pair(std::function<void(Alarm& other)> action)
      : action_(std::move(action)), a_([this] { told(b_); }), b_([this] { told(a_); }) {}

  void fire() {
    const TimePoint now{100s};
    heap_.arm(scheduler_, a_, now);
    heap_.arm(scheduler_, b_, now);
    heap_.fire(now);
  }
  TimerHeap& heap() { return heap_; }
  TestScheduler& scheduler() { return scheduler_; }
  int told_count() const { return told_; }

 private:
  void told(Alarm& other) {
    if (++told_ == 1) action_(other);
  }
  TestScheduler scheduler_;
  TimerHeap heap_;
  int told_ = 0;
  std::function<void(Alarm&)> action_;
  Alarm a_;
  Alarm b_;
};

TEST(TimerHeap, DisarmedInTheSameCallIsNotTold) {
  TimerHeap* heap = nullptr;
  Pair pair([&](Alarm& other) { heap->disarm(other); });
  heap = &pair.heap();
  pair.fire();
  EXPECT_EQ(pair.told_count(), 1);
  EXPECT_TRUE(heap->empty());
}

TEST(TimerHeap, MovedInTheSameCallIsToldLater) {
  Pair* self = nullptr;
  Pair pair([&](Alarm& other) { self->heap().arm(self->scheduler(), other, TimePoint(200s)); });
  self = &pair;
  pair.fire();
  EXPECT_EQ(pair.told_count(), 1);
  EXPECT_EQ(pair.heap().earliest(), TimePoint(200s));
  pair.heap().fire(TimePoint(200s));
  EXPECT_EQ(pair.told_count(), 2);
}

TEST(TimerHeap, DestroyedInTheSameCallIsNotTold) {
  TestScheduler scheduler;
  int told = 0;
  std::unique_ptr<Alarm> a;
  std::unique_ptr<Alarm> b;
  // Each destroys the other; the first wins. The scheduler is asked to forget it by its destructor.
  a = std::make_unique<Alarm>([&] { ++told, b.reset(); });
  b = std::make_unique<Alarm>([&] { ++told, a.reset(); });
  scheduler.arm(*a, scheduler.now() + 1s);
  scheduler.arm(*b, scheduler.now() + 1s);
  scheduler.advance(1s);
  EXPECT_EQ(told, 1);
}

TEST(TimerHeap, ArmedForThePastWhileFiringWaitsForTheNextCall) {
  TestScheduler scheduler;
  std::vector<std::uint64_t> turns;
  Alarm alarm([&] {
    turns.push_back(scheduler.turn());
    if (turns.size() < 3) scheduler.arm(alarm, scheduler.now() - 1s);
  });
  scheduler.arm(alarm, scheduler.now());
  scheduler.run_until_idle();
  ASSERT_EQ(turns.size(), 3u);
  EXPECT_LT(turns[0], turns[1]);
  EXPECT_LT(turns[1], turns[2]);
}

TEST(TimerHeap, DestroyedWhileArmedIsForgotten) {
  TestScheduler scheduler;
  bool fired = false;
  {
    Alarm alarm([&] { fired = true; });
    scheduler.arm(alarm, scheduler.now() + 1s);
  }
  scheduler.advance(2s);
  EXPECT_FALSE(fired);
}

/// The heap against a multimap that does the same.
class HeapModel {
 public:
  explicit HeapModel(unsigned seed) : chance_(seed) {
    for (int i = 0; i < kTimers; ++i)
      timers_.push_back(std::make_unique<Alarm>([this, i] { fired_.push_back(i); }));
  }
  ~HeapModel() {
    for (auto& timer : timers_) heap_.disarm(*timer);
  }

  void step() {
    const int i = std::uniform_int_distribution<int>(0, kTimers - 1)(chance_);
    const int action = std::uniform_int_distribution<int>(0, 9)(chance_);
    if (action < 6) {
      const TimePoint when(std::chrono::milliseconds(std::uniform_int_distribution<int>(0, 300)(chance_)) +
                           now_);
      heap_.arm(scheduler_, *timers_[static_cast<std::size_t>(i)], when);
      forget(i);
      model_.emplace(when, i);
    } else if (action < 8) {
      heap_.disarm(*timers_[static_cast<std::size_t>(i)]);
      forget(i);
    } else {
      now_ += std::chrono::milliseconds(std::uniform_int_distribution<int>(0, 60)(chance_));
      fire();
    }
    EXPECT_EQ(heap_.empty(), model_.empty());
    if (model_.empty()) return;
    EXPECT_EQ(heap_.earliest(), model_.begin()->first);
  }

 private:
  static constexpr int kTimers = 40;

  void forget(int i) {
    std::erase_if(model_, [i](const auto& entry) { return entry.second == i; });
  }

  void fire() {
    std::multimap<TimePoint, int> due;
    while (!model_.empty() && model_.begin()->first <= TimePoint(now_))
      due.insert(model_.extract(model_.begin()));
    fired_.clear();
    std::map<int, TimePoint> when;
    for (const auto& [at, i] : due) when.emplace(i, at);
    heap_.fire(TimePoint(now_));
    ASSERT_EQ(fired_.size(), due.size());
    for (std::size_t k = 1; k < fired_.size(); ++k) EXPECT_LE(when.at(fired_[k - 1]), when.at(fired_[k]));
  }

  std::mt19937 chance_;
  TestScheduler scheduler_;
  Duration now_{};
  TimerHeap heap_;
  std::vector<std::unique_ptr<Alarm>> timers_;
  std::vector<int> fired_;
  std::multimap<TimePoint, int> model_;
};

TEST(TimerHeap, DoesWhatAMultimapWouldDo) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    HeapModel model(seed);
    for (int i = 0; i < 4000 && !testing::Test::HasFailure(); ++i) model.step();
  }
}

}  // namespace
}  // namespace postern::coro
