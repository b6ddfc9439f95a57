#include "support/test_scheduler.hpp"

#include <algorithm>

namespace postern::test {
namespace {

/// More turns than any test needs: what does not come to rest by then spins.
constexpr int kMostTurns = 1'000'000;
/// 2024-01-01, some Monday at midnight.
constexpr std::chrono::seconds kWallStart{1'704'067'200};

}  // namespace

TestScheduler::~TestScheduler() {
  POSTERN_ASSERT(ready_.empty() && timers_.empty());
}

WallTime TestScheduler::wall_now() const noexcept {
  return WallTime(kWallStart + std::chrono::duration_cast<WallTime::duration>(now_.time_since_epoch()));
}

void TestScheduler::start(std::function<void()> work, std::function<void()> done) {
  work_.emplace_back(std::move(work), std::move(done));
}

bool TestScheduler::run_work() {
  if (work_held_ || work_.empty()) return false;
  for (const Work& item : std::exchange(work_, {})) {
    item.work();
    item.done();
  }
  return true;
}

bool TestScheduler::run_turn() {
  bool busy = !timers_.empty() && timers_.earliest() <= now_;
  timers_.fire(now_);
  ++turn_;
  for (std::size_t i = 0; i < polls_.size(); ++i) {
    if (polls_[i]()) busy = true;
  }
  if (run_work()) busy = true;
  if (!ready_.empty()) busy = true;
  run_batch();
  return busy;
}

void TestScheduler::run_batch() {
  std::vector<std::coroutine_handle<>> batch = std::exchange(ready_, {});
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (choose_) std::swap(batch[i], batch[i + choose_(batch.size() - i)]);
    batch[i].resume();
  }
}

void TestScheduler::run_until_idle() {
  for (int turns = 0; run_turn(); ++turns) POSTERN_ASSERT(turns < kMostTurns);
}

void TestScheduler::advance(Duration duration) {
  const TimePoint end = now_ + duration;
  run_until_idle();
  while (!timers_.empty() && timers_.earliest() <= end) {
    now_ = std::max(now_, timers_.earliest());
    run_until_idle();
  }
  now_ = end;
}

bool TestScheduler::advance_to_next_timer() {
  if (timers_.empty()) return false;
  now_ = std::max(now_, timers_.earliest());
  return true;
}

}  // namespace postern::test
