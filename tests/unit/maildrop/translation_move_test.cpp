// Deleting that is moving (DEL-8), and deleting that is hiding (VIEW-5).
#include "maildrop/translate/view.hpp"
#include "unit/maildrop/fetch_fixture.hpp"

namespace postern::maildrop {
namespace {

using config::DeletePolicy;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class TranslationMoveTest : public FetchTest {
 protected:
  TranslationMoveTest() {
    settings.imap.mark_seen = config::MarkSeen::never;
    view.remove = DeletePolicy::move;
    fill(4);
    imap.mailboxes["Bin"].special_use = "\\Trash";
  }
  void begin(std::initializer_list<std::uint32_t> marked) {
    ASSERT_EQ(open(), "");
    for (const std::uint32_t message : marked) ASSERT_EQ(mark(message), "");
    imap.commands.clear();
  }
  void without(const char* capability) { std::erase(imap.capabilities_after, capability); }
};

TEST_F(TranslationMoveTest, ToTheFolderThatTheServerNames) {
  begin({1, 2, 4});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(asked(), ElementsAre("LIST \"\" \"*\" RETURN (SPECIAL-USE)", "UID MOVE 1:2,4 \"Bin\""));
  EXPECT_THAT(imap.uids(), ElementsAre(3));
  EXPECT_EQ(imap.uids("Bin").size(), 3U);
}

TEST_F(TranslationMoveTest, ToTheFolderThatIsConfigured) {
  view.move_to = "Gel\xc3\xb6scht";
  begin({1});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(asked(), ElementsAre("UID MOVE 1 \"Gel&APY-scht\"", "CREATE \"Gel&APY-scht\"",
                                   "UID MOVE 1 \"Gel&APY-scht\""));
  EXPECT_EQ(imap.uids("Gel&APY-scht").size(), 1U);
}

TEST_F(TranslationMoveTest, FolderIsMadeHoweverTheServerSaysThatItIsMissing) {
  for (const bool trycreate : {true, false}) {
    imap.trycreate = trycreate;
    view.move_to = trycreate ? "One" : "Two";
    begin({1});
    EXPECT_EQ(commit(), "");
    EXPECT_EQ(imap.count("CREATE"), 1U);
  }
}

TEST_F(TranslationMoveTest, FolderThatCannotBeMadeIsAFailure) {
  view.move_to = "New";
  begin({1});
  imap.instead["CREATE"] = {step::send("$TAG NO [NOPERM] x\r\n")};
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(imap.uids().size(), 4U);
}

TEST_F(TranslationMoveTest, WithoutMoveOnlyWhatWasCopiedIsRemoved) {
  without("MOVE");
  begin({1, 3});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(asked(), ElementsAre("LIST \"\" \"*\" RETURN (SPECIAL-USE)", "UID COPY 1,3 \"Bin\"",
                                   "UID STORE 1,3 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 1,3",
                                   "UID SEARCH RETURN (ALL) UID 1,3"));
  EXPECT_EQ(imap.uids("Bin").size(), 2U);
}

TEST_F(TranslationMoveTest, FullMailboxLosesNothing) {
  for (const char* name : {"UID MOVE", "UID COPY"}) {
    if (std::string_view(name) == "UID COPY") without("MOVE");
    begin({1, 3});
    imap.instead[name] = {step::send("$TAG NO [OVERQUOTA] full\r\n")};
    EXPECT_EQ(commit(), "update_failed");
    EXPECT_THAT(detail, HasSubstr("0 of 2"));
    EXPECT_EQ(imap.count("CREATE") + imap.count("UID STORE") + imap.count("UID EXPUNGE"), 0U);
    EXPECT_EQ(imap.uids().size(), 4U);
  }
}

TEST_F(TranslationMoveTest, SecondCopyThatFailsRemovesNothing) {
  without("MOVE");
  for (int i = 0; i < 5100; ++i) imap.deliver("x\r\n");
  begin({});
  for (std::uint32_t message = 1; message <= 5104; ++message) ASSERT_EQ(mark(message), "");
  imap.instead["UID COPY 5001:5104 \"Bin\""] = {step::send("$TAG NO [OVERQUOTA] full\r\n")};
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_THAT(detail, HasSubstr("0 of 5104"));
  EXPECT_EQ(imap.uids().size(), 5104U);
}

TEST_F(TranslationMoveTest, WithoutMoveAndUidplusOthersAreProtected) {
  without("MOVE");
  without("UIDPLUS");
  imap.message(2).flags = {"\\Deleted"};
  begin({1, 3});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), ElementsAre(2, 4));
  EXPECT_THAT(imap.flagged("\\Deleted"), ElementsAre(2));
  EXPECT_EQ(imap.uids("Bin").size(), 2U);
}

