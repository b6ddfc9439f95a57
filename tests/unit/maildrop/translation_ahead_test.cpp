// Asking ahead (RETR-8): which commands a client's way through the mailbox makes.
#include "unit/maildrop/fetch_fixture.hpp"

namespace postern::maildrop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TranslationAheadTest : public FetchTest {
 protected:
  TranslationAheadTest() { imap.max_queued = 3; }

  /// Opens, forgets what that took.
  void begin() {
    ASSERT_EQ(open(), "");
    imap.commands.clear();
  }
  /// RETR of these; each has to come right.
  void walk(std::uint32_t first, std::uint32_t last, std::size_t octets = 0) {
    for (std::uint32_t message = first; message <= last; ++message) {
      ASSERT_EQ(text(message), small(message, octets)) << message;
    }
  }
  std::vector<std::string> sent() {
    wait();
    std::vector<std::string> all = asked();
    imap.commands.clear();
    return all;
  }
};

TEST_F(TranslationAheadTest, WindowDoublesWhileTheClientWalks) {
  fill(60);
  begin();
  walk(1, 6);
  EXPECT_THAT(sent(), ElementsAre(whole("1"), whole("2"), whole("3,4"), whole("5,6,7"), whole("8,9,10,11,12"),
                                  whole("13,14,15,16,17,18,19,20,21,22")));
  walk(7, 12);
  EXPECT_THAT(sent(), IsEmpty());  // half of the window is not used up yet
  walk(13, 60);
  EXPECT_LT(sent().size(), 8U);
  EXPECT_EQ(imap.connections, 1U);
}

TEST_F(TranslationAheadTest, WindowIsBoundedInOctets) {
  constexpr std::size_t kOctets = 200 * 1024;
  fill(12, kOctets);
  begin();
  walk(1, 5, kOctets);
  EXPECT_THAT(sent(), ElementsAre(whole("1"), whole("2"), whole("3,4"), whole("5,6"), whole("7")));
  walk(6, 12, kOctets);
}

TEST_F(TranslationAheadTest, LargeMessageIsNotAskedForAhead) {
  fill(8);
  imap.message(4).text = small(4, 300 * 1024);
  begin();
  walk(1, 3);
  EXPECT_THAT(sent(), ElementsAre(whole("1"), whole("2"), whole("3"), whole("5,6,7")));
  EXPECT_EQ(text(4), small(4, 300 * 1024));
  EXPECT_THAT(sent(), ElementsAre(whole("4")));
  walk(5, 8);
}

TEST_F(TranslationAheadTest, StopsAtAJump) {
  fill(40);
  begin();
  walk(1, 3);
  sent();
  EXPECT_EQ(text(20), small(20));
  EXPECT_THAT(sent(), ElementsAre(whole("20")));
  EXPECT_EQ(text(2), small(2));
  EXPECT_THAT(sent(), ElementsAre(whole("2")));
  EXPECT_EQ(opener.budget().used(), 0U);  // nothing is kept of what came meanwhile
  walk(20, 40);
  EXPECT_LT(sent().size(), 9U);  // what was left over is in nobody's way
}

TEST_F(TranslationAheadTest, StopsAtAnError) {
  fill(20);
  imap.instead[whole("3")] = {step::send("$TAG NO x\r\n")};
  imap.instead[whole("3,4")] = {step::send("$TAG NO x\r\n")};
  begin();
  walk(1, 2);
  EXPECT_EQ(text(3), "message_unavailable");
  sent();
  walk(4, 5);
  EXPECT_THAT(sent(), ElementsAre(whole("4"), whole("5"), whole("6,7")));
}

TEST_F(TranslationAheadTest, DeletingBetweenIsWalkingToo) {
  fill(20);
  begin();
  for (std::uint32_t message = 1; message <= 20; ++message) {
    walk(message, message);
    EXPECT_EQ(mark(message), "");
  }
  EXPECT_LT(sent().size(), 9U);
}

TEST_F(TranslationAheadTest, MarkedMessagesAreNotAskedFor) {
  fill(10);
  begin();
  for (const std::uint32_t message : {3U, 4U, 6U}) EXPECT_EQ(mark(message), "");
  walk(1, 2);
  EXPECT_THAT(sent(), ElementsAre(whole("1"), whole("2")));
  expect_retr({5, 6, 7});
  walk(5, 5);
  EXPECT_THAT(sent(), ElementsAre(whole("5"), whole("7")));
}

