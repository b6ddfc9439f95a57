// What QUIT does for the mailbox's sake, and promises nobody: \Seen (RETR-7), old hidden messages.
#include "unit/maildrop/fetch_fixture.hpp"

namespace postern::maildrop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TranslationSeenTest : public FetchTest {
 protected:
  TranslationSeenTest() { fill(4); }
  std::vector<std::uint32_t> seen() const { return imap.flagged("\\Seen"); }
};

TEST_F(TranslationSeenTest, OnlyWhatWasRetrievedAndNotDeleted) {
  ASSERT_EQ(open(), "");
  for (const std::uint32_t message : {1U, 2U, 4U}) text(message);
  top(3, 1000);
  EXPECT_EQ(mark(2), "");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(seen(), ElementsAre(1, 4));
  EXPECT_EQ(imap.count("UID STORE 1,4 +FLAGS.SILENT (\\Seen)"), 1U);
}

TEST_F(TranslationSeenTest, OnlyWhatWasRetrievedWhole) {
  ASSERT_EQ(open(), "");
  answer(2, {step::send("$TAG NO x\r\n")});
  EXPECT_EQ(text(2), "message_unavailable");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(TranslationSeenTest, NotAfterReset) {
  ASSERT_EQ(open(), "");
  text(1);
  EXPECT_EQ(reset_marks(), "");
  text(2);
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(seen(), ElementsAre(2));
}

TEST_F(TranslationSeenTest, NotWithoutQuit) {
  ASSERT_EQ(open(), "");
  text(1);
  maildrop.reset();
  scheduler.run_until_idle();
  EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(TranslationSeenTest, NotWhereItIsNotWanted) {
  settings.imap.mark_seen = config::MarkSeen::never;
  ASSERT_EQ(open(), "");
  text(1);
  EXPECT_EQ(mark(2), "");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(TranslationSeenTest, FailureIsNotTheClientsAffair) {
  const Script failures[] = {{step::send("$TAG NO x\r\n")}, {step::send("garbage\r\n")}, {step::reset()}};
  for (const Script& script : failures) {
    ASSERT_EQ(open(), "");
    text(1);
    imap.instead["UID STORE"] = script;
    EXPECT_EQ(commit(), "");
  }
  EXPECT_EQ(imap.connections, 3U);
}

TEST_F(TranslationSeenTest, SilenceHoldsQuitUpForTenSecondsAtMost) {
  view.folders = {"INBOX", "A"};
  imap.deliver("x\r\n", "A");
  ASSERT_EQ(open(), "");
  text(1);
  text(5);
  imap.instead["UID STORE"] = {step::pause(1h)};
  const TimePoint begun = scheduler.now();
  EXPECT_EQ(commit(), "");
  EXPECT_LE(scheduler.now() - begun, 10s);
}

TEST_F(TranslationSeenTest, OfEveryFolder) {
  view.folders = {"INBOX", "A"};
  for (int i = 0; i < 2; ++i) imap.deliver("x\r\n", "A");
  ASSERT_EQ(open(), "");
  text(2);
  text(6);
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(seen(), ElementsAre(2));
  EXPECT_THAT(imap.flagged("\\Seen", "A"), ElementsAre(2));
}

TEST_F(TranslationSeenTest, NotWhereRemovingFailed) {
  ASSERT_EQ(open(), "");
  text(1);
  EXPECT_EQ(mark(2), "");
  imap.instead["UID EXPUNGE"] = {step::send("$TAG NO x\r\n")};
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_THAT(seen(), IsEmpty());
}

}  // namespace
}  // namespace postern::maildrop
