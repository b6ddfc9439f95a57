// The translation as a client sees it who does nothing unusual.
#include "unit/maildrop/translation_fixture.hpp"

namespace postern::maildrop {
namespace {

using testing::ElementsAre;

const char kHello[] = "Subject: hello\r\n\r\nfirst\r\n.second\r\n";
const char kHelloOnWire[] = "Subject: hello\r\n\r\nfirst\r\n..second\r\n";
const char kShort[] = "Subject: short\r\n\r\nbody\r\n";

TEST_F(TranslationTest, OneFlightAfterTheLogin) {
  deliver({kHello, kShort});
  ASSERT_EQ(open(), "");
  EXPECT_THAT(asked(), ElementsAre("SELECT \"INBOX\"", "UID FETCH 1:* (UID RFC822.SIZE)"));
  EXPECT_EQ(listing(), "1 34\r\n2 24\r\n");
}

TEST_F(TranslationTest, SecondLoginToTheSameMailboxFetchesNothing) {
  deliver({kHello, kShort});
  ASSERT_EQ(open(), "");
  const std::string before = listing();
  imap.commands.clear();
  ASSERT_EQ(open(), "");
  EXPECT_THAT(asked(), ElementsAre("LOGOUT", "SELECT \"INBOX\""));
  EXPECT_EQ(listing(), before);
}

TEST_F(TranslationTest, SessionAndStoreHaveOneListTogether) {
  deliver({kHello, kShort});
  ASSERT_EQ(open(), "");
  ASSERT_EQ(snapshots.snapshots.size(), 1U);
  EXPECT_EQ(snapshots.snapshots.begin()->second.use_count(), 2);
}

TEST_F(TranslationTest, FolderThatWasKnownAndIsGoneHasNoMessages) {
  view.folders = {"INBOX", "Junk"};
  imap.mailboxes["Junk"] = {};
  imap.deliver(kShort, "Junk");
  deliver({kHello});
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 34\r\n2 24\r\n");
  imap.mailboxes.erase("Junk");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 34\r\n");
}

TEST_F(TranslationTest, ListTakesEightOctetsForEachMessage) {
  deliver({kHello, kHello, kHello, kHello, kHello});
  ASSERT_EQ(open(), "");
  ASSERT_EQ(snapshots.snapshots.size(), 1U);
  const store::Snapshot& snapshot = *snapshots.snapshots.begin()->second;
  EXPECT_EQ(snapshot.memory() - store::Snapshot().memory(), 5 * 8U);
}

TEST_F(TranslationTest, MessageComesStuffedAndAnnounced) {
  deliver({kHello});
  ASSERT_EQ(open(), "");
  Kept sink;
  EXPECT_EQ(retrieve(sink), "");
  EXPECT_EQ(sink.text, "Subject: hello\r\n\r\nfirst\r\n..second\r\n");
  EXPECT_EQ(sink.size, sizeof kHello - 1);
}

TEST_F(TranslationTest, DeletedMessagesGoAtQuitAndNotBefore) {
  deliver({kHello, kShort, kHello});
  ASSERT_EQ(open(), "");
  EXPECT_EQ(mark(1), "");
  EXPECT_EQ(mark(3), "");
  EXPECT_TRUE(imap.removed().empty());
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.removed(), ElementsAre(1, 3));
  EXPECT_THAT(imap.uids(), ElementsAre(2));
}

TEST_F(TranslationTest, WhatWasRetrievedIsSeenAtQuit) {
  deliver({kHello, kShort, kHello});
  ASSERT_EQ(open(), "");
  text(1);
  text(2);
  top(3, 0);
  EXPECT_EQ(mark(1), "");
  EXPECT_TRUE(imap.flagged("\\Seen").empty());
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.flagged("\\Seen"), ElementsAre(2));
}

TEST_F(TranslationTest, UniqueIdsAreOfUidAndUidvalidity) {
  deliver({kHello, kShort});
  imap.inbox().uidvalidity = 0x6b03f1a0;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(ids(), "1 000000016b03f1a0\r\n2 000000026b03f1a0\r\n");
}

TEST_F(TranslationTest, WalkingClientHasTheNextMessagesAskedForAhead) {
  for (int i = 0; i < 12; ++i) imap.deliver("Subject: " + std::to_string(i) + "\r\n\r\nx\r\n");
  ASSERT_EQ(open(), "");
  imap.commands.clear();
  for (std::uint32_t i = 1; i <= 12; ++i) {
    EXPECT_EQ(text(i), "Subject: " + std::to_string(i - 1) + "\r\n\r\nx\r\n");
  }
  EXPECT_LT(imap.count("UID FETCH"), 8U);
}

TEST_F(TranslationTest, LostConnectionIsMadeAgain) {
  deliver({kHello, kShort});
  ASSERT_EQ(open(), "");
  server().reset();
  scheduler.run_until_idle();
  EXPECT_EQ(text(2), kShort);
  EXPECT_EQ(imap.connections, 2U);
  EXPECT_EQ(cells->reconnects.value(), 1U);
}

TEST_F(TranslationTest, MessageBeyondTheLimitIsRefusedAndNotCut) {
  deliver({kHello, kShort});
  settings.imap.max_message = sizeof kHello - 2;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(text(1), "message_unreadable");
  EXPECT_EQ(imap.count("UID FETCH"), 1U);
  EXPECT_EQ(text(2), kShort);
}

TEST_F(TranslationTest, BodyThatNobodyAskedForEndsTheConnectionAndNotTheProcess) {
  deliver({kHello, kShort});
  ASSERT_EQ(open(), "");
  imap.instead["UID FETCH 1 (UID BODY.PEEK[])"] = {
      step::send("* 1 FETCH (UID 1 BODY[] " + ImapStore::literal(kHello) + ")\r\n$TAG OK done\r\n" +
                 "* 2 FETCH (UID 2 BODY[] " + ImapStore::literal("abc") + ")\r\n")};
  EXPECT_EQ(text(1), kHelloOnWire);
  maildrop->rest();
  EXPECT_EQ(text(2), "backend_protocol");
}

TEST_F(TranslationTest, ServerThatAsksForPatienceIsLeftAlone) {
  deliver({kHello});
  imap.instead["SELECT"] = {
      step::send("$TAG BAD Request is throttled. Suggested Backoff Time: 90000 milliseconds\r\n")};
  EXPECT_EQ(open(), "auth_unavailable");
  EXPECT_EQ(snapshots.postponed.at({"main", "alice"}), 90s);
  EXPECT_EQ(open(), "auth_unavailable");
  EXPECT_EQ(imap.connections, 1U);
  snapshots.postponed.clear();
  imap.instead.clear();
  EXPECT_EQ(open(), "");
}

TEST_F(TranslationTest, MessageThatIsThrottledPostponesTheNextLogin) {
  deliver({kHello});
  ASSERT_EQ(open(), "");
  imap.instead["UID FETCH"] = {step::send("$TAG NO [THROTTLED] slowly\r\n")};
  EXPECT_EQ(text(1), "message_unavailable");
  maildrop.reset();
  EXPECT_TRUE(snapshots.is_postponed("main", "alice"));
}

TEST_F(TranslationTest, AlertIsLogged) {
  deliver({kHello});
  imap.ahead["SELECT"] = {step::send("* OK [ALERT] disk is failing\r\n")};
  ASSERT_EQ(open(), "");
  ASSERT_EQ(lines.of("backend_alert").size(), 1U);
  EXPECT_THAT(lines.of("backend_alert").front(), testing::HasSubstr("disk is failing"));
}

}  // namespace
}  // namespace postern::maildrop
