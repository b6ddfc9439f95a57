#include <gtest/gtest.h>

#include <array>
#include <set>

#include "postern/base/assert.hpp"
#include "postern/base/clock.hpp"
#include "postern/base/random.hpp"

namespace postern {
namespace {

TEST(SystemClock, DoesNotGoBackwards) {
  const TimePoint first = system_clock().now();
  EXPECT_GE(system_clock().now(), first);
}

TEST(SystemClock, TellsTimeOfDay) {
  const auto difference = std::chrono::system_clock::now() - system_clock().wall_now();
  EXPECT_LT(std::chrono::abs(difference), std::chrono::minutes(1));
}

TEST(SystemRandom, FillsEveryOctet) {
  // An octet is 0 in one of 256 tries: after 64 tries an octet that never changes was not filled.
  std::array<std::byte, 300> octets{};
  std::array<std::set<std::byte>, 300> seen;
  for (int i = 0; i < 64; ++i) {
    system_random().fill(octets);
    for (std::size_t at = 0; at < octets.size(); ++at) seen[at].insert(octets[at]);
  }
  for (const auto& values : seen) EXPECT_GT(values.size(), 1u);
}

TEST(SystemRandom, FillsNothingWhenAskedForNothing) {
  system_random().fill({});
}

TEST(Random, NextIsEightOctets) {
  class Counting final : public Random {
   public:
    void fill(std::span<std::byte> out) noexcept override {
      for (std::byte& octet : out) octet = static_cast<std::byte>(++count);
    }
    int count = 0;
  } random;
  EXPECT_NE(random.next(), 0u);
  EXPECT_EQ(random.count, 8);
}

TEST(AssertDeathTest, TellsExpressionAndPlace) {
  const int answer = 41;
  POSTERN_ASSERT(answer == 41);
  EXPECT_DEATH(POSTERN_ASSERT(answer == 42), "system_test.cpp:[0-9]+: this must not happen: answer == 42");
}

}  // namespace
}  // namespace postern
