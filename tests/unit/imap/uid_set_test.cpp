#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "postern/imap/uid_set.hpp"

namespace postern::imap {
namespace {

using Uids = std::vector<std::uint32_t>;

std::vector<std::string> sets(const Uids& snapshot, const std::vector<bool>& chosen,
                              std::size_t octets = kMaxSetOctets, std::size_t messages = kMaxSetMessages) {
  UidSets writer(snapshot, chosen, octets, messages);
  std::vector<std::string> all;
  std::string set;
  while (writer.next(set)) all.push_back(set);
  return all;
}

std::vector<std::string> one(std::string set) {
  return {std::move(set)};
}

TEST(UidSets, JoinsWhatStandsSideBySideInTheSnapshot) {
  EXPECT_EQ(sets({1, 2, 3, 4}, {true, true, false, true}), one("1:2,4"));
  EXPECT_EQ(sets({1, 5, 900, 901}, {true, true, true, true}), one("1:901"));
  EXPECT_EQ(sets({4294967294, 4294967295}, {true, true}), one("4294967294:4294967295"));
  EXPECT_EQ(sets({7, 8}, {false, true}), one("8"));
}

TEST(UidSets, HasNoSetForNothing) {
  EXPECT_TRUE(sets({}, {}).empty());
  EXPECT_TRUE(sets({1, 2}, {false, false}).empty());
}

TEST(UidSets, CutsAtTheMostMessages) {
  EXPECT_EQ(sets({1, 2, 3, 4, 5}, {true, true, true, true, true}, kMaxSetOctets, 2),
            (std::vector<std::string>{"1:2", "3:4", "5"}));
  EXPECT_EQ(sets({1, 2, 3, 4, 5}, {true, false, true, true, true}, kMaxSetOctets, 3),
            (std::vector<std::string>{"1,3:4", "5"}));
}

TEST(UidSets, CutsAtTheLongestLine) {
  EXPECT_EQ(sets({100000001, 100000003, 100000005}, {true, true, true}, 21), one("100000001:100000005"));
  Uids snapshot;
  std::vector<bool> chosen;
  for (std::uint32_t i = 0; i < 5; ++i) {
    snapshot.push_back(100000000 + i);
    chosen.push_back(i % 2 == 0);
  }
  EXPECT_EQ(sets(snapshot, chosen, 21), (std::vector<std::string>{"100000000,100000002", "100000004"}));
}

/// The UIDs that a server with this mailbox would take a set for; its grammar is checked on the way.
Uids expand(const std::string& set, const Uids& mailbox) {
  Uids named;
  std::uint64_t last = 0;
  for (std::size_t at = 0; at < set.size();) {
    const auto end = std::min(set.find(',', at), set.size());
    const auto range = set.substr(at, end - at);
    const auto colon = range.find(':');
    const auto from = std::stoull(range.substr(0, colon));
    const auto to = colon == std::string::npos ? from : std::stoull(range.substr(colon + 1));
    EXPECT_GT(from, last) << set;
    EXPECT_LE(from, to) << set;
    last = to;
    for (const auto uid : mailbox) {
      if (uid >= from && uid <= to) named.push_back(uid);
    }
    at = end + 1;
  }
  return named;
}

TEST(UidSets, NameExactlyTheChosenMessages) {
  std::mt19937 random{7};
  for (int round = 0; round < 2'000; ++round) {
    Uids snapshot;
    std::vector<bool> chosen;
    Uids expected;
    std::uint32_t uid = 0;
    for (auto messages_left = 1 + random() % 60; messages_left != 0; --messages_left) {
      uid += static_cast<std::uint32_t>(1 + random() % 900);
      snapshot.push_back(uid);
      chosen.push_back(random() % 4 != 0);
      if (chosen.back()) expected.push_back(uid);
    }
    const std::size_t octets = 21 + random() % 40;
    const std::size_t messages = 1 + random() % 9;
    UidSets writer(snapshot, chosen, octets, messages);
    Uids named;
    for (std::string set; writer.next(set);) {
      const auto some = expand(set, snapshot);
      ASSERT_LE(set.size(), octets);
      ASSERT_LE(some.size(), messages);
      ASSERT_EQ(some.size(), writer.messages());
      named.insert(named.end(), some.begin(), some.end());
    }
    ASSERT_EQ(named, expected);
  }
}

}  // namespace
}  // namespace postern::imap
