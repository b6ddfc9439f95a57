// The AUTHORIZATION state (RFC 1939 §4, RFC 2449, RFC 5034).
#include "postern/sasl/sasl.hpp"
#include "unit/session/world_test.hpp"

namespace postern::session {
namespace {

std::string plain(const std::string& message) {
  return std::string(sasl::encode_base64(message).view());
}
std::string plain_of(const std::string& user, const std::string& password) {
  return plain(std::string(1, '\0') + user + std::string(1, '\0') + password);
}

class AuthorizationTest : public WorldTest {
 protected:
  /// What the client hears in the end, the delay of a refusal included.
  std::string say(Client& client, const std::string& octets) {
    std::string heard = client.say(octets);
    world.pass(2s);
    return heard + client.hear();
  }
};

TEST_F(AuthorizationTest, ListsMechanismsAndCapabilities) {
  Client client = world.connect();
  EXPECT_EQ(client.hear(), "+OK postern ready\r\n");
  EXPECT_EQ(client.say("AUTH\r\n"), "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n");
  EXPECT_EQ(
      client.say("capa\n"),
      "+OK capabilities follow\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN LOGIN\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
      "PIPELINING\r\nIMPLEMENTATION postern\r\n.\r\n");
  EXPECT_EQ(client.say("QUIT\r\n"), "+OK bye\r\n");
  EXPECT_EQ(client.end(), "eof");
  EXPECT_TRUE(world.server().connections.empty());
}

TEST_F(AuthorizationTest, UserAndPassLogIn) {
  Client client = world.connect();
  EXPECT_EQ(client.log_in(), "+OK logged in\r\n");
  EXPECT_EQ(world.store.logins, 1U);
  EXPECT_EQ(world.backend_metrics().sessions.value(), 1);
}

TEST_F(AuthorizationTest, UserIsNotLookedUp) {
  Client client = world.connect();
  client.hear();
  EXPECT_EQ(client.say("USER nobody at all\r\n"), "+OK\r\n");
  EXPECT_TRUE(world.server().connections.empty());
}

TEST_F(AuthorizationTest, SaslLogsIn) {
  const std::string initial = plain_of("alice", "secret");
  Client one = world.connect(), two = world.connect(), three = world.connect(), four = world.connect();
  EXPECT_THAT(one.say("AUTH PLAIN " + initial + "\r\n"), testing::EndsWith("+OK logged in\r\n"));
  EXPECT_THAT(two.say("auth plain\r\n"), testing::EndsWith("\r\n+ \r\n"));
  EXPECT_EQ(two.say(initial + "\r\n"), "+OK logged in\r\n");
  EXPECT_THAT(three.say("AUTH LOGIN\r\n"), testing::EndsWith("+ VXNlcm5hbWU6\r\n"));
  EXPECT_EQ(three.say(plain("alice") + "\r\n"), "+ UGFzc3dvcmQ6\r\n");
  EXPECT_EQ(three.say(plain("secret") + "\r\n"), "+OK logged in\r\n");
  EXPECT_THAT(four.say("AUTH LOGIN " + plain("alice") + "\r\n"), testing::EndsWith("+ UGFzc3dvcmQ6\r\n"));
  EXPECT_EQ(four.say(plain("secret") + "\r\n"), "+OK logged in\r\n");
}

TEST_F(AuthorizationTest, CancelledOrMalformedSaslIsForgotten) {
  Client client = world.connect();
  client.hear();
  const std::string refused = at_login(FailureKind::client_protocol);
  EXPECT_EQ(client.say("AUTH PLAIN\r\n*\r\n"), "+ \r\n" + refused);
  EXPECT_EQ(client.say("AUTH LOGIN\r\n*\r\n"), "+ VXNlcm5hbWU6\r\n" + refused);
  EXPECT_EQ(client.say("AUTH PLAIN\r\nno base64!\r\n"), "+ \r\n" + refused);
  for (const char* said :
       {"AUTH PLAIN =", "AUTH PLAIN =AAA", "AUTH PLAIN AHUA!", "AUTH PLAIN *", "AUTH NTLM"}) {
    EXPECT_EQ(client.say(std::string(said) + "\r\n"), refused) << said;
  }
  EXPECT_TRUE(world.server().connections.empty());
  EXPECT_EQ(client.log_in(), "+OK logged in\r\n");
}

TEST_F(AuthorizationTest, CredentialsThatNobodyCanHaveAreRefusedHere) {
  world.config.limits.max_auth_failures = 100;
  Client client = world.connect();
  client.hear();
  const std::string nul(1, '\0');
  for (const std::string& message : {"bob" + nul + "alice" + nul + "secret", nul + nul + "secret",
                                     nul + "al\nice" + nul + "secret", nul + "alice" + nul + "x\r\nQUIT"}) {
    EXPECT_EQ(say(client, "AUTH PLAIN " + plain(message) + "\r\n"), at_login(FailureKind::auth_refused))
        << message;
  }
  EXPECT_TRUE(world.server().connections.empty());
}

TEST_F(AuthorizationTest, RefusalTakesItsTimeAndAnOutageDoesNot) {
  Client client = world.connect();
  client.log_in("alice", "wrong");
  EXPECT_EQ(client.hear(), "");
  world.pass(1999ms);
  EXPECT_EQ(client.hear(), "");
  world.pass(1ms);
  EXPECT_EQ(client.hear(), at_login(FailureKind::auth_refused));
  world.server().way = test::Host::Way::refuses;
  EXPECT_EQ(client.log_in("alice", "other"), at_login(FailureKind::connect));
}

TEST_F(AuthorizationTest, AnswersBeforeARefusalAreNotHeldBack) {
  Client client = world.connect();
  client.log_in("alice", "wrong");
  world.pass(2s);
  client.hear();
  EXPECT_EQ(client.say("USER alice\r\nPASS wrong\r\n"), "+OK\r\n");  // known: no server is asked
}

TEST_F(AuthorizationTest, UnknownUserHearsWhatAWrongPasswordHears) {
  world.config.routes = {config::Route{config::Route::Match::domain, "example.org", "main", "", {}}};
  Client client = world.connect();
  client.hear();
  EXPECT_EQ(client.say("USER alice\r\nPASS secret\r\n"), "+OK\r\n");
  world.pass(1999ms);
  EXPECT_EQ(client.hear(), "");
  world.pass(1ms);
  EXPECT_EQ(client.hear(), at_login(FailureKind::auth_refused));
  EXPECT_TRUE(world.server().connections.empty());
}

TEST_F(AuthorizationTest, SamePairIsAskedOnce) {
  world.config.limits.max_auth_failures = 10;
  Client client = world.connect();
  client.hear();
  EXPECT_EQ(say(client, "AUTH PLAIN " + plain_of("alice", "wrong") + "\r\n"),
            at_login(FailureKind::auth_refused));
  EXPECT_EQ(say(client, "USER alice\r\nPASS wrong\r\n"), "+OK\r\n" + at_login(FailureKind::auth_refused));
  const std::string login = "AUTH LOGIN " + plain("alice") + "\r\n" + plain("wrong") + "\r\n";
  EXPECT_EQ(say(client, login), "+ UGFzc3dvcmQ6\r\n" + at_login(FailureKind::auth_refused));
  EXPECT_EQ(world.store.logins, 1U);
  EXPECT_EQ(say(client, "USER alice\r\nPASS secret\r\n"), "+OK\r\n+OK logged in\r\n");
  EXPECT_EQ(world.store.logins, 2U);
}

TEST_F(AuthorizationTest, PairIsAskedAgainAfterAnOutage) {
  world.store.instead["AUTH"] = {step::send("-ERR [SYS/TEMP] later\r\n")};
  Client client = world.connect();
  EXPECT_EQ(client.log_in(), at_login(FailureKind::auth_unavailable));
  world.store.instead.clear();
  EXPECT_EQ(client.log_in(), "+OK logged in\r\n");
}

TEST_F(AuthorizationTest, TooManyRefusalsEndTheConnection) {
  Client client = world.connect();
  client.hear();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.end(), "");
    EXPECT_EQ(brief(say(client, "USER alice\r\nPASS " + std::to_string(i) + "\r\n")), "+OK|-ERR [AUTH]");
  }
  EXPECT_EQ(client.end(), "eof");
}

