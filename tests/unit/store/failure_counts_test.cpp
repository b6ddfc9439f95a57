#include "store/failure_counts.hpp"

#include <gtest/gtest.h>

#include "support/test_scheduler.hpp"
#include "unit/store/examples.hpp"

namespace postern::store {
namespace {

using namespace std::chrono_literals;

class FailureCountsTest : public testing::Test {
 protected:
  test::TestScheduler clock;
  FailureCounts counts{clock};
};

TEST_F(FailureCountsTest, CountsEachMessageOfEachMailbox) {
  counts.add(key_of("a"), 7, 1);
  counts.add(key_of("a"), 7, 1);
  EXPECT_EQ(counts.of(key_of("a"), 7, 1), 2u);
  EXPECT_EQ(counts.of(key_of("a"), 7, 2), 0u);
  EXPECT_EQ(counts.of(key_of("a"), 8, 1), 0u);
  EXPECT_EQ(counts.of(key_of("b"), 7, 1), 0u);
  EXPECT_EQ(counts.of(MailboxKey("main", "a", "Sent"), 7, 1), 0u);
}

TEST_F(FailureCountsTest, ForgetsADayAfterTheLastFailure) {
  counts.add(key_of("a"), 7, 1);
  clock.advance(20h);
  counts.add(key_of("a"), 7, 1);
  clock.advance(24h - 1ns);
  EXPECT_EQ(counts.of(key_of("a"), 7, 1), 2u);
  clock.advance(1ns);
  EXPECT_EQ(counts.of(key_of("a"), 7, 1), 0u);
  EXPECT_EQ(counts.size(), 0u);
}

TEST_F(FailureCountsTest, ForgetsTheOldestBeyondItsLimit) {
  for (std::uint32_t uid = 1; uid <= FailureCounts::kMost; ++uid) counts.add(key_of("a"), 7, uid);
  counts.add(key_of("a"), 7, 1);  // no longer the oldest
  counts.add(key_of("a"), 7, 1'000'000);
  EXPECT_EQ(counts.size(), FailureCounts::kMost);
  EXPECT_EQ(counts.of(key_of("a"), 7, 1), 2u);
  EXPECT_EQ(counts.of(key_of("a"), 7, 2), 0u);
  EXPECT_EQ(counts.of(key_of("a"), 7, 3), 1u);
  EXPECT_EQ(counts.of(key_of("a"), 7, 1'000'000), 1u);
}

}  // namespace
}  // namespace postern::store
