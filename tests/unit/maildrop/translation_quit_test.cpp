// QUIT at a server with UIDPLUS (DEL-1 to DEL-4, DEL-6, DEL-7), and \Seen (RETR-7).
#include "unit/maildrop/fetch_fixture.hpp"

namespace postern::maildrop {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class TranslationQuitTest : public FetchTest {
 protected:
  TranslationQuitTest() { settings.imap.mark_seen = config::MarkSeen::never; }

  /// Opens, marks, forgets what that took.
  void begin(std::initializer_list<std::uint32_t> marked) {
    ASSERT_EQ(open(), "");
    for (const std::uint32_t message : marked) ASSERT_EQ(mark(message), "");
    imap.commands.clear();
  }
  /// The UIDs that are left are these.
  void mailbox_of(std::initializer_list<std::uint32_t> uids) {
    for (const std::uint32_t uid : uids) {
      imap.inbox().uidnext = uid;
      imap.deliver(small(uid));
    }
  }
  std::vector<std::string> of(std::string_view name) const {
    std::vector<std::string> all;
    for (const std::string& each : imap.commands) {
      if (ImapStore::name_of(each) == name) all.push_back(each);
    }
    return all;
  }
};

TEST_F(TranslationQuitTest, RemovesWhatIsMarkedAndLooksWhetherItIsGone) {
  fill(5);
  begin({1, 2, 4});
  EXPECT_EQ(commit(), "");
  maildrop.reset();
  scheduler.run_until_idle();
  EXPECT_THAT(asked(), ElementsAre("UID STORE 1:2,4 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 1:2,4",
                                   "UID SEARCH RETURN (ALL) UID 1:2,4", "LOGOUT"));
  EXPECT_THAT(imap.uids(), ElementsAre(3, 5));
}

TEST_F(TranslationQuitTest, WithoutMarksNothingIsSaid) {
  fill(3);
  begin({});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(TranslationQuitTest, WithoutMarksALostConnectionIsNotMadeAgain) {
  fill(3);
  begin({});
  text(1);
  server().reset();
  EXPECT_EQ(commit(), "");
  EXPECT_EQ(imap.connections, 1U);
}

TEST_F(TranslationQuitTest, RangesNameNoMessageThatWasNotMarked) {
  settings.imap.deleted_messages = config::DeletedMessages::hide;
  mailbox_of({1, 5, 7, 9, 20, 21});
  imap.message(7).flags = {"\\Deleted"};
  begin({1, 2, 3, 5});  // UIDs 1, 5, 9, 21; 7 is hidden
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(asked(), ElementsAre("UID STORE 1:5,9,21 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 1:5,9,21",
                                   "UID SEARCH RETURN (ALL) UID 1:5,9,21"));
  EXPECT_THAT(imap.uids(), ElementsAre(7, 20));
}

TEST_F(TranslationQuitTest, MessageThatCameMeanwhileIsInNoRange) {
  mailbox_of({1, 2, 3});
  begin({1, 2, 3});
  imap.deliver("new");
  imap.message(4).flags = {"\\Deleted"};
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), ElementsAre(4));
}

TEST_F(TranslationQuitTest, ResetUnmarks) {
  fill(3);
  begin({1, 2});
  EXPECT_EQ(reset_marks(), "");
  EXPECT_EQ(mark(3), "");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), ElementsAre(1, 2));
}

TEST_F(TranslationQuitTest, WithoutQuitNothingGoes) {
  fill(3);
  begin({1, 2, 3});
  maildrop.reset();
  scheduler.run_until_idle();
  EXPECT_THAT(asked(), ElementsAre("LOGOUT"));
}

TEST_F(TranslationQuitTest, MessageThatSomebodyElseRemovedIsNoFailure) {
  fill(3);
  begin({1, 2});
  imap.expunge(1);
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.removed(), ElementsAre(2));
}

