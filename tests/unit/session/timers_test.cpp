// How long a client may take.
#include "unit/session/world_test.hpp"

namespace postern::session {
namespace {

using TimersTest = WorldTest;

std::string reason(World& world) {
  const auto lines = world.log().of("session_end");
  return lines.empty() ? "" : test::LogLines::field(lines.back(), "reason");
}

TEST_F(TimersTest, LoginTimeIsAbsolute) {
  Client client = world.connect();
  client.hear();
  for (int i = 0; i < 11; ++i) {  // a byte every ten seconds, a command now and then
    world.pass(10s);
    client.say(i % 3 == 2 ? "CAPA\r\n" : " ");
    EXPECT_EQ(client.end(), "");
  }
  world.pass(9999ms);
  EXPECT_EQ(client.end(), "");
  world.pass(1ms);
  EXPECT_EQ(client.end(), "eof");
  EXPECT_EQ(reason(world), "login_timeout");
}

TEST_F(TimersTest, LoginTimeEndsABackendThatDoesNotAnswer) {
  world.config.backends[0].login_timeout = 10min;
  world.store.instead["AUTH"] = {step::pause(1h)};
  Client client = world.connect();
  client.log_in();
  world.pass(120s);
  EXPECT_EQ(client.end(), "eof");
  EXPECT_NE(world.server().connections.at(0)->ended(), std::nullopt);
  EXPECT_EQ(reason(world), "login_timeout");
}

TEST_F(TimersTest, LoginTimeEndsWithTheLogin) {
  Client client = world.logged_in();
  world.pass(599s);
  EXPECT_EQ(client.say("NOOP\r\n"), "+OK\r\n");
}

TEST_F(TimersTest, IdleTimeBeginsAnewWithEachCommand) {
  world.store.messages = {"a\r\n\r\n"};
  Client client = world.logged_in();
  for (int i = 0; i < 3; ++i) {
    world.pass(599s);
    EXPECT_EQ(brief(client.say("STAT\r\n")), "+OK");
  }
  client.say("DELE 1\r\n");
  world.pass(599s);
  client.say("QUI");  // not a command
  world.pass(1s);
  EXPECT_EQ(client.hear(), "");
  EXPECT_EQ(client.end(), "eof");
  EXPECT_EQ(reason(world), "idle_timeout");
  EXPECT_TRUE(world.store.committed.empty());
}

TEST_F(TimersTest, ClientThatStallsInsideAMessageIsReset) {
  world.store.messages = {message_of(1'000'000)};
  Client client = world.logged_in();
  client.peer().stop_reading();
  client.say("RETR 1\r\nDELE 1\r\nQUIT\r\n");
  world.pass(299s);
  EXPECT_EQ(world.running(), 1U);
  world.pass(1s);
  EXPECT_EQ(world.running(), 0U);
  EXPECT_EQ(reason(world), "client_stalled");
  EXPECT_EQ(world.backend_metrics().truncated.value(), 1U);
  EXPECT_TRUE(world.store.committed.empty());
  client.peer().read_on();
  EXPECT_THAT(client.hear(), testing::Not(testing::EndsWith("\r\n.\r\n")));
  EXPECT_EQ(client.end(), "reset");
}

TEST_F(TimersTest, SlowClientThatTakesALittleIsLeftAlone) {
  world.store.messages = {message_of(200'000)};
  Client client = world.logged_in();
  client.peer().link().from(Side::a).rules.capacity = 4096;
  client.peer().stop_reading();
  client.say("RETR 1\r\n");
  int looks = 0;
  for (; !client.peer().received().ends_with("\r\n.\r\n") && looks < 100; ++looks) {
    world.pass(200s);
    client.peer().read_on();
    world.scheduler().run_turn();
    client.peer().stop_reading();
  }
  EXPECT_EQ(client.peer().take().size() / 4096, 200'000U / 4096);
  EXPECT_GE(looks, 48);
  client.peer().read_on();
  EXPECT_EQ(client.say("NOOP\r\n"), "+OK\r\n");
}

TEST_F(TimersTest, ServerThatFallsSilentInsideAMessageIsGivenUp) {
  world.store.instead["RETR"] = {step::send("+OK\r\nhalf\r\n"), step::pause(10min)};
  Client client = world.logged_in();
  EXPECT_EQ(client.say("RETR 1\r\n"), "+OK\r\nhalf");
  world.pass(59s);
  EXPECT_EQ(client.end(), "");
  world.pass(1s);
  EXPECT_EQ(client.hear(), "");
  EXPECT_EQ(client.end(), "reset");
  EXPECT_EQ(reason(world), "backend_timeout");
}

TEST_F(TimersTest, ServerThatFallsSilentBeforeItsAnswerIsGivenUp) {
  world.store.instead["STAT"] = {step::pause(10min)};
  Client client = world.logged_in();
  client.say("STAT\r\n");
  world.pass(60s);
  EXPECT_EQ(client.hear(), in_transaction(FailureKind::backend_timeout));
  EXPECT_EQ(client.end(), "eof");
}

}  // namespace
}  // namespace postern::session
