// The UPDATE state (RFC 1939 §6) and what may and may not lead to it.
#include "unit/session/world_test.hpp"

namespace postern::session {
namespace {

using Committed = std::vector<std::set<unsigned>>;

class UpdateTest : public WorldTest {
 protected:
  UpdateTest() { world.store.messages = {"a\r\n\r\n", "b\r\n\r\n", "c\r\n\r\n"}; }

  std::string told(const char* field) {
    const auto lines = world.log().of("session_end");
    return lines.empty() ? "" : test::LogLines::field(lines.back(), field);
  }
};

TEST_F(UpdateTest, QuitRemovesWhatWasNamed) {
  Client client = world.logged_in();
  client.say("DELE 1\r\nDELE 2\r\nRSET\r\nDELE 3\r\nDELE 3\r\n");
  EXPECT_EQ(client.say("QUIT\r\n"), "+OK bye\r\n");
  EXPECT_EQ(world.store.committed, (Committed{{3}}));
  EXPECT_EQ(told("dele"), "1");
  EXPECT_EQ(told("reason"), "quit");
  EXPECT_EQ(told("phase"), "update");
  EXPECT_EQ(world.backend_metrics().messages_dele.value(), 1U);
}

TEST_F(UpdateTest, ClientThatResetsBehindItsQuitHasSaidIt) {
  world.store.late["QUIT"] = 10s;
  Client client = world.logged_in();
  client.say("DELE 1\r\nQUIT\r\n");
  client.reset();
  world.pass(11s);
  EXPECT_EQ(world.store.committed, (Committed{{1}}));
  EXPECT_EQ(told("dele"), "1");
}

TEST_F(UpdateTest, QuitAndResetInOnePacketStillCommits) {
  Client client = world.logged_in();
  const std::string last = "DELE 1\r\nQUIT\r\n";
  Direction& out = client.peer().link().from(Side::b);
  out.cut_after(out.sent().size() + last.size(), Ending::reset);
  client.say(last);
  EXPECT_EQ(world.store.committed, (Committed{{1}}));
}

TEST_F(UpdateTest, QuitParsedAheadIsNotRead) {
  world.store.messages[0] = message_of(400'000);
  Client client = world.logged_in();
  client.peer().stop_reading();
  client.say("RETR 1\r\nDELE 1\r\nQUIT\r\n");
  client.reset();
  world.pass(1min);
  EXPECT_EQ(world.running(), 0U);
  EXPECT_TRUE(world.store.committed.empty());
  EXPECT_EQ(world.store.count("QUIT"), 0U);
}

TEST_F(UpdateTest, QuitBehindAnAnswerThatWasNotTakenIsNotRead) {
  world.store.capabilities = {"TOP", "UIDL"};  // so that DELE waits, and the answer to STAT leaves meanwhile
  Client client = world.logged_in();
  const std::string last = "STAT\r\nDELE 1\r\nQUIT\r\n";
  Direction& out = client.peer().link().from(Side::b);
  out.cut_after(out.sent().size() + last.size(), Ending::reset);
  client.say(last);
  EXPECT_EQ(world.store.count("DELE"), 1U);
  EXPECT_EQ(world.store.count("QUIT"), 0U);
  EXPECT_TRUE(world.store.committed.empty());
  EXPECT_EQ(told("reason"), "client_reset");
}

TEST_F(UpdateTest, QuitWithoutItsLineEndIsNone) {
  Client client = world.logged_in();
  client.say("DELE 1\r\nQUIT");
  client.close();
  world.pass(1min);
  EXPECT_TRUE(world.store.committed.empty());
  EXPECT_EQ(told("reason"), "client_eof");
}

TEST_F(UpdateTest, MisspeltQuitIsNone) {
  Client client = world.logged_in();
  EXPECT_EQ(brief(client.say("DELE 1\r\nQUIT now\r\nNOOP\r\n")), "+OK|-ERR|+OK");
  EXPECT_TRUE(world.store.committed.empty());
}

TEST_F(UpdateTest, ClientIsAnsweredAfterAMinuteAndTheWorkGoesOn) {
  world.store.late["QUIT"] = 90s;
  Client client = world.logged_in();
  EXPECT_EQ(client.say("DELE 1\r\nQUIT\r\n"), "+OK marked as deleted\r\n");
  world.pass(59s);
  EXPECT_EQ(client.hear(), "");
  world.pass(1s);
  EXPECT_EQ(client.hear(), in_transaction(FailureKind::update_failed));
  world.pass(10s);
  EXPECT_TRUE(world.store.committed.empty());
  EXPECT_EQ(told("reason"), "");  // told when all is over
  world.pass(20s);
  EXPECT_EQ(world.store.committed, (Committed{{1}}));
  EXPECT_EQ(told("dele"), "1");
}

TEST_F(UpdateTest, WorkHasAnEnd) {
  world.store.instead["QUIT"] = {step::pause(1h)};
  Client client = world.logged_in();
  client.say("DELE 1\r\nQUIT\r\n");
  world.pass(599s);
  EXPECT_EQ(world.running(), 1U);
  world.pass(1s);
  EXPECT_EQ(world.running(), 0U);
  EXPECT_EQ(world.log().of("update_failed").size(), 1U);
}

TEST_F(UpdateTest, QuitWithNothingToRemoveIsNotWaitedForLong) {
  world.store.instead["QUIT"] = {step::pause(1h)};
  Client client = world.logged_in();
  client.say("QUIT\r\n");
  world.pass(5s);
  EXPECT_EQ(client.hear(), "+OK bye\r\n");
}

TEST_F(UpdateTest, RefusalAndLossAreTold) {
  for (const test::Script& answer :
       {test::Script{step::send("-ERR some messages not removed\r\n")}, test::Script{step::close()},
        test::Script{step::reset()}, test::Script{step::send("what\r\n")}}) {
    world.store.instead["QUIT"] = answer;
    Client client = world.logged_in();
    client.say("DELE 1\r\n");
    EXPECT_EQ(client.say("QUIT\r\n"), in_transaction(FailureKind::update_failed));
    EXPECT_EQ(client.end(), "eof");
  }
  EXPECT_EQ(world.log().of("update_failed").size(), 4U);
}

TEST_F(UpdateTest, AnswerThatNobodyAskedForIsNotTakenForThatToQuit) {
  world.store.instead["DELE"] = {step::send("+OK\r\n+OK surplus\r\n")};
  Client client = world.logged_in();
  client.say("DELE 1\r\n");
  client.say("QUIT\r\n");
  world.pass(5s);
  EXPECT_EQ(client.peer().received().substr(client.peer().received().rfind("-ERR")),
            in_transaction(FailureKind::update_failed));
  EXPECT_EQ(world.store.count("QUIT"), 1U);  // what was named is removed nevertheless
}

TEST_F(UpdateTest, KickAndDrainDoNotReachAnUpdate) {
  world.store.late["QUIT"] = 30s;
  Client client = world.logged_in();
  client.say("DELE 1\r\nQUIT\r\n");
  world.environment().sessions.drain_all();
  world.environment().updates.drain_all();
  world.environment().sessions.end_all(FailureKind::kicked);
  world.pass(10s);
  EXPECT_EQ(client.end(), "eof");
  EXPECT_EQ(world.running(), 1U);
  world.pass(20s);
  EXPECT_EQ(world.store.committed, (Committed{{1}}));
}

TEST_F(UpdateTest, UpdateThatIsEndedIsToldAsUnfinished) {
  world.store.instead["QUIT"] = {step::pause(1h)};
  Client client = world.logged_in();
  client.say("DELE 1\r\nQUIT\r\n");
  world.environment().updates.end_all(FailureKind::draining);
  EXPECT_THAT(client.hear(), testing::EndsWith(in_transaction(FailureKind::update_failed)));
  EXPECT_EQ(world.log().of("update_failed").size(), 1U);
  EXPECT_EQ(told("dele"), "0");
}

}  // namespace
}  // namespace postern::session