TEST_F(TranslationQuitTest, LongSetsAreSplit) {
  for (std::uint32_t uid = 1; uid <= 4000; ++uid) imap.deliver("x\r\n");
  for (const bool short_lines : {false, true}) {
    settings.imap.profile = short_lines ? config::ImapProfile::old : config::ImapProfile::standard;
    imap.max_line = short_lines ? 1000 : 8000;
    imap.max_queued = short_lines ? 1 : 3;
    begin({});
    const auto left = static_cast<std::uint32_t>(imap.uids().size());
    for (std::uint32_t message = 1; message <= left; message += 2) ASSERT_EQ(mark(message), "");
    EXPECT_EQ(commit(), "");
    EXPECT_EQ(imap.uids().size(), left - (left + 1) / 2);
    EXPECT_GT(of("UID STORE").size(), 1U);
    EXPECT_EQ(of("UID STORE").size(), of("UID EXPUNGE").size());
  }
}

TEST_F(TranslationQuitTest, NoCommandIsForMoreThanFiveThousand) {
  for (std::uint32_t uid = 1; uid <= 5'500; ++uid) imap.deliver("x\r\n");
  begin({});
  for (std::uint32_t message = 1; message <= 5'500; ++message) ASSERT_EQ(mark(message), "");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(of("UID EXPUNGE"), ElementsAre("UID EXPUNGE 1:5000", "UID EXPUNGE 5001:5500"));
}

struct Refusal {
  const char* command;
  const char* answer;
};

TEST_F(TranslationQuitTest, AnyRefusalIsAFailureAndEndsIt) {
  const Refusal refusals[] = {{"UID STORE", "NO [CANNOT] x"},
                              {"UID STORE", "BAD x"},
                              {"UID EXPUNGE", "NO x"},
                              {"UID EXPUNGE", "BAD x"}};
  for (const Refusal& each : refusals) {
    imap.inbox() = ImapStore::Mailbox();
    fill(3);
    begin({1, 3});
    imap.instead[each.command] = {step::send(std::string("$TAG ") + each.answer + "\r\n")};
    EXPECT_EQ(commit(), "update_failed") << each.command;
    EXPECT_THAT(detail, HasSubstr("0 of 2 messages"));
    EXPECT_EQ(imap.uids().size(), 3U);
    EXPECT_EQ(imap.count("UID EXPUNGE"), 1U);
    imap.instead.clear();
  }
}

TEST_F(TranslationQuitTest, FirstBatchThatFailsIsTheLast) {
  for (std::uint32_t uid = 1; uid <= 5'500; ++uid) imap.deliver("x\r\n");
  begin({});
  for (std::uint32_t message = 1; message <= 5'500; ++message) ASSERT_EQ(mark(message), "");
  imap.instead["UID EXPUNGE 5001:5500"] = {step::send("$TAG NO disk full\r\n")};
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(detail, "5000 of 5500 messages were removed for certain, then: UID EXPUNGE: disk full");
  EXPECT_EQ(imap.uids().size(), 500U);
  EXPECT_THAT(of("UID EXPUNGE"), SizeIs(2));
}

TEST_F(TranslationQuitTest, SuccessWithoutRemovalIsFoundOut) {
  fill(3);
  begin({1, 3});
  imap.instead["UID EXPUNGE"] = {step::send("$TAG OK done nothing\r\n")};
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(imap.commands.back(), "UID SEARCH RETURN (ALL) UID 1,3");
}

TEST_F(TranslationQuitTest, RemovalsOfOthersProveNothing) {
  fill(3);
  begin({1, 3});
  imap.instead["UID EXPUNGE"] = {step::send("* 2 EXPUNGE\r\n* 1 EXPUNGE\r\n$TAG OK done nothing\r\n")};
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(imap.uids().size(), 3U);
}

TEST_F(TranslationQuitTest, WhatWasNotDoneIsAskedForOnceMore) {
  fill(3);
  begin({1, 3});
  imap.once("UID EXPUNGE", {step::send("$TAG OK done nothing\r\n")});
  EXPECT_EQ(commit(), "");
  EXPECT_EQ(imap.count("UID EXPUNGE"), 2U);
  EXPECT_THAT(imap.uids(), ElementsAre(2));
}

TEST_F(TranslationQuitTest, LostConnectionIsMadeAgainOnceAndAllIsRepeated) {
  for (const char* command : {"UID STORE", "UID EXPUNGE"}) {
    imap.inbox() = ImapStore::Mailbox();
    fill(3);
    begin({1, 3});
    imap.once(command, {step::reset()});
    EXPECT_EQ(commit(), "") << command;
    EXPECT_THAT(imap.uids(), ElementsAre(2));
  }
  EXPECT_EQ(imap.connections, 4U);
}

TEST_F(TranslationQuitTest, AnswerThatIsLostIsNoHarm) {
  fill(3);
  begin({1, 3});
  imap.instead_answer["UID EXPUNGE 1,3"] = {[this](Peer& peer) {
    imap.instead_answer.clear();
    peer.reset();
    return true;
  }};
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), ElementsAre(2));
  EXPECT_EQ(imap.count("UID SEARCH"), 1U);  // they are gone already
}

TEST_F(TranslationQuitTest, LostTwiceIsAFailure) {
  fill(3);
  begin({1});
  imap.instead["UID EXPUNGE"] = {step::reset()};
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(imap.connections, 2U);
  EXPECT_EQ(imap.count("UID EXPUNGE"), 2U);
}

TEST_F(TranslationQuitTest, SilentServerIsLeftAtTheDeadline) {
  fill(3);
  begin({1});
  imap.instead["UID STORE"] = {step::pause(10h)};
  const TimePoint begun = scheduler.now();
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(scheduler.now() - begun, 10min);
}

TEST_F(TranslationQuitTest, SlowServerIsWaitedFor) {
  fill(3);
  begin({1});
  imap.late["UID STORE"] = imap.late["UID EXPUNGE"] = 2min;
  EXPECT_EQ(commit(), "");
}

TEST_F(TranslationQuitTest, CancelledScopeEndsIt) {
  fill(3);
  begin({1});
  imap.late["UID STORE"] = 1min;
  Running<Result<void>> running(scheduler, maildrop->commit(coro::Deadline(scheduler.now() + 10min)));
  scheduler.run_until_idle();
  scope.cancel(FailureKind::draining);
  scheduler.run_until_idle();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(failure(running.take()), "update_failed");
  EXPECT_EQ(imap.connections, 1U);
}

TEST_F(TranslationQuitTest, WhatIsStillDueIsReadPastFirst) {
  fill(40, 5000);
  imap.max_queued = 3;
  begin({});
  for (std::uint32_t message = 1; message <= 5; ++message) text(message);
  EXPECT_EQ(mark(1), "");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.removed(), ElementsAre(1));
  EXPECT_EQ(opener.budget().used(), 0U);
}

TEST_F(TranslationQuitTest, ReadOnlyMailboxTakesNoMarks) {
  fill(3);
  imap.inbox().read_only = true;
  settings.imap.mark_seen = config::MarkSeen::quit;
  begin({});
  EXPECT_EQ(text(1), small(1));
  EXPECT_EQ(mark(1), "read_only");
  EXPECT_EQ(commit(), "");
  EXPECT_EQ(imap.count("UID STORE"), 0U);
}

TEST_F(TranslationQuitTest, FoldersGoInOrderAndTheFirstFailureEndsIt) {
  view.folders = {"INBOX", "A", "B"};
  for (const char* name : {"INBOX", "A", "B"}) {
    for (int i = 0; i < 2; ++i) imap.deliver("x\r\n", name);
  }
  begin({1, 4, 5});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids("INBOX"), ElementsAre(2));
  EXPECT_THAT(imap.uids("A"), ElementsAre(1));
  EXPECT_THAT(imap.uids("B"), ElementsAre(2));
  begin({1, 2, 3});
  imap.once("UID EXPUNGE 1", {step::send("$TAG NO x\r\n")});
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_THAT(imap.uids("INBOX"), IsEmpty());
  EXPECT_THAT(imap.uids("A"), ElementsAre(1));
  EXPECT_THAT(imap.uids("B"), ElementsAre(2));
  EXPECT_THAT(detail, HasSubstr("1 of 3"));
}

}  // namespace
}  // namespace postern::maildrop
