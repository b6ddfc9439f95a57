#include "maildrop/translate/message_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "postern/config/uidl_template.hpp"

namespace postern::maildrop {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

class MessageListTest : public testing::Test {
 protected:
  void begin(const std::string& text = "%{uid}", std::uint32_t least = 0, std::size_t most = 1000,
             MessageList::Sizes sizes = MessageList::Sizes::needed) {
    list.begin(config::parse_uidl_template(text, config::kUidlFolderPrefix).value(), least, most, sizes);
  }
  void take(std::optional<std::uint32_t> uid, std::optional<Bytes> size, const std::string& header = "") {
    if (!header.empty()) list.take_octets(header);
    imap::Fetch fetch;
    fetch.uid = uid;
    fetch.size = size;
    list.take(fetch);
  }
  static std::vector<Bytes> sizes(const store::Snapshot& snapshot) {
    std::vector<Bytes> all;
    for (std::size_t i = 0; i < snapshot.count(); ++i) all.push_back(snapshot.size(i));
    return all;
  }
  static std::vector<std::string> ids(const store::Snapshot& snapshot) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < snapshot.ids().size(); ++i) all.emplace_back(snapshot.ids()[i]);
    return all;
  }

  MessageList list;
};

TEST_F(MessageListTest, SortsByUidAndTheLastWordCounts) {
  begin();
  Bytes size = 0;
  for (const std::uint32_t uid : {3U, 5U, 4U, 9U, 1U, 5U, 3U}) take(uid, ++size);
  const store::Snapshot sorted = list.finish(1);
  EXPECT_THAT(sorted.uids(), ElementsAre(1, 3, 4, 5, 9));
  EXPECT_THAT(sizes(sorted), ElementsAre(5, 7, 3, 6, 4));
  EXPECT_TRUE(sorted.ids().empty());
}

TEST_F(MessageListTest, AnyOrderGivesTheSameList) {
  std::mt19937 random(3);
  std::vector<std::uint32_t> uids(50);
  for (std::uint32_t i = 0; i < 50; ++i) uids[i] = 2 * i + 1;
  const std::vector<std::uint32_t> ascending = uids;
  for (int round = 0; round < 50; ++round) {
    std::shuffle(uids.begin(), uids.end(), random);
    begin("%{header:X}");
    for (const std::uint32_t uid : uids) take(uid, uid, "X: id" + std::to_string(uid) + "\r\n");
    const store::Snapshot snapshot = list.finish(1);
    EXPECT_THAT(snapshot.uids(), ElementsAreArray(ascending));
    EXPECT_EQ(snapshot.ids()[7], "id15");
    EXPECT_EQ(snapshot.size(49), 99U);
  }
}

TEST_F(MessageListTest, WhatHasNoUidOrNoSizeIsNoMessage) {
  begin();
  take(std::nullopt, 5);
  take(2, std::nullopt);
  take(std::nullopt, std::nullopt);
  EXPECT_TRUE(list.finish(1).empty());
}

TEST_F(MessageListTest, SizeMayBeMissingWhereTheIdIsTold) {
  begin("%{header:X}", 0, 1000, MessageList::Sizes::optional);
  take(1, std::nullopt, "X: a\r\n");
  take(2, std::nullopt);  // FLAGS
  take(3, 30);
  const store::Snapshot snapshot = list.finish(0x10);
  EXPECT_THAT(snapshot.uids(), ElementsAre(1, 3));
  EXPECT_THAT(ids(snapshot), ElementsAre("a", "0000000300000010"));
}

TEST_F(MessageListTest, OldMessagesAreNotWanted) {
  begin("%{uid}", 5);
  take(4, 1);
  take(5, 1);
  EXPECT_THAT(list.finish(1).uids(), ElementsAre(5));
}

TEST_F(MessageListTest, NoMoreThanAllowedAreTaken) {
  begin("%{uid}", 0, 2);
  take(1, 1);
  take(2, 1);
  EXPECT_FALSE(list.has_overflown());
  take(3, 1);
  EXPECT_TRUE(list.has_overflown());
  EXPECT_EQ(list.finish(1).count(), 2U);
}

TEST_F(MessageListTest, HeaderOfOneMessageIsNotThatOfTheNext) {
  begin("%{header:X}");
  take(1, 1, "X: a\r\n\r\n");
  take(std::nullopt, std::nullopt, "X: stray\r\n");
  take(2, 1);
  EXPECT_THAT(ids(list.finish(0x10)), ElementsAre("a", "0000000200000010"));
}

