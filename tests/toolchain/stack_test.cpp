// Tasks start in place: awaits that never wait must not pile up on the stack, at any level of optimisation.
// (With symmetric transfer they do at -O0 and -O1 and under the sanitizers: g++ makes no tail call there,
// PR100897.)

#include <gtest/gtest.h>

#include <cstdint>

#include "toolchain/patterns.hpp"

namespace postern::toolchain {
namespace {

constexpr int kAwaits = 1'000'000;
/// More than this between the shallowest and the deepest of all awaits means that they grow the stack: a real
/// frame is some 100 bytes, a million of them 100 MB.
constexpr std::uintptr_t kSpread = 4096;

std::uintptr_t shallowest = 0;
std::uintptr_t deepest = 0;

void note_stack() {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  if (shallowest == 0) shallowest = deepest = here;
  shallowest = std::max(shallowest, here);
  deepest = std::min(deepest, here);
}

Task<int> leaf(int value) {
  note_stack();
  co_return value;
}

Task<int> middle(int value) {
  const int below = co_await leaf(value);
  note_stack();
  co_return below;
}

Task<void> a_million_leaves() {
  std::int64_t sum = 0;
  for (int i = 0; i < kAwaits; ++i) sum += co_await leaf(1);
  require(sum == kAwaits, "every await came back");
}

Task<void> a_million_steps() {
  for (int i = 0; i < kAwaits; ++i) {
    co_await step();
    note_stack();
  }
}

Task<void> a_million_children() {
  std::int64_t sum = 0;
  for (int i = 0; i < kAwaits; ++i) sum += co_await middle(1);
  require(sum == kAwaits, "every await came back");
}

void expect_flat(coro::Task<void> (*pattern)(), const Rhythm& rhythm) {
  shallowest = deepest = 0;
  const Outcome outcome = run(pattern, rhythm);
  EXPECT_TRUE(outcome.completed);
  EXPECT_EQ(outcome.faults, std::vector<std::string>());
  EXPECT_NE(shallowest, 0U);
  EXPECT_LT(shallowest - deepest, kSpread);
}

TEST(Stack, StaysFlatOverChildrenThatNeverWait) {
  expect_flat(a_million_leaves, {Pace::ready});
}
TEST(Stack, StaysFlatOverGrandchildrenThatNeverWait) {
  expect_flat(a_million_children, {Pace::ready});
}
TEST(Stack, StaysFlatOverAwaitersThatAreReady) {
  expect_flat(a_million_steps, {Pace::ready});
}
TEST(Stack, StaysFlatOverAwaitersThatGoStraightOn) {
  expect_flat(a_million_steps, {Pace::straight_on});
}
TEST(Stack, StaysFlatOverSuspensions) {
  expect_flat(a_million_steps, {Pace::suspended});
}

Task<void> waits_now_and_then(int& rounds) {
  for (; rounds < kAwaits; ++rounds) {
    const int value = co_await later(1);
    note_stack();
    require(value == 1, "a child that waits");
  }
}

Task<void> a_million_children_that_wait() {
  int rounds = 0;
  co_await waits_now_and_then(rounds);
  require(rounds == kAwaits, "all rounds");
}
TEST(Stack, StaysFlatOverChildrenThatWait) {
  expect_flat(a_million_children_that_wait, {Pace::suspended});
}
TEST(Stack, StaysFlatOverChildrenThatWaitNowAndThen) {
  expect_flat(a_million_children_that_wait, {Pace::suspended, Pace::ready, Pace::straight_on});
}

}  // namespace
}  // namespace postern::toolchain
