// Messages that servers cannot deliver (RETR-6): each time the connection dies, and all mail behind them
// waits.
#include "unit/maildrop/fetch_fixture.hpp"

namespace postern::maildrop {
namespace {

using testing::ElementsAre;

class TranslationPoisonTest : public FetchTest {
 protected:
  TranslationPoisonTest() {
    fill(4, 200);
    imap.message(2).breaks_at = 43;
  }
  std::string poisoned(Kept& sink) { return retrieve(sink, 2); }
};

TEST_F(TranslationPoisonTest, IsNotBegunAThirdTime) {
  for (int session = 1; session <= 2; ++session) {
    ASSERT_EQ(open(), "");
    Kept sink;
    EXPECT_EQ(poisoned(sink), "backend_lost");
    EXPECT_TRUE(sink.begun);
    EXPECT_FALSE(sink.ended);
  }
  ASSERT_EQ(open(), "");
  const std::size_t asked_before = imap.count("UID FETCH");
  Kept sink;
  EXPECT_EQ(poisoned(sink), "message_unreadable");
  EXPECT_EQ(top(2, 5), "message_unreadable");
  EXPECT_FALSE(sink.begun);
  EXPECT_EQ(imap.count("UID FETCH"), asked_before);
  EXPECT_EQ(text(3), small(3, 200));
  EXPECT_EQ(cells->messages_refused.value(), 2U);
  ASSERT_EQ(lines.of("message_refused").size(), 2U);
  EXPECT_EQ(test::LogLines::field(lines.of("message_refused").front(), "uid"), "2");
}

TEST_F(TranslationPoisonTest, CountsForThatMailboxAndUidvalidityOnly) {
  ASSERT_EQ(open(), "");
  Kept first;
  poisoned(first);
  ASSERT_EQ(snapshots.failed.size(), 1U);
  EXPECT_EQ(snapshots.failed.begin()->first,
            std::make_tuple(store::MailboxKey("main", "alice", "INBOX"), 1U, 2U));
  imap.inbox().uidvalidity = 2;
  ASSERT_EQ(open(), "");
  Kept second, third;
  poisoned(second);
  ASSERT_EQ(open(), "");
  EXPECT_EQ(poisoned(third), "backend_lost");  // the second time there
}

TEST_F(TranslationPoisonTest, TopDiesOfItToo) {
  for (int session = 1; session <= 2; ++session) {
    ASSERT_EQ(open(), "");
    EXPECT_EQ(top(2, 5), "backend_lost");
  }
  ASSERT_EQ(open(), "");
  EXPECT_EQ(top(2, 5), "message_unreadable");
}

TEST_F(TranslationPoisonTest, TwoDeathsBeforeTheLiteralAreThisMessagesOwn) {
  answer(3, {step::close()});
  ASSERT_EQ(open(), "");
  Kept sink;
  EXPECT_EQ(retrieve(sink, 3), "message_unavailable");
  EXPECT_FALSE(sink.begun);
  EXPECT_EQ(imap.connections, 2U);
  EXPECT_EQ(cells->messages_refused.value(), 1U);
  EXPECT_TRUE(snapshots.failed.empty());
  EXPECT_EQ(text(4), small(4, 200));
  EXPECT_EQ(imap.connections, 3U);
}

TEST_F(TranslationPoisonTest, DoesNoHarmToTheMessagesBeforeIt) {
  imap.descending = true;  // it comes first
  imap.message(2).breaks_at.reset();
  imap.message(4).breaks_at = 43;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(text(1), small(1, 200));
  EXPECT_EQ(text(2), small(2, 200));  // asks for 3 and 4
  EXPECT_EQ(text(3), small(3, 200));
  EXPECT_TRUE(snapshots.failed.empty());
  Kept sink;
  EXPECT_EQ(retrieve(sink, 4), "backend_lost");
}

TEST_F(TranslationPoisonTest, DoesNoHarmWhenTheClientHasAskedForBoth) {
  imap.instead[whole("2")] = {step::reset()};  // even the answer to the one before is lost
  ASSERT_EQ(open(), "");
  expect_retr({1, 2});
  EXPECT_EQ(text(1), small(1, 200));
  expect_retr({2});
  EXPECT_EQ(text(2), "message_unavailable");
  EXPECT_EQ(text(3), small(3, 200));
}

TEST_F(TranslationPoisonTest, IsNotAskedForAhead) {
  ASSERT_EQ(open(), "");
  Kept sink;
  EXPECT_EQ(poisoned(sink), "backend_lost");
  imap.commands.clear();
  ASSERT_EQ(open(), "");
  expect_retr({1, 2, 3});
  EXPECT_EQ(text(1), small(1, 200));
  EXPECT_THAT(asked(), ElementsAre("SELECT \"INBOX\"", whole("1"), whole("3")));
}

}  // namespace
}  // namespace postern::maildrop