TEST_F(AuthorizationTest, TooManyBadCommandsEndTheConnection) {
  Client client = world.connect();
  client.hear();
  for (const char* said : {"STAT\r\n", "RETR 1\r\n", "PASS x\r\n", "\r\n", "XTND\r\n", "APOP a b\r\n",
                           "STLS\r\n", "USER\r\n", "QUIT now\r\n"}) {
    EXPECT_EQ(client.say(said), at_login(FailureKind::client_protocol)) << said;
  }
  EXPECT_EQ(client.end(), "");
  EXPECT_EQ(client.say("NOOP\r\n"), at_login(FailureKind::client_protocol));
  EXPECT_EQ(client.end(), "eof");
}

TEST_F(AuthorizationTest, WhatIsSentBehindThePasswordWaits) {
  world.store.messages = {"a\r\n\r\n"};
  Client client = world.connect();
  client.hear();
  EXPECT_EQ(client.say("USER alice\r\nPASS secret\r\nSTAT\r\nQUIT\r\n"),
            "+OK\r\n+OK logged in\r\n+OK 1 5\r\n+OK bye\r\n");
}

TEST_F(AuthorizationTest, WhatIsSentBehindAWrongPasswordIsRefused) {
  Client client = world.connect();
  client.hear();
  EXPECT_EQ(brief(say(client, "USER alice\r\nPASS wrong\r\nDELE 1\r\nQUIT\r\n")), "+OK|-ERR [AUTH]|-ERR|+OK");
  EXPECT_EQ(world.store.count("DELE"), 0U);
  EXPECT_EQ(world.store.count("QUIT"), 0U);
}

