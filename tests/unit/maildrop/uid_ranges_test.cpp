#include "maildrop/translate/uid_ranges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace postern::maildrop {
namespace {

using imap::NumberRange;
using testing::ElementsAre;

UidRanges of(const std::vector<NumberRange>& ranges, std::size_t most = UidRanges::kMost) {
  UidRanges made(most);
  made.add(ranges);
  made.seal();
  return made;
}

TEST(UidRanges, JoinsWhatTouchesOrOverlapsInAnyOrder) {
  const auto joined = of({{9, 9}, {1, 3}, {4, 4}, {2, 6}, {20, 30}, {25, 26}, {10, 10}});
  EXPECT_THAT(joined.ranges(), ElementsAre(NumberRange{1, 6}, NumberRange{9, 10}, NumberRange{20, 30}));
  EXPECT_EQ(joined.count(), 19U);
}

TEST(UidRanges, KnowsTheLargestUid) {
  const auto all = of({{UINT32_MAX, UINT32_MAX}, {UINT32_MAX - 1, UINT32_MAX}, {1, 1}});
  EXPECT_TRUE(all.contains(UINT32_MAX));
  EXPECT_TRUE(all.contains(UINT32_MAX - 1));
  EXPECT_FALSE(all.contains(UINT32_MAX - 2));
  EXPECT_EQ(of({{1, UINT32_MAX}}).count(), UINT32_MAX);
}

TEST(UidRanges, CountsFromAUidOn) {
  const auto some = of({{1, 3}, {5, 9}});
  EXPECT_EQ(some.count(3), 6U);
  EXPECT_EQ(some.count(4), 5U);
  EXPECT_EQ(some.count(7), 3U);
  EXPECT_EQ(some.count(10), 0U);
}

TEST(UidRanges, EmptyHasNothing) {
  const auto nothing = of({});
  EXPECT_TRUE(nothing.empty());
  EXPECT_FALSE(nothing.contains(1));
  EXPECT_EQ(nothing.count(), 0U);
}

TEST(UidRanges, KeepsNoMoreRangesThanAllowed) {
  EXPECT_FALSE(of({{1, 1}, {3, 3}}, 2).has_overflown());
  EXPECT_FALSE(of({{1, 1}, {2, 2}, {3, 3}}, 1).has_overflown());  // one after the other is one range
  const auto too_many = of({{1, 1}, {3, 3}, {5, 5}}, 2);
  EXPECT_TRUE(too_many.has_overflown());
  EXPECT_EQ(too_many.ranges().size(), 2U);
}

TEST(UidRanges, IsASet) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    UidRanges ranges;
    std::set<std::uint32_t> expected;
    for (int i = 0; i < 12; ++i) {
      const auto first = static_cast<std::uint32_t>(1 + random() % 60);
      const auto last = first + static_cast<std::uint32_t>(random() % 5);
      const NumberRange one{first, last};
      ranges.add(std::span(&one, 1));
      for (std::uint32_t uid = first; uid <= last; ++uid) expected.insert(uid);
    }
    ranges.seal();
    EXPECT_EQ(ranges.count(), expected.size());
    for (std::uint32_t uid = 0; uid <= 70; ++uid)
      EXPECT_EQ(ranges.contains(uid), expected.contains(uid)) << uid;
  }
}

}  // namespace
}  // namespace postern::maildrop
