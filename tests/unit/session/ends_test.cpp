// How a session ends from outside, and what is told about it.
#include "postern/pop3/command.hpp"
#include "unit/session/world_test.hpp"

namespace postern::session {
namespace {

class EndsTest : public WorldTest {
 protected:
  static std::string field(const std::string& line, const char* key) {
    return test::LogLines::field(line, key);
  }
  std::string told(const char* key) { return field(world.log().of("session_end").back(), key); }
};

TEST_F(EndsTest, DrainEndsWhatHasNotLoggedIn) {
  world.store.messages = {"a\r\n\r\n"};
  world.store.late["AUTH"] = 10s;
  Client inside = world.connect(), greeted = world.connect(), pending = world.connect();
  inside.log_in();
  world.pass(10s);
  inside.hear();
  greeted.hear();
  pending.log_in();
  world.environment().draining = true;
  world.environment().sessions.drain_all();
  EXPECT_EQ(greeted.hear(), at_login(FailureKind::draining));
  EXPECT_EQ(pending.hear(), at_login(FailureKind::draining));
  EXPECT_EQ(inside.say("STAT\r\n"), "+OK 1 5\r\n");
  EXPECT_EQ(world.connect().hear(), at_login(FailureKind::draining));
  world.environment().sessions.end_all(FailureKind::draining);
  EXPECT_EQ(inside.hear(), in_transaction(FailureKind::draining));
  EXPECT_EQ(inside.end(), "eof");
  EXPECT_TRUE(world.store.committed.empty());
}

TEST_F(EndsTest, DrainInsideAMessageCutsIt) {
  world.store.instead["RETR"] = {step::send("+OK\r\nhalf\r\n"), step::pause(30s)};
  Client client = world.logged_in();
  client.say("RETR 1\r\n");
  world.environment().sessions.end_all(FailureKind::draining);
  EXPECT_EQ(client.hear(), "");
  EXPECT_EQ(client.end(), "reset");
  EXPECT_EQ(told("reason"), "draining");
}

TEST_F(EndsTest, DrainInsideAHandshakeIsSilent) {
  Client client = world.arrive(World::kImplicit);
  world.environment().sessions.drain_all();
  EXPECT_EQ(client.hear(), "");
  EXPECT_EQ(client.end(), "eof");
}

TEST_F(EndsTest, KickIsSilentAndRemovesNothing) {
  world.store.messages = {"a\r\n\r\n"};
  Client client = world.logged_in();
  client.say("DELE 1\r\n");
  world.environment().sessions.end_all(FailureKind::kicked);
  EXPECT_EQ(client.hear(), "");
  EXPECT_EQ(client.end(), "eof");
  EXPECT_EQ(told("reason"), "kicked");
  EXPECT_EQ(world.store.count("QUIT"), 0U);
}

TEST_F(EndsTest, KickReachesEveryWait) {
  world.network().host("192.0.2.11", 110).way = test::Host::Way::silent;
  world.config.backends[0].servers = {config::Server{"192.0.2.11", 110, {}},
                                      config::Server{"mail.example", 110, {}}};
  Client connecting = world.connect(), refused = world.connect(), greeted = world.connect();
  connecting.log_in();
  refused.say("USER \x01\r\nPASS x\r\n");
  greeted.hear();
  EXPECT_EQ(world.running(), 3U);
  world.environment().sessions.end_all(FailureKind::kicked);
  world.settle();
  EXPECT_EQ(world.running(), 0U);
  for (const Client& client : {connecting, refused, greeted}) EXPECT_EQ(client.end(), "eof");
}

TEST_F(EndsTest, SessionsBeyondTheLimitAreToldToComeBack) {
  world.config.limits.max_sessions = 2;
  Client first = world.connect(), second = world.logged_in(), third = world.connect(World::kImplicit);
  EXPECT_EQ(third.hear(), at_login(FailureKind::overload));
  EXPECT_EQ(third.end(), "eof");
  first.say("QUIT\r\n");
  EXPECT_EQ(world.connect().hear(), "+OK postern ready\r\n");
  EXPECT_EQ(second.say("NOOP\r\n"), "+OK\r\n");
}

TEST_F(EndsTest, RushBeyondTheLimitIsNotListenedTo) {
  world.config.limits.max_sessions = 0;
  std::vector<Client> clients;  // none of them begins with TLS
  for (int i = 0; i < 70; ++i) clients.push_back(world.arrive(World::kImplicit));
  EXPECT_EQ(clients[63].end(), "");
  for (std::size_t i = 64; i < clients.size(); ++i) EXPECT_EQ(clients[i].end(), "reset");
  const auto lines = world.log().of("session_end");
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(field(lines[0], "level"), "warn");
  for (std::size_t i = 1; i < lines.size(); ++i)
    EXPECT_EQ(field(lines[i], "level"), "debug");  // one a second is told
}

TEST_F(EndsTest, SessionIsToldInOneLine) {
  world.store.messages = {"Subject: x\r\n\r\nhello\r\n", "b\r\n\r\n"};
  Client client = world.logged_in();
  client.say("RETR 1\r\nTOP 2 0\r\nDELE 2\r\n");
  world.pass(1500ms);
  client.say("QUIT\r\n");
  ASSERT_EQ(world.log().of("session_end").size(), 1U);
  const std::pair<const char*, const char*> fields[] = {
      {"level", "info"},
      {"client", "198.51.100.7"},
      {"client_port", "40000"},
      {"listener", "plain"},
      {"user", "alice"},
      {"backend", "main"},
      {"phase", "update"},
      {"server", "mail.example:110"},
      {"reason", "quit"},
      {"duration_ms", "1500.000"},
      {"commands", "6"},
      {"retr", "1"},
      {"top", "1"},
      {"dele", "1"},
  };
  for (const auto& [key, value] : fields) EXPECT_EQ(told(key), value) << key;
}

TEST_F(EndsTest, SessionIsCounted) {
  world.store.messages = {"Subject: x\r\n\r\nhello\r\n"};
  Client client = world.logged_in();
  EXPECT_EQ(world.listener_metrics().transaction.value(), 1);
  client.say("RETR 1\r\nRETR 2\r\nDELE 1\r\nXTND\r\nQUIT\r\n");
  metrics::BackendMetrics& cells = world.backend_metrics();
  const auto of = [](pop3::Verb verb) { return static_cast<std::size_t>(verb); };
  EXPECT_EQ(cells.commands_ok[of(pop3::Verb::retr)].value(), 1U);
  EXPECT_EQ(cells.commands_failed[of(pop3::Verb::retr)].value(), 1U);
  EXPECT_EQ(cells.commands_failed[of(pop3::Verb::other)].value(), 1U);
  EXPECT_EQ(cells.commands_ok[of(pop3::Verb::quit)].value(), 1U);
  EXPECT_EQ(cells.messages_retr.value(), 1U);
  EXPECT_EQ(cells.messages_dele.value(), 1U);
  EXPECT_EQ(cells.sessions_closed[metrics::kQuitEnd].value(), 1U);
  EXPECT_EQ(cells.logins[static_cast<std::size_t>(LoginResult::ok)].value(), 1U);
  const Peer& server = *world.server().connections.at(0);
  EXPECT_EQ(cells.bytes_to_backend.value(), server.received().size());
}

TEST_F(EndsTest, OctetsOfASessionWithoutCommandsAreCounted) {
  Client client = world.logged_in();
  client.close();
  const Peer& server = *world.server().connections.at(0);
  EXPECT_EQ(world.backend_metrics().bytes_to_backend.value(), server.received().size());
}

TEST_F(EndsTest, ProbeIsCountedButNotLogged) {
  Client client = world.connect();
  client.close();
  EXPECT_EQ(told("level"), "debug");
  EXPECT_EQ(world.listener_metrics().rejected[static_cast<std::size_t>(FailureKind::client_eof)].value(), 1U);
}

TEST_F(EndsTest, ServerIsFreedAtOnceAndTheClientIsWaitedForBriefly) {
  Client client = world.logged_in();
  client.peer().close_when_ended(false);
  EXPECT_EQ(brief(client.say(std::string(2000, 'x') + "\r\n")), "-ERR");
  EXPECT_EQ(client.end(), "eof");
  EXPECT_TRUE(world.server().connections.at(0)->ended().has_value());
  EXPECT_EQ(world.running(),
            1U);  // what the client still sends must not reset the connection under the answer
  world.pass(2s);
  EXPECT_EQ(world.running(), 0U);
}

TEST_F(EndsTest, ServerLostBetweenCommandsIsTold) {
  Client client = world.logged_in();
  world.server().connections.at(0)->reset();
  EXPECT_EQ(client.end(), "");
  EXPECT_EQ(client.say("NOOP\r\n"), in_transaction(FailureKind::backend_lost));
  EXPECT_EQ(client.end(), "eof");
}

}  // namespace
}  // namespace postern::session
