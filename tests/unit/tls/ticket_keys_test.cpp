#include <gtest/gtest.h>

#include "postern/tls/tls.hpp"
#include "unit/tls/manual_clock.hpp"

namespace postern::tls {
namespace {

class TicketKeysTest : public ::testing::Test {
 protected:
  ManualClock clock_;
  TicketKeys keys_{clock_, system_random()};
};

TEST_F(TicketKeysTest, KeepsItsKeyUntilRotationIsDue) {
  const auto first = keys_.current();
  clock_.advance(TicketKeys::kRotation - std::chrono::seconds(1));
  EXPECT_EQ(keys_.current().name, first.name);
  EXPECT_EQ(keys_.current().aes, first.aes);
  clock_.advance(std::chrono::seconds(1));
  const auto second = keys_.current();
  EXPECT_NE(second.name, first.name);
  EXPECT_NE(second.aes, first.aes);
  EXPECT_NE(second.hmac, first.hmac);
}

TEST_F(TicketKeysTest, FindsTheCurrentKey) {
  const auto key = keys_.current();
  const auto found = keys_.find(key.name.data());
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_current);
  EXPECT_EQ(found->key.hmac, key.hmac);
}

TEST_F(TicketKeysTest, FindsThePreviousKeyForOneMorePeriod) {
  const auto key = keys_.current();
  clock_.advance(TicketKeys::kRotation);
  const auto found = keys_.find(key.name.data());
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->is_current);
  clock_.advance(TicketKeys::kRotation);
  EXPECT_FALSE(keys_.find(key.name.data()));
}

TEST_F(TicketKeysTest, ForgetsEverythingAfterTwoIdlePeriods) {
  const auto key = keys_.current();
  clock_.advance(2 * TicketKeys::kRotation);
  EXPECT_FALSE(keys_.find(key.name.data()));
}

TEST_F(TicketKeysTest, DoesNotKnowOtherNames) {
  const std::array<unsigned char, TicketKeys::kNameLength> unknown{};
  EXPECT_FALSE(keys_.find(unknown.data()));
}

/// What a process that takes over does: the other's tickets are its own.
class RestoredTicketKeysTest : public TicketKeysTest {
 protected:
  void restore() { ASSERT_TRUE(restored_.restore(keys_.save().view())); }

  TicketKeys restored_{clock_, system_random()};
};

TEST_F(RestoredTicketKeysTest, KnowTheCurrentKeyAndThePreviousOne) {
  const auto previous = keys_.current();
  clock_.advance(TicketKeys::kRotation);
  const auto current = keys_.current();
  restore();
  EXPECT_EQ(restored_.current().name, current.name);
  const auto found = restored_.find(previous.name.data());
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->is_current);
  EXPECT_EQ(found->key.aes, previous.aes);
  EXPECT_EQ(found->key.hmac, previous.hmac);
}

TEST_F(RestoredTicketKeysTest, RotateWhenTheFirstOnesWouldHave) {
  clock_.advance(TicketKeys::kRotation / 2);
  restore();
  const auto key = restored_.current();
  clock_.advance(TicketKeys::kRotation / 2);
  EXPECT_NE(restored_.current().name, key.name);
  EXPECT_TRUE(restored_.find(key.name.data()));
}

TEST_F(RestoredTicketKeysTest, ForgetTheirOwn) {
  const auto own = restored_.current();
  restore();
  EXPECT_FALSE(restored_.find(own.name.data()));
}

TEST_F(RestoredTicketKeysTest, AreNotMadeOfAnythingElse) {
  const auto own = restored_.current();
  const Secret saved = keys_.save();
  const std::string_view whole = saved.view();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(restored_.restore(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(restored_.restore(std::string(whole) + "x"));
  EXPECT_EQ(restored_.current().name, own.name);
}

}  // namespace
}  // namespace postern::tls