TEST_F(AuthorizationTest, LinesThatAreTooLongEndTheConnection) {
  const std::string at_limit(1024 - 5, 'x'), initial(16 * 1024 - 11, 'A');
  const auto hears = [this](const std::string& said) {
    Client client = world.connect();
    client.hear();
    const std::string heard = brief(client.say(said));
    return heard + (client.end().empty() ? "" : "|closed");
  };
  EXPECT_EQ(hears("USER " + at_limit + "\r\n"), "+OK");
  EXPECT_EQ(hears("USER " + at_limit + "x\r\n"), "-ERR|closed");
  EXPECT_EQ(hears("AUTH PLAIN " + initial + "\r\n"), "-ERR");
  EXPECT_EQ(hears("AUTH PLAIN " + initial + "AAAA\r\n"), "-ERR|closed");
  EXPECT_EQ(hears(std::string(20'000, 'x')), "-ERR|closed");
  EXPECT_EQ(hears("AUTH PLAIN\r\n" + std::string(65'536, 'A')), "+ |-ERR|closed");
}

TEST_F(AuthorizationTest, LoginThatWaitsHoldsNothing) {
  world.store.late["AUTH"] = 10s;
  Client client = world.connect();
  client.say("AUTH PLAIN " + plain_of("alice", "secret") + "\r\n");
  EXPECT_EQ(world.pool().leased(), 0U);
  world.pass(10s);
  EXPECT_THAT(client.hear(), testing::EndsWith("+OK logged in\r\n"));
}

TEST_F(AuthorizationTest, OtherProtocolsAreClosedAtOnce) {
  for (const char* said : {"GET / HTTP/1.1\r\n", "EHLO there\r\n", "\x16\x03\x01"}) {
    Client client = world.connect();
    client.hear();
    EXPECT_EQ(client.say(said), "");
    EXPECT_EQ(client.end(), "eof");
  }
  const auto& rejected = world.listener_metrics().rejected;
  EXPECT_EQ(rejected[static_cast<std::size_t>(FailureKind::wrong_protocol)].value(), 3U);
}

TEST_F(AuthorizationTest, RefusalsOfTheServerAreMapped) {
  world.config.limits.max_auth_failures = 100;
  world.config.limits.auth_failure_delay = 0ms;
  const std::pair<const char*, FailureKind> rows[] = {
      {"-ERR [AUTH] no\r\n", FailureKind::auth_refused},
      {"-ERR [IN-USE] no\r\n", FailureKind::in_use},
      {"-ERR [LOGIN-DELAY] no\r\n", FailureKind::login_delay},
      {"-ERR [SYS/PERM] no\r\n", FailureKind::backend_policy},
      {"-ERR [SYS/TEMP] no\r\n", FailureKind::auth_unavailable},
      {"-ERR [SYS/NEW] no\r\n", FailureKind::auth_unavailable},
      {"what\r\n", FailureKind::backend_protocol},
  };
  Client client = world.connect();
  client.hear();
  int i = 0;
  for (const auto& [said, kind] : rows) {
    world.store.instead["AUTH"] = {step::send(said)};
    EXPECT_EQ(client.say("AUTH PLAIN " + plain_of("alice", std::to_string(i++)) + "\r\n"), at_login(kind))
        << said;
  }
}

TEST_F(AuthorizationTest, PasswordThatTheServerRepeatsIsNotLogged) {
  world.store.capabilities = {"TOP"};
  world.store.instead["PASS"] = {step::send("-ERR unknown command PASS secret\r\n")};
  Client client = world.connect();
  client.log_in();
  world.pass(2s);
  EXPECT_EQ(client.hear(), at_login(FailureKind::auth_refused));
  ASSERT_EQ(world.log().of("login_failed").size(), 1U);  // and the world looks for the password in all lines
}

TEST_F(AuthorizationTest, RefusedLoginIsToldWithClientAndUser) {
  Client client = world.connect();
  client.log_in(std::string(100, 'u'), "wrong");
  world.pass(2s);
  const auto lines = world.log().of("login_failed");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(test::LogLines::field(lines[0], "client"), "198.51.100.7");
  EXPECT_EQ(test::LogLines::field(lines[0], "reason"), "auth_refused");
  EXPECT_EQ(test::LogLines::field(lines[0], "user"), std::string(64, 'u'));
  EXPECT_EQ(test::LogLines::field(lines[0], "mech"), "user");
}

}  // namespace
}  // namespace postern::session