TEST_F(TranslationMoveTest, WithoutATrashNothingIsDone) {
  imap.mailboxes["Bin"].special_use.clear();
  begin({1});
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(imap.uids().size(), 4U);
}

TEST_F(TranslationMoveTest, IntoItsOwnFolderIsRefused) {
  view.folders = {"Bin"};
  imap.deliver("x\r\n", "Bin");
  begin({1});
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(imap.uids("Bin").size(), 1U);
}

TEST_F(TranslationMoveTest, ServerWithSpecialUseButWithoutReturnIsAskedPlainly) {
  imap.instead["LIST \"\" \"*\" RETURN (SPECIAL-USE)"] = {step::send("$TAG BAD x\r\n")};
  begin({1});
  EXPECT_EQ(commit(), "");
  EXPECT_EQ(imap.uids("Bin").size(), 1U);
}

TEST_F(TranslationMoveTest, LostConnectionIsMadeAgain) {
  begin({1, 3});
  imap.once("UID MOVE", {step::reset()});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), ElementsAre(2, 4));
  EXPECT_EQ(imap.uids("Bin").size(), 2U);
}

TEST_F(TranslationMoveTest, IsWhatGmailDoesUnlessToldOtherwise) {
  imap.like_gmail();
  for (const bool told : {false, true}) {
    view.remove.reset();
    if (told) view.remove = DeletePolicy::expunge;
    begin({1});
    EXPECT_EQ(commit(), "");
    EXPECT_EQ(imap.count("UID MOVE"), told ? 0U : 1U);
    EXPECT_EQ(imap.count("UID EXPUNGE"), told ? 1U : 0U);
  }
  EXPECT_EQ(imap.uids("Bin").size(), 1U);
}

TEST_F(TranslationMoveTest, LongNameLeavesRoomInTheLine) {
  view.move_to = std::string(200, 'n');
  for (int i = 0; i < 4000; ++i) imap.deliver("x\r\n");
  begin({});
  for (std::uint32_t message = 1; message <= 4004; message += 2) ASSERT_EQ(mark(message), "");
  EXPECT_EQ(commit(), "");  // the server would say if a line was too long
  EXPECT_EQ(imap.uids().size(), 2002U);
}

// Hiding.

TEST_F(TranslationMoveTest, FlagHidesFromPop3) {
  view.remove = DeletePolicy::flag;
  begin({1, 3});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(asked(), ElementsAre("UID STORE 1,3 +FLAGS.SILENT ($postern-deleted)"));
  EXPECT_EQ(imap.uids().size(), 4U);
  ASSERT_EQ(open(), "");
  EXPECT_EQ(text(1), small(2));
  EXPECT_EQ(text(2), small(4));
  EXPECT_EQ(text(3), "no_message");
}

TEST_F(TranslationMoveTest, KeepHidesFromThatViewOnly) {
  view.remove = DeletePolicy::keep;
  view.name = "phone";
  begin({1});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.flagged("$postern-kept-phone"), ElementsAre(1));
  ASSERT_EQ(open(), "");
  EXPECT_EQ(text(1), small(2));
  view.name = "desk";
  ASSERT_EQ(open(), "");
  EXPECT_EQ(text(1), small(1));
}

TEST_F(TranslationMoveTest, KeepEndsAfterItsDays) {
  view.remove = DeletePolicy::keep;
  view.keep_days = 30;
  const WallTime now = scheduler.wall_now();
  imap.message(1).internal_date = search_date(now - std::chrono::hours(24 * 40));
  imap.message(2).internal_date = search_date(now - std::chrono::hours(24 * 40));
  imap.message(3).internal_date = search_date(now);
  begin({1, 3});
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), ElementsAre(2, 3, 4));
  EXPECT_THAT(imap.removed(), ElementsAre(1));
}

TEST_F(TranslationMoveTest, KeywordThatIsRefusedIsAFailure) {
  view.remove = DeletePolicy::flag;
  begin({1});
  imap.instead["UID STORE"] = {step::send("$TAG NO too many keywords\r\n")};
  EXPECT_EQ(commit(), "update_failed");
}

}  // namespace
}  // namespace postern::maildrop
