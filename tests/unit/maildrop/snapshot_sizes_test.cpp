// Sizes that are counted instead of believed (protocol SIZE-1 to 5).
#include "unit/maildrop/snapshot_fixture.hpp"

namespace postern::maildrop {
namespace {

class SnapshotSizesTest : public SnapshotTest {
 protected:
  SnapshotSizesTest() { settings.imap.sizes = config::Sizes::exact; }
  std::size_t reads() const {
    std::size_t all = 0;
    for (const std::string& command : imap.commands)
      all += command.find("BODY.PEEK[]") != std::string::npos ? 1 : 0;
    return all;
  }
};

TEST_F(SnapshotSizesTest, ExactSizesAreThoseThatAreDelivered) {
  for (const char* text : {"a\nb\n", "a\r\nb", "", "a\r\n", "a\r"}) {
    imap.message(imap.deliver(text)).size = 999;
  }
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 6\r\n2 6\r\n3 2\r\n4 3\r\n5 4\r\n");
  for (std::uint32_t i = 1; i <= 5; ++i) EXPECT_EQ(text(i).size(), run(maildrop->list(i)).value());
}

TEST_F(SnapshotSizesTest, EveryMessageIsReadOnce) {
  deliver_sizes({10, 20});
  EXPECT_THAT(asked_by_open(), ElementsAre("SELECT \"INBOX\"", "UID FETCH 1:* (UID RFC822.SIZE)",
                                           "UID FETCH 1:2 (UID BODY.PEEK[])"));
  EXPECT_THAT(asked_by_open(), ElementsAre("SELECT \"INBOX\""));
  imap.message(imap.deliver("x\n")).size = 999;
  imap.expunge(1);
  EXPECT_THAT(asked_by_open(), ElementsAre("SELECT \"INBOX\"", "UID FETCH 3:* (UID RFC822.SIZE)",
                                           "UID SEARCH RETURN (ALL) ALL", "UID FETCH 3 (UID BODY.PEEK[])"));
  EXPECT_EQ(listing(), "1 20\r\n2 3\r\n");
}

TEST_F(SnapshotSizesTest, WhatThereWasNoTimeForIsReadAtTheNextLogin) {
  for (int i = 0; i < 450; ++i) imap.message(imap.deliver("x\n")).size = 99;
  imap.late["UID FETCH"] = 10s;  // the list, and then 100 messages each: 30 s of 45 may be used
  for (const std::size_t login : {1U, 2U, 3U}) {
    ASSERT_EQ(open(), "") << detail;
    EXPECT_EQ(run(maildrop->stat()).value().messages, 450U);
    const std::size_t counted = std::min<std::size_t>(200 * login, 450);
    EXPECT_EQ(run(maildrop->stat()).value().octets, 3 * counted + 99 * (450 - counted)) << login;
  }
  imap.late.clear();
  EXPECT_THAT(asked_by_open(), ElementsAre("SELECT \"INBOX\""));
}

TEST_F(SnapshotSizesTest, LargeMessagesAreReadInSmallerSteps) {
  for (int i = 0; i < 4; ++i) deliver_sizes({10});
  for (std::uint32_t uid = 1; uid <= 3; ++uid) imap.message(uid).size = 5_MiB;
  imap.message(4).size = 65_MiB;  // believed until it is delivered
  const auto commands = asked_by_open();
  EXPECT_THAT(std::vector<std::string>(commands.begin() + 2, commands.end()),
              ElementsAre("UID FETCH 1 (UID BODY.PEEK[])", "UID FETCH 2 (UID BODY.PEEK[])",
                          "UID FETCH 3 (UID BODY.PEEK[])"));
  EXPECT_EQ(listing(), "1 10\r\n2 10\r\n3 10\r\n4 68157440\r\n");
}

TEST_F(SnapshotSizesTest, MessageThatKillsTheConnectionKeepsNobodyOutForEver) {
  deliver_sizes({10, 20, 30});
  imap.message(2).breaks_at = 5;
  EXPECT_EQ(open(), "backend_lost");
  EXPECT_EQ(open(), "backend_lost");
  ASSERT_EQ(open(), "") << detail;  // it is not read a third time
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
}

TEST_F(SnapshotSizesTest, MessagesThatCannotBeReadKeepTheirSize) {
  deliver_sizes({10, 20});
  imap.instead["UID FETCH 1:2 (UID BODY.PEEK[])"] = {step::send("$TAG NO [SERVERBUG] oops\r\n")};
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n");
}

TEST_F(SnapshotSizesTest, TrustedOrLearnedSizesAreNotRead) {
  imap.message(imap.deliver("x\n")).size = 999;
  for (const auto sizes : {config::Sizes::trust, config::Sizes::learn}) {
    settings.imap.sizes = sizes;
    ASSERT_EQ(open(), "");
    EXPECT_EQ(listing(), "1 999\r\n");
  }
  EXPECT_EQ(reads(), 0U);
}

TEST_F(SnapshotSizesTest, LearnedSizeIsListedAtTheNextLogin) {
  settings.imap.sizes = config::Sizes::learn;
  imap.message(imap.deliver("12345\r\n")).size = 999;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(text(1), "12345\r\n");
  EXPECT_EQ(listing(), "1 999\r\n");  // fixed for the session
  EXPECT_THAT(asked_by_open(), ElementsAre("SELECT \"INBOX\""));
  EXPECT_EQ(listing(), "1 7\r\n");
}

}  // namespace
}  // namespace postern::maildrop