TEST_F(TranslationAheadTest, BodyOfAMessageThatIsMarkedIsNotKept) {
  fill(10);
  begin();
  walk(1, 2);
  settle();
  EXPECT_EQ(opener.budget().used(), 2 * small(3).size());
  EXPECT_EQ(mark(3), "");
  EXPECT_EQ(opener.budget().used(), small(4).size());
}

TEST_F(TranslationAheadTest, PipelinedRetrsBecomePipelinedFetches) {
  fill(10);
  begin();
  expect_retr({3, 8, 1, 5});
  EXPECT_EQ(text(3), small(3));
  EXPECT_THAT(sent(), ElementsAre(whole("3"), whole("8,1,5")));
  for (const std::uint32_t message : {8U, 1U, 5U}) EXPECT_EQ(text(message), small(message));
  EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(TranslationAheadTest, SameMessageTwiceIsAskedForTwice) {
  fill(3);
  begin();
  expect_retr({1, 1, 2, 1});
  for (const std::uint32_t message : {1U, 1U, 2U, 1U}) EXPECT_EQ(text(message), small(message));
  EXPECT_EQ(sent().size(), 4U);
}

TEST_F(TranslationAheadTest, QueueIsAskedForInSteps) {
  fill(32);
  begin();
  std::vector<QueuedCommand> all;
  for (std::uint32_t message = 1; message <= 32; ++message) all.push_back(command(pop3::Verb::retr, message));
  for (std::uint32_t message = 1; message <= 32; ++message) {
    maildrop->expect(all);
    all.erase(all.begin());
    walk(message, message);
  }
  const std::vector<std::string> commands = sent();
  EXPECT_EQ(commands[1], whole("2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"));
  EXPECT_LT(commands.size(), 6U);
}

TEST_F(TranslationAheadTest, NothingWhereItIsNotWanted) {
  fill(6);
  settings.imap.prefetch = false;
  begin();
  expect_retr({1, 2, 3});
  walk(1, 6);
  EXPECT_EQ(sent().size(), 6U);
}

TEST_F(TranslationAheadTest, NothingOnMeteredServers) {
  using config::ImapProfile;
  fill(6);
  for (const ImapProfile profile :
       {ImapProfile::gmail, ImapProfile::exchange, ImapProfile::yandex, ImapProfile::old}) {
    settings.imap.profile = profile;
    snapshots.snapshots.clear();
    begin();
    sent();
    expect_retr({1, 2, 3});
    walk(1, 6);
    EXPECT_EQ(sent().size(), 6U);
  }
}

TEST_F(TranslationAheadTest, OldServerHasOneCommandAtATime) {
  settings.imap.profile = config::ImapProfile::old;
  imap.max_queued = 1;
  imap.late["UID FETCH"] = 1s;
  fill(4);
  ASSERT_EQ(open(), "");
  walk(1, 3);
  EXPECT_EQ(top(4, 1), small(4));
  EXPECT_EQ(mark(1), "");
  EXPECT_EQ(mark(3), "");
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.removed(), ElementsAre(1, 3));
}

TEST_F(TranslationAheadTest, NeverMoreThanThreeCommandsAreUnanswered) {
  // The answers to the first ones are held up: each RETR gets its body, and no tagged line comes.
  fill(12);
  begin();
  for (std::uint32_t uid = 1; uid <= 12; ++uid) {
    const std::string set = std::to_string(uid);
    answer(uid, {step::send("* 1 FETCH (UID " + set + " BODY[] " + ImapStore::literal(small(uid)) + ")\r\n"),
                 step::pause(10s), step::send("$TAG OK\r\n")});
  }
  for (const std::uint32_t message : {1U, 5U, 9U, 3U, 11U, 7U}) EXPECT_EQ(text(message), small(message));
  EXPECT_EQ(top(12, 0), "Subject: 12\r\n\r\n");
  EXPECT_EQ(mark(2), "");
  EXPECT_EQ(commit(), "");  // the server would say if it had four
}

}  // namespace
}  // namespace postern::maildrop
