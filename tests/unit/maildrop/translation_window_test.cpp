// What was asked for ahead and is not wanted yet: held, dropped, asked for again, never lost (RETR-8).
#include "unit/maildrop/fetch_fixture.hpp"

namespace postern::maildrop {
namespace {

using testing::ElementsAre;

class TranslationWindowTest : public FetchTest {
 protected:
  void walk(std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t message = first; message <= last; ++message) {
      ASSERT_EQ(text(message), small(message)) << message;
    }
  }
  /// All that the budget has.
  Reservation all_memory() {
    Reservation all;
    EXPECT_TRUE(all.reserve(opener.budget(), Bytes{64} * 1024 * 1024));
    return all;
  }
  void answer_in_odd_order() {
    imap.descending = true;
    imap.swaps_fetches = true;
  }
};

TEST_F(TranslationWindowTest, RightBodyForTheRightNumberInWhateverOrderTheyCome) {
  fill(20);
  answer_in_odd_order();
  for (const auto order : {ImapStore::Order::uid_first, ImapStore::Order::uid_last}) {
    imap.order = order;
    ASSERT_EQ(open(), "");
    walk(1, 20);
    EXPECT_EQ(opener.budget().used(), 0U);
  }
  EXPECT_EQ(imap.connections, 2U);
}

TEST_F(TranslationWindowTest, WhatHasNoRoomIsAskedForAgain) {
  fill(20);
  answer_in_odd_order();
  for (const auto order : {ImapStore::Order::uid_first, ImapStore::Order::uid_last}) {
    imap.order = order;
    ASSERT_EQ(open(), "");
    const Reservation all = all_memory();
    walk(1, 20);
  }
  EXPECT_EQ(imap.connections, 2U);
}

TEST_F(TranslationWindowTest, LargeMessageThatTellsItsUidLateIsReadTwiceAndNotHeld) {
  fill(4);
  imap.order = ImapStore::Order::uid_last;
  imap.message(2).text = small(2, 3 * 1024 * 1024);
  imap.message(2).size = 100;  // nobody could know
  ASSERT_EQ(open(), "");
  walk(1, 1);
  EXPECT_EQ(text(2), small(2, 3 * 1024 * 1024));
  walk(3, 4);
  EXPECT_EQ(imap.connections, 1U);
  EXPECT_EQ(imap.count(whole("2")), 2U);
}

TEST_F(TranslationWindowTest, ParkedWindowStaysOnTheWireUntilItIsSettled) {
  fill(8);
  ASSERT_EQ(open(), "");
  walk(1, 3);
  maildrop->rest();
  scheduler.run_until_idle();
  EXPECT_EQ(opener.budget().used(), 0U);
  settle();
  EXPECT_EQ(opener.budget().used(), 4 * small(4).size());
  maildrop->rest();
  EXPECT_EQ(pool.leased(), 0U);
  imap.commands.clear();
  walk(4, 7);
  EXPECT_EQ(imap.count(whole("4")), 0U);
  EXPECT_EQ(opener.budget().used() % small(4).size(), 0U);
}

TEST_F(TranslationWindowTest, RestLeavesNoMemoryWhenNothingIsDue) {
  fill(3);
  ASSERT_EQ(open(), "");
  walk(2, 2);
  maildrop->rest();
  EXPECT_EQ(pool.leased(), 0U);
}

TEST_F(TranslationWindowTest, SettlingWithoutRoomDropsAndAsksAgain) {
  fill(8);
  ASSERT_EQ(open(), "");
  walk(1, 3);
  {
    const Reservation all = all_memory();
    settle();
  }
  EXPECT_EQ(opener.budget().used(), 0U);
  walk(4, 8);
}

TEST_F(TranslationWindowTest, SettlingSurvivesAUidThatComesLate) {
  fill(8);
  imap.order = ImapStore::Order::uid_last;
  ASSERT_EQ(open(), "");
  walk(1, 3);
  settle();
  EXPECT_EQ(opener.budget().used(), 4 * small(4).size());
  walk(4, 8);
  EXPECT_EQ(imap.connections, 1U);
}

TEST_F(TranslationWindowTest, ConnectionThatDiesWhileNobodyLooksIsMadeAgain) {
  fill(8);
  ASSERT_EQ(open(), "");
  walk(1, 3);
  server().reset();
  settle();
  EXPECT_EQ(opener.budget().used(), 0U);
  walk(4, 8);
  EXPECT_EQ(imap.connections, 2U);
}

TEST_F(TranslationWindowTest, SetThatIsRefusedIsAskedForOneByOne) {
  fill(6);
  imap.instead[whole("3,4")] = {step::send("$TAG BAD too many at once\r\n")};
  ASSERT_EQ(open(), "");
  walk(1, 6);
  EXPECT_EQ(imap.count(whole("3")), 1U);
}

TEST_F(TranslationWindowTest, SetThatBringsLessIsAskedForAgain) {
  fill(6);
  imap.instead[whole("3,4")] = {
      step::send("* 4 FETCH (UID 4 BODY[] " + ImapStore::literal(small(4)) + ")\r\n$TAG OK\r\n")};
  ASSERT_EQ(open(), "");
  walk(1, 6);
  EXPECT_EQ(imap.count(whole("3")), 1U);
  EXPECT_EQ(imap.count(whole("4")), 0U);
}

TEST_F(TranslationWindowTest, BodyLargerThanListedIsNotHeld) {
  fill(6);
  imap.message(4).text = small(4, 2 * 1024 * 1024);
  imap.message(4).size = 100;
  ASSERT_EQ(open(), "");
  walk(1, 2);
  settle();
  EXPECT_EQ(opener.budget().used(), small(3).size());
  walk(3, 3);
  EXPECT_EQ(text(4), small(4, 2 * 1024 * 1024));
}

TEST_F(TranslationWindowTest, StaysInsideAFolder) {
  view.folders = {"INBOX", "Other"};
  fill(4);
  for (int i = 0; i < 4; ++i) imap.deliver("Subject: other\r\n\r\n" + std::to_string(i) + "\r\n", "Other");
  ASSERT_EQ(open(), "");
  imap.commands.clear();
  expect_retr({3, 4, 5, 6});
  walk(3, 4);
  EXPECT_EQ(text(5), "Subject: other\r\n\r\n0\r\n");
  EXPECT_EQ(text(1), small(1));
  EXPECT_EQ(text(8), "Subject: other\r\n\r\n3\r\n");
  EXPECT_EQ(imap.count("SELECT"), 4U);
  EXPECT_EQ(imap.connections, 1U);
}

}  // namespace
}  // namespace postern::maildrop
