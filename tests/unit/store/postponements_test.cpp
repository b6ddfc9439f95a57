#include "store/postponements.hpp"

#include <gtest/gtest.h>

#include "support/test_scheduler.hpp"

namespace postern::store {
namespace {

using namespace std::chrono_literals;

class PostponementsTest : public testing::Test {
 protected:
  test::TestScheduler clock;
  Postponements postponements{clock};
};

TEST_F(PostponementsTest, LastAsLongAsTheServerSaid) {
  postponements.postpone("main", "alice", 90s);
  EXPECT_TRUE(postponements.is_postponed("main", "alice"));
  clock.advance(89s);
  EXPECT_TRUE(postponements.is_postponed("main", "alice"));
  clock.advance(1s);
  EXPECT_FALSE(postponements.is_postponed("main", "alice"));
  EXPECT_EQ(postponements.size(), 0U);
}

TEST_F(PostponementsTest, AreOfOneAccountAtOneBackend) {
  postponements.postpone("main", "alice", 90s);
  EXPECT_FALSE(postponements.is_postponed("main", "bob"));
  EXPECT_FALSE(postponements.is_postponed("other", "alice"));
}

TEST_F(PostponementsTest, WithoutATimeTheyLastTheUsualOne) {
  postponements.postpone("main", "alice", 0s);
  clock.advance(Postponements::kUsual - 1s);
  EXPECT_TRUE(postponements.is_postponed("main", "alice"));
  clock.advance(1s);
  EXPECT_FALSE(postponements.is_postponed("main", "alice"));
}

TEST_F(PostponementsTest, NoServerLocksAUserOutForLong) {
  postponements.postpone("main", "alice", 24h);
  clock.advance(Postponements::kLongest);
  EXPECT_FALSE(postponements.is_postponed("main", "alice"));
}

TEST_F(PostponementsTest, LongerOneCounts) {
  postponements.postpone("main", "alice", 90s);
  postponements.postpone("main", "alice", 30s);
  clock.advance(60s);
  EXPECT_TRUE(postponements.is_postponed("main", "alice"));
  postponements.postpone("main", "alice", 60s);
  clock.advance(31s);
  EXPECT_TRUE(postponements.is_postponed("main", "alice"));
}

TEST_F(PostponementsTest, ThereAreNeverTooMany) {
  for (std::size_t i = 0; i <= Postponements::kMost; ++i) {
    postponements.postpone("main", std::to_string(i), 60s + std::chrono::milliseconds(i));
  }
  EXPECT_EQ(postponements.size(), Postponements::kMost);
  EXPECT_FALSE(postponements.is_postponed("main", "0"));
  EXPECT_TRUE(postponements.is_postponed("main", "1"));
}

}  // namespace
}  // namespace postern::store
