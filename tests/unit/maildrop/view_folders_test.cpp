// Views before a server: folders, windows, and what is hidden (protocol VIEW-1 to 5, SNAP-11).
#include "maildrop/translate/view.hpp"
#include "unit/maildrop/snapshot_fixture.hpp"

namespace postern::maildrop {
namespace {

using config::DeletePolicy;
using testing::StartsWith;

class ViewFoldersTest : public SnapshotTest {
 protected:
  ViewFoldersTest() { deliver_sizes({10, 20, 30}); }
  void make_junk(std::uint32_t uidvalidity = 0x10) {
    imap.mailboxes["Junk"].uidvalidity = uidvalidity;
    deliver_sizes({40, 50}, "Junk");
  }
  const std::string junk = "16d70c1c.";  // SHA-256 of the name
};

TEST_F(ViewFoldersTest, FoldersFollowOneAnotherAndNeverShareAnId) {
  view.folders = {"INBOX", "Junk"};
  make_junk();  // with the same UIDVALIDITY and UIDs
  EXPECT_EQ(seen(),
            "1 10\r\n2 20\r\n3 30\r\n4 40\r\n5 50\r\n1 0000000100000010\r\n2 0000000200000010\r\n"
            "3 0000000300000010\r\n4 " +
                junk + "0000000100000010\r\n5 " + junk + "0000000200000010\r\n");
  EXPECT_THAT(asked_by_open(), ElementsAre("SELECT \"INBOX\"", "SELECT \"Junk\""));
}

TEST_F(ViewFoldersTest, MessageHasTheSameIdHoweverItIsReached) {
  make_junk(7);
  imap.mailboxes["Junk"].mailbox_id = "F2212ea87";
  view.folders = {"INBOX", "Junk"};
  ASSERT_EQ(open(), "");
  const std::string merged = run(maildrop->uidl(4)).value();
  folder = "Junk";
  ASSERT_EQ(open(), "");
  EXPECT_EQ(run(maildrop->uidl(1)).value(), merged);
  imap.mailboxes["Spam"] = imap.mailboxes["Junk"];  // renamed
  folder = "Spam";
  ASSERT_EQ(open(), "");
  EXPECT_EQ(run(maildrop->uidl(1)).value(), merged);
}

TEST_F(ViewFoldersTest, FolderThatIsMissingBesideOthersHasNoMailYet) {
  view.folders = {"INBOX", "Junk"};
  for (const char* said : {"NO [NONEXISTENT] x", "NO Mailbox does not exist", "NO what?"}) {
    imap.select_refusal = said;
    ASSERT_EQ(open(), "") << said;
    EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
    EXPECT_TRUE(maildrop->has_uidl());
  }
}

TEST_F(ViewFoldersTest, FolderThatFailsIsNotMissing) {
  make_junk();
  view.folders = {"INBOX", "Junk"};
  imap.instead["SELECT \"Junk\""] = {step::send("$TAG NO internal error\r\n")};
  EXPECT_EQ(open(), "mailbox");  // LIST shows it
  imap.instead["LIST"] = {step::send("$TAG NO internal error\r\n")};
  EXPECT_EQ(open(), "mailbox");
  imap.instead["SELECT \"Junk\""] = {step::close()};
  EXPECT_EQ(open(), "backend_lost");
}

TEST_F(ViewFoldersTest, KnownFolderThatWentAwayIsEmpty) {
  make_junk();
  view.folders = {"INBOX", "Junk"};
  ASSERT_EQ(open(), "");
  maildrop.reset();
  scheduler.run_until_idle();
  imap.mailboxes.erase("Junk");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
  EXPECT_EQ(text(3).size(), 30U);
  EXPECT_EQ(mark(1), "");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.removed(), ElementsAre(1));
}

TEST_F(ViewFoldersTest, ViewWithoutAnyFolderIsNotEmpty) {
  view.folders = {"Archive"};
  EXPECT_EQ(open(), "no_folder");
  view.folders = {"Archive", "Junk"};
  EXPECT_EQ(open(), "no_folder");
  make_junk();
  EXPECT_EQ(seen().substr(0, 12), "1 40\r\n2 50\r\n");
}

TEST_F(ViewFoldersTest, FolderThatWasAskedForHasToExist) {
  make_junk();
  for (const char* name : {"No such", "*", "%", "J*", "a\r\nb", "\xff"}) {
    folder = name;
    EXPECT_EQ(open(), "no_folder") << name;
  }
  imap.mailboxes["Entw\xc3\xbcrfe"];
  imap.mailboxes["Entw&APw-rfe"].uidvalidity = 3;
  folder = "Entw\xc3\xbcrfe";
  EXPECT_EQ(open(), "");
  EXPECT_EQ(asked_by_open().front(), "SELECT \"Entw&APw-rfe\"");
}

TEST_F(ViewFoldersTest, FolderThatCannotBeSelectedIsNoFolder) {
  folder = "Public";
  imap.select_refusal = "NO what?";
  imap.instead["LIST"] = {step::send("* LIST (\\Noselect) \"/\" \"Public\"\r\n$TAG OK x\r\n")};
  EXPECT_EQ(open(), "no_folder");
  imap.instead["LIST"] = {step::send("* LIST () \"/\" \"Public\"\r\n$TAG OK x\r\n")};
  EXPECT_EQ(open(), "mailbox");
}

// Windows

TEST_F(ViewFoldersTest, NewestOfEachFolder) {
  make_junk();
  view.folders = {"INBOX", "Junk"};
  view.newest = 1;
  EXPECT_EQ(seen(), "1 30\r\n2 50\r\n1 0000000300000010\r\n2 " + junk + "0000000200000010\r\n");
  view.newest = 2;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 20\r\n2 30\r\n3 40\r\n4 50\r\n");
  view.newest = 9;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n4 40\r\n5 50\r\n");
}

TEST_F(ViewFoldersTest, DaysAreCountedByInternalDate) {
  const auto today = std::chrono::floor<std::chrono::days>(scheduler.wall_now());
  imap.message(1).internal_date = search_date(today - std::chrono::days(8));
  imap.message(2).internal_date = search_date(today - std::chrono::days(7));
  imap.message(3).internal_date = search_date(today);
  view.days = 7;
  for (int login = 0; login < 2; ++login) {  // with and without a list
    ASSERT_EQ(open(), "");
    EXPECT_EQ(listing(), "1 20\r\n2 30\r\n");
  }
  view.newest = 1;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 30\r\n");
  view.newest = 0;
  for (std::uint32_t uid = 1; uid <= 3; ++uid) imap.message(uid).internal_date = "01-Jan-1999";
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "");
}