TEST_F(MessageListTest, HeadersTakeNoMoreMemoryThanIds) {
  begin("%{header:X}", 0, 100'000);
  for (std::uint32_t uid = 1; uid <= 1000; ++uid)
    take(uid, 1, "X: " + std::to_string(uid) + std::string(10'000, 'x'));
  const store::Snapshot snapshot = list.finish(1);
  EXPECT_EQ(snapshot.ids()[0].size(), 32U);
  EXPECT_NE(snapshot.ids()[0], snapshot.ids()[1]);
}

TEST_F(MessageListTest, RoomIsMadeOnce) {
  begin();
  list.expect(1000);
  for (std::uint32_t uid = 1; uid <= 1000; ++uid) take(uid, 1);
  EXPECT_LE(list.finish(1).memory(), 8 * 1000 + sizeof(store::Snapshot) + 100);
}

// merge()

store::Snapshot snapshot_of(std::initializer_list<std::uint32_t> uids, Bytes size, const char* id = nullptr) {
  store::Snapshot snapshot;
  for (const std::uint32_t uid : uids) {
    snapshot.append(uid, size);
    if (id != nullptr) snapshot.ids().append(id + std::to_string(uid));
  }
  if (id != nullptr) snapshot.id_template = "t";
  return snapshot;
}

TEST(Merge, KnownSizesStay) {
  const store::Snapshot merged = merge(snapshot_of({2, 4}, 10), nullptr, snapshot_of({1, 2, 3, 5}, 20));
  EXPECT_THAT(merged.uids(), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(merged.size(1), 10U);
  EXPECT_EQ(merged.size(2), 20U);
}

TEST(Merge, KeepsWhatIsToBeKeptOfBoth) {
  UidRanges keep;
  const imap::NumberRange ranges[] = {{2, 3}, {6, 6}};
  keep.add(ranges);
  keep.seal();
  const store::Snapshot merged = merge(snapshot_of({1, 2}, 10, "a"), &keep, snapshot_of({3, 5, 6}, 20, "b"));
  EXPECT_THAT(merged.uids(), ElementsAre(2, 3, 6));
  EXPECT_EQ(merged.ids()[0], "a2");
  EXPECT_EQ(merged.ids()[2], "b6");
}

TEST(Merge, IdsOfNewMessagesAreNobodysYet) {
  store::Snapshot base = snapshot_of({1}, 10, "x"), added;
  added.id_template = "t";
  for (const std::uint32_t uid : {2U, 3U}) {
    added.append(uid, 1);
    added.ids().append("x1");
  }
  const store::Snapshot merged = merge(base, nullptr, added);
  EXPECT_EQ(merged.ids()[0], "x1");
  EXPECT_EQ(merged.ids()[1], "x1.2");
  EXPECT_EQ(merged.ids()[2], "x1.3");
}

TEST(Merge, LongIdsRemainShortEnough) {
  store::Snapshot base, added;
  base.id_template = added.id_template = "t";
  const std::string longest(config::kLongestUidl - config::kUidlFolderPrefix, 'x');
  base.append(1, 1);
  base.ids().append(longest);
  added.append(UINT32_MAX, 1);
  added.ids().append(longest);
  EXPECT_EQ(merge(base, nullptr, added).ids()[1].size(), longest.size());
}

TEST(HeaderValue, IsUnfoldedAndTrimmed) {
  const std::pair<const char*, const char*> fields[] = {
      {"X: a\r\n\r\n", "a"},
      {"x:a", "a"},
      {"X:  a b \r\n", "a b"},
      {"X: a\r\n\tb\r\n c\r\n", "a\tb c"},
      {"X:\r\n a\r\n", "a"},
      {"X: a\nY: b\n", "a"},
      {"Y: b\r\nX: a\r\n", "a"},
      {"X: a\r\nX: b\r\n", "a"},
      {"Y: b\r\n X: no\r\n", ""},
      {"XX: a\r\n", ""},
      {"X : a\r\n", "a"},
      {"X a\r\n", ""},
      {"", ""},
      {"\r\n", ""},
      {"X:", ""},
      {"X: \r\n\r\n", ""},
  };
  for (const auto& [text, value] : fields) EXPECT_EQ(header_value(text, "X"), value) << text;
}

}  // namespace
}  // namespace postern::maildrop
