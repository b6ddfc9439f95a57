// What of a mailbox is shown (protocol VIEW-1 to 5, SNAP-11).
#include "maildrop/translate/view.hpp"

#include "unit/maildrop/snapshot_fixture.hpp"

namespace postern::maildrop {
namespace {

using config::DeletePolicy;

WallTime day(int year, unsigned month, unsigned of_month) {
  return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) /
                               static_cast<int>(of_month));
}

class ViewTest : public testing::Test {
 protected:
  std::string criteria() {
    const View view(settings, imap, quirks, capabilities);
    return view.criteria(day(2026, 11, 7));
  }
  config::View settings;
  config::Imap imap;
  backend::ImapQuirks quirks;
  imap::Capabilities capabilities = imap::parse_capabilities("UIDPLUS");
};

TEST_F(ViewTest, DatesAreWrittenAsSearchWantsThem) {
  EXPECT_EQ(search_date(day(2026, 11, 7)), "7-Nov-2026");
  EXPECT_EQ(search_date(day(2028, 2, 29) + 23h), "29-Feb-2028");
  EXPECT_EQ(search_date(day(2026, 1, 1) - 1s), "31-Dec-2025");
}

TEST_F(ViewTest, NothingIsAskedWhereEverythingIsShown) {
  EXPECT_EQ(criteria(), "");
}

TEST_F(ViewTest, OneSearchTellsWhatIsHidden) {
  imap.deleted_messages = config::DeletedMessages::hide;
  EXPECT_EQ(criteria(), "DELETED");
  settings.remove = DeletePolicy::flag;
  EXPECT_EQ(criteria(), "OR DELETED KEYWORD $postern-deleted");
  imap.deleted_messages = config::DeletedMessages::show;
  EXPECT_EQ(criteria(), "KEYWORD $postern-deleted");
}

TEST_F(ViewTest, WithDaysItTellsWhatIsShown) {
  settings.days = 7;
  EXPECT_EQ(criteria(), "SINCE 31-Oct-2026");
  imap.deleted_messages = config::DeletedMessages::hide;
  settings.remove = DeletePolicy::keep;
  settings.name = "phone";
  EXPECT_EQ(criteria(), "UNDELETED UNKEYWORD $postern-kept-phone SINCE 31-Oct-2026");
}

TEST_F(ViewTest, MessagesThatAreOnlyFlaggedAreHidden) {
  settings.without_uidplus = config::WithoutUidplus::flag_only;
  EXPECT_EQ(criteria(), "");
  capabilities.uidplus = false;
  EXPECT_EQ(criteria(), "DELETED");
}

TEST_F(ViewTest, NameOfAViewIsAnAtomInItsKeyword) {
  settings.remove = DeletePolicy::keep;
  settings.name = "My (phone)+";
  EXPECT_EQ(criteria(), "KEYWORD $postern-kept-+4dy+20+28phone+29+2b");
}

TEST_F(ViewTest, GmailMovesUnlessToldOtherwise) {
  quirks.delete_moves = true;
  EXPECT_EQ(View(settings, imap, quirks, capabilities).policy(), DeletePolicy::move);
  settings.remove = DeletePolicy::expunge;
  EXPECT_EQ(View(settings, imap, quirks, capabilities).policy(), DeletePolicy::expunge);
}

}  // namespace
}  // namespace postern::maildrop