TEST_F(ViewFoldersTest, SearchThatIsNotAnsweredEmptiesNothing) {
  imap.instead["UID SEARCH"] = {step::send("$TAG OK done\r\n")};
  view.days = 7;
  EXPECT_EQ(open(), "mailbox");
  view.days = 0;
  settings.imap.deleted_messages = config::DeletedMessages::hide;
  ASSERT_EQ(open(), "");  // nothing is hidden
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
}

// What is hidden

TEST_F(ViewFoldersTest, MessagesThatAreMarkedAreShownUnlessHidden) {
  imap.message(2).flags.insert("\\Deleted");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
  settings.imap.deleted_messages = config::DeletedMessages::hide;
  for (int login = 0; login < 2; ++login) {
    ASSERT_EQ(open(), "");
    EXPECT_EQ(listing(), "1 10\r\n2 30\r\n");
  }
  imap.message(2).flags.clear();
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
}

TEST_F(ViewFoldersTest, HiddenMessagesSurviveTheOthers) {
  imap.message(2).flags.insert("\\Deleted");
  settings.imap.deleted_messages = config::DeletedMessages::hide;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(mark(1), "");
  EXPECT_EQ(mark(2), "");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.removed(), ElementsAre(1, 3));
}

TEST_F(ViewFoldersTest, HalfAnAnswerToTheSearchHidesNothing) {
  imap.message(2).flags.insert("\\Deleted");
  settings.imap.deleted_messages = config::DeletedMessages::hide;
  imap.once("UID SEARCH", {step::send("* SEARCH 1 2\r\n$TAG NO not now\r\n")});
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 10\r\n2 30\r\n");
  imap.instead["UID SEARCH"] = {step::send("* SEARCH 1 2\r\n$TAG NO never\r\n")};
  EXPECT_EQ(open(), "mailbox");
}

TEST_F(ViewFoldersTest, KeywordsHideInTheirOwnView) {
  imap.message(1).flags.insert("$postern-deleted");
  imap.message(2).flags.insert("$postern-kept-phone");
  imap.message(3).flags.insert("$postern-kept-desk");
  const std::pair<const char*, const char*> kept[] = {{"phone", "1 10\r\n2 30\r\n"},
                                                      {"desk", "1 10\r\n2 20\r\n"}};
  view.remove = DeletePolicy::keep;
  for (const auto& [name, shown] : kept) {
    view.name = name;
    ASSERT_EQ(open(), "");
    EXPECT_EQ(listing(), shown);
  }
  view.remove = DeletePolicy::flag;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 20\r\n2 30\r\n");
  view.remove.reset();
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
}

TEST_F(ViewFoldersTest, KeywordThatCannotBeKeptIsNoSilentLoss) {
  imap.inbox().keeps_keywords = false;
  for (const auto policy : {DeletePolicy::flag, DeletePolicy::keep}) {
    view.remove = policy;
    EXPECT_EQ(open(), "backend_policy");
  }
  imap.inbox().read_only = true;  // nothing is deleted there anyway
  EXPECT_EQ(open(), "");
  imap.inbox().read_only = false;
  imap.message(1).flags.insert("$postern-kept-default");  // known, so PERMANENTFLAGS has it
  EXPECT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 20\r\n2 30\r\n");
}

}  // namespace
}  // namespace postern::maildrop
