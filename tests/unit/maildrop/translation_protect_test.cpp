// QUIT at a server without UIDPLUS (DEL-5): EXPUNGE takes everything that is flagged.
#include "unit/maildrop/fetch_fixture.hpp"

namespace postern::maildrop {
namespace {

using config::WithoutUidplus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TranslationProtectTest : public FetchTest {
 protected:
  TranslationProtectTest() {
    imap.capabilities_after = {"IMAP4rev1", "LITERAL+"};
    settings.imap.mark_seen = config::MarkSeen::never;
    fill(5);
  }
  void begin(std::initializer_list<std::uint32_t> marked) {
    ASSERT_EQ(open(), "");
    for (const std::uint32_t message : marked) ASSERT_EQ(mark(message), "");
    imap.commands.clear();
  }
  void flag(std::uint32_t uid) { imap.message(uid).flags.insert("\\Deleted"); }
  std::vector<std::uint32_t> flagged() const { return imap.flagged("\\Deleted"); }
  /// Somebody flags these, one before each SEARCH.
  void flag_meanwhile(std::vector<std::uint32_t> uids) {
    imap.ahead["UID SEARCH DELETED"] = {[this, uids = std::move(uids)](Peer&) {
      for (const std::uint32_t uid : uids) {
        if (!flagged_.insert(uid).second) continue;
        flag(uid);
        break;
      }
      return true;
    }};
  }
  std::set<std::uint32_t> flagged_;
};

TEST_F(TranslationProtectTest, WhatOthersFlaggedSurvivesAndStaysFlagged) {
  flag(2);
  begin({1, 3});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), ElementsAre(2, 4, 5));
  EXPECT_THAT(flagged(), ElementsAre(2));
  EXPECT_THAT(asked(), ElementsAre("UID STORE 1,3 +FLAGS.SILENT (\\Deleted)", "UID SEARCH DELETED",
                                   "UID STORE 2 -FLAGS.SILENT (\\Deleted)", "UID SEARCH DELETED", "EXPUNGE",
                                   "UID SEARCH UID 1,3", "UID STORE 2 +FLAGS.SILENT (\\Deleted)"));
  ASSERT_EQ(lines.of("expunge_protects").size(), 1U);
  EXPECT_EQ(test::LogLines::field(lines.of("expunge_protects").front(), "uids"), "2");
}

TEST_F(TranslationProtectTest, WithoutOthersItIsShort) {
  begin({1, 3});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(asked(), ElementsAre("UID STORE 1,3 +FLAGS.SILENT (\\Deleted)", "UID SEARCH DELETED", "EXPUNGE",
                                   "UID SEARCH UID 1,3"));
}

TEST_F(TranslationProtectTest, MessageThatCameMeanwhileAndIsFlaggedSurvives) {
  begin({1, 5});
  flag(imap.deliver("new\r\n"));
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), ElementsAre(2, 3, 4, 6));
  EXPECT_THAT(flagged(), ElementsAre(6));
}

TEST_F(TranslationProtectTest, SomebodyWhoFlagsMeanwhileIsProtectedToo) {
  flag_meanwhile({2, 3, 4});
  begin({1});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(flagged(), ElementsAre(2, 3, 4));
}

