#include "store/backoff.hpp"

#include <gtest/gtest.h>

#include "support/test_scheduler.hpp"

namespace postern::store {
namespace {

using namespace std::chrono_literals;

class BackoffTest : public testing::Test {
 protected:
  void fail(unsigned times) {
    for (unsigned i = 0; i < times; ++i) backoff.fail();
  }
  test::TestScheduler clock;
  Backoff backoff{clock};
};

TEST_F(BackoffTest, RestsAfterTroublesInARow) {
  fail(Backoff::kTroubles - 1);
  EXPECT_FALSE(backoff.is_resting());
  fail(1);
  EXPECT_TRUE(backoff.is_resting());
  clock.advance(Backoff::kRest - 1ns);
  EXPECT_TRUE(backoff.is_resting());
  clock.advance(1ns);
  EXPECT_FALSE(backoff.is_resting());
}

TEST_F(BackoffTest, OneMoreTroubleAfterTheRestIsEnough) {
  fail(Backoff::kTroubles);
  clock.advance(Backoff::kRest);
  fail(1);
  EXPECT_TRUE(backoff.is_resting());
}

TEST_F(BackoffTest, ASuccessForgetsTheTroubles) {
  fail(Backoff::kTroubles - 1);
  backoff.succeed();
  fail(Backoff::kTroubles - 1);
  EXPECT_FALSE(backoff.is_resting());
}

}  // namespace
}  // namespace postern::store
