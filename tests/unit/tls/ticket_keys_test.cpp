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

}  // namespace
}  // namespace postern::tls