TEST_F(TranslationProtectTest, SomebodyWhoNeverStopsPreventsIt) {
  flag_meanwhile({2, 3, 4, 5});
  begin({1});
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(imap.uids().size(), 5U);
  EXPECT_EQ(imap.count("EXPUNGE"), 0U);
  EXPECT_THAT(flagged(), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(TranslationProtectTest, FailureBeforeExpungeRemovesNothing) {
  for (const char* command : {"UID STORE", "UID SEARCH", "UID STORE 2 -FLAGS.SILENT (\\Deleted)"}) {
    flag(2);
    begin({1, 3});
    imap.instead[command] = {step::send("$TAG NO x\r\n")};
    EXPECT_EQ(commit(), "update_failed") << command;
    EXPECT_EQ(imap.count("EXPUNGE"), 0U);
    imap.instead.clear();
  }
  EXPECT_EQ(imap.uids().size(), 5U);
}

TEST_F(TranslationProtectTest, ExpungeThatFailsPutsTheFlagsBack) {
  flag(2);
  begin({1, 3});
  imap.instead["EXPUNGE"] = {step::send("$TAG NO x\r\n")};
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_THAT(flagged(), ElementsAre(1, 2, 3));
}

TEST_F(TranslationProtectTest, ExpungeThatDoesNothingIsFoundOut) {
  begin({1, 3});
  imap.instead["EXPUNGE"] = {step::send("$TAG OK Expunge completed.\r\n")};
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(imap.commands.back(), "UID SEARCH UID 1,3");
}

TEST_F(TranslationProtectTest, LostConnectionAnywhereIsMadeAgainAndHarmsNobody) {
  const char* commands[] = {"UID STORE 1,3 +FLAGS.SILENT (\\Deleted)", "UID SEARCH DELETED",
                            "UID STORE 2 -FLAGS.SILENT (\\Deleted)", "EXPUNGE",
                            "UID STORE 2 +FLAGS.SILENT (\\Deleted)"};
  for (const char* command : commands) {
    imap.inbox() = ImapStore::Mailbox();
    fill(5);
    flag(2);
    begin({1, 3});
    imap.once(command, {step::reset()});
    EXPECT_EQ(commit(), "") << command;
    EXPECT_THAT(imap.uids(), ElementsAre(2, 4, 5)) << command;
  }
}

TEST_F(TranslationProtectTest, SearchThatNamesEverythingIsSurvived) {
  imap.capabilities_after.push_back("ESEARCH");
  begin({1, 3});
  imap.instead["UID SEARCH"] = {step::send("* ESEARCH (TAG \"$TAG\") UID ALL 1:4294967295\r\n$TAG OK\r\n")};
  imap.instead["UID STORE"] = {step::send("$TAG OK\r\n")};
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(imap.count("EXPUNGE"), 0U);
}

TEST_F(TranslationProtectTest, SetsAreSplitHereToo) {
  imap.inbox() = ImapStore::Mailbox();
  for (int i = 0; i < 5100; ++i) imap.deliver("x\r\n");
  begin({});
  for (std::uint32_t message = 1; message <= 5100; ++message) ASSERT_EQ(mark(message), "");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(asked(), ElementsAre("UID STORE 1:5000 +FLAGS.SILENT (\\Deleted)",
                                   "UID STORE 5001:5100 +FLAGS.SILENT (\\Deleted)", "UID SEARCH DELETED",
                                   "EXPUNGE", "UID SEARCH UID 1:5000", "UID SEARCH UID 5001:5100"));
  EXPECT_THAT(imap.uids(), IsEmpty());
}

TEST_F(TranslationProtectTest, FlagOnlyFlagsAndHides) {
  view.without_uidplus = WithoutUidplus::flag_only;
  begin({1, 3});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(asked(), ElementsAre("UID STORE 1,3 +FLAGS.SILENT (\\Deleted)"));
  EXPECT_EQ(imap.uids().size(), 5U);
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 16\r\n2 16\r\n3 16\r\n");
}

TEST_F(TranslationProtectTest, RefuseTakesNoMarks) {
  view.without_uidplus = WithoutUidplus::refuse;
  begin({});
  EXPECT_EQ(mark(1), "read_only");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(TranslationProtectTest, MoveMoves) {
  imap.capabilities_after.push_back("MOVE");
  imap.mailboxes["Trash"].special_use = "\\Trash";
  view.without_uidplus = WithoutUidplus::move;
  begin({1, 3});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), ElementsAre(2, 4, 5));
  EXPECT_EQ(imap.uids("Trash").size(), 2U);
}

}  // namespace
}  // namespace postern::maildrop
