#include "postern/backend/pop3_client.hpp"

#include "postern/sasl/sasl.hpp"
#include "unit/backend/backend_fixture.hpp"

namespace postern::backend {
namespace {

class Pop3ClientTest : public BackendTest {
 protected:
  static std::string auth_plain(const std::string& user = "alice", const std::string& password = "secret") {
    return "AUTH PLAIN " + std::string(sasl::plain_initial_response(user, password).view()) + "\r\n";
  }
  static Script knows_nothing(Script then) {
    Script script = {step::send("+OK\r\n"), step::expect("CAPA\r\n"), step::send("-ERR\r\n")};
    for (auto& one : then) script.push_back(std::move(one));
    return script;
  }
  /// Behind an answer to CAPA: offers AUTH PLAIN and tells what its codes mean.
  static Script knows_sasl(Script then) {
    Script script = {step::send("+OK\r\n"), step::expect("CAPA\r\n"),
                     step::send("+OK\r\nSASL LOGIN PLAIN\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n")};
    for (auto& one : then) script.push_back(std::move(one));
    return script;
  }
};

TEST_F(Pop3ClientTest, AnyGreetingThatIsOkWillDo) {
  for (const char* greeting :
       {"+OK\r\n", "+OK <1896.697170952@host>\r\n", "+ok hello\n", "+OK [XCLIENT] ready\r\n"}) {
    store.greeting = {step::send(greeting)};
    EXPECT_EQ(dial(), "") << greeting;
  }
}

TEST_F(Pop3ClientTest, AnythingElseIsNoServer) {
  for (const char* greeting : {"-ERR busy\r\n", "* PREAUTH ready\r\n", "+ \r\n", "220 ready\r\n", "\r\n",
                               "+OKAY\r\n", "+OK\r\n+OK more\r\n"}) {
    script({step::send(greeting)});
    EXPECT_EQ(dial(), "greeting") << greeting;
    EXPECT_EQ(heard(), "") << greeting;
  }
  script({step::send(std::string(10'000, 'x'))});
  EXPECT_EQ(dial(), "greeting");
  script({step::close()});
  EXPECT_EQ(dial(), "greeting");
  script({step::reset()});
  EXPECT_EQ(dial(), "greeting");
}

TEST_F(Pop3ClientTest, GreetingIsWaitedForInTime) {
  script({step::pause(1h)});
  const TimePoint begun = scheduler.now();
  EXPECT_EQ(dial(), "greeting");
  EXPECT_EQ(scheduler.now() - begun, 10s);
}

TEST_F(Pop3ClientTest, CapabilitiesAreAskedOnce) {
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_TRUE(client->capabilities().pipelining);
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_TRUE(client->capabilities().pipelining);
  EXPECT_EQ(store.count("CAPA"), 1U);
  scheduler.advance(2h);
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(store.count("CAPA"), 2U);
}

TEST_F(Pop3ClientTest, ServerWithoutCapaIsTakenToHaveTopAndUidlOnly) {
  script(knows_nothing({}));
  EXPECT_EQ(dial(), "");
  EXPECT_TRUE(client->capabilities().top);
  EXPECT_TRUE(client->capabilities().uidl);
  EXPECT_FALSE(client->capabilities().pipelining);
}

TEST_F(Pop3ClientTest, EndlessOrBrokenCapaIsNoServer) {
  std::string endless = "+OK\r\n";
  for (int i = 0; i < 1000; ++i) endless += "X-CAPABILITY\r\n";
  endless += ".\r\n";
  for (const std::string& answer : {endless, "+OK\r\n" + std::string(5000, 'x'), std::string("what\r\n")}) {
    script({step::send("+OK\r\n"), step::expect("CAPA\r\n"), step::send(answer)});
    EXPECT_EQ(dial(), "greeting");
  }
  script({step::send("+OK\r\n"), step::expect("CAPA\r\n"), step::send("+OK\r\nTOP\r\n"), step::close()});
  EXPECT_EQ(dial(), "greeting");
  EXPECT_FALSE(capabilities.pop3.find("192.0.2.10:110/plain").has_value());
}

TEST_F(Pop3ClientTest, SaslSavesARoundTripWhereARefusalIsClear) {
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(heard(), "CAPA\r\n" + auth_plain());
  store.capabilities = {"SASL PLAIN", "RESP-CODES"};  // no AUTH-RESP-CODE
  capabilities.pop3.forget("192.0.2.10:110/plain");
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(heard(), "CAPA\r\nUSER alice\r\nPASS secret\r\n");
}

TEST_F(Pop3ClientTest, PasswordThatMakesTheLineTooLongGoesWithPass) {
  store.password = std::string(171, 'x');  // 5 + 171 + 2 octets are 240 in base64, 251 with AUTH PLAIN
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(log_in("alice", store.password), "");
  EXPECT_EQ(heard(), "CAPA\r\n" + auth_plain("alice", store.password));
  store.password += "xxx";
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(log_in("alice", store.password), "");
  EXPECT_EQ(heard(), "USER alice\r\nPASS " + store.password + "\r\n");
}

TEST_F(Pop3ClientTest, NameThatUserCannotCarryGoesWithSasl) {
  for (const std::string user : {"alice smith", "m\xc3\xbcller"}) {
    store.user = user;
    store.capabilities = {"USER", "SASL PLAIN"};
    EXPECT_EQ(dial(), "");
    EXPECT_EQ(log_in(user), "");
    EXPECT_THAT(heard(), testing::EndsWith(auth_plain(user)));
  }
}

TEST_F(Pop3ClientTest, ServerMayAskForTheMessageInALineOfItsOwn) {
  const std::string message(sasl::plain_initial_response("alice", "secret").view());
  for (const char* challenge : {"+ \r\n", "+\r\n", "+ go on\r\n"}) {
    script(knows_sasl({step::expect(auth_plain()), step::send(challenge), step::expect(message + "\r\n"),
                       step::send("+OK\r\n")}));
    capabilities.pop3.forget("192.0.2.10:110/plain");
    EXPECT_EQ(dial_and_log_in(), "") << challenge;
  }
}

TEST_F(Pop3ClientTest, LongMessageWaitsForTheChallenge) {
  const std::string user = "a b", password(300, 'x');
  const std::string message(sasl::plain_initial_response(user, password).view());
  script(knows_sasl({step::expect("AUTH PLAIN\r\n"), step::send("+ \r\n"), step::expect(message + "\r\n"),
                     step::send("+OK\r\n")}));
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(log_in(user, password), "");
  capabilities.pop3.forget("192.0.2.10:110/plain");
  script(knows_sasl({step::expect("AUTH PLAIN\r\n"), step::send("+OK\r\n")}));
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(log_in(user, password), "backend_protocol");  // nothing was proven
}

TEST_F(Pop3ClientTest, SurpriseRefusalOfSaslFallsBackAndForgets) {
  script(knows_sasl({step::expect(auth_plain()), step::send("-ERR unknown command\r\n"),
                     step::expect("USER alice\r\n"), step::send("+OK\r\n"), step::expect("PASS secret\r\n"),
                     step::send("+OK\r\n")}));
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_FALSE(capabilities.pop3.find("192.0.2.10:110/plain").has_value());
}

TEST_F(Pop3ClientTest, RefusedCredentialsAreNotShownTwice) {
  script(knows_sasl({step::expect(auth_plain()), step::send("-ERR [AUTH] no\r\n"), step::expect_end()}));
  EXPECT_EQ(dial_and_log_in(), "auth_refused");
  client.reset();
  scheduler.run_until_idle();
  EXPECT_EQ(heard(), "CAPA\r\n" + auth_plain());
  EXPECT_TRUE(capabilities.pop3.find("192.0.2.10:110/plain").has_value());
}

TEST_F(Pop3ClientTest, NothingIsSentAheadOfTheLogin) {
  script(knows_nothing({step::expect("USER alice\r\n"), step::pause(1s), step::send("+OK\r\n"),
                        step::expect("PASS secret\r\n"), step::pause(1s), step::send("+OK\r\n")}));
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(heard(), "CAPA\r\nUSER alice\r\nPASS secret\r\n");
}

TEST_F(Pop3ClientTest, RefusalsMeanWhatTheirCodesOrTextsSay) {
  const std::pair<const char*, const char*> known[] = {
      {"-ERR [AUTH] x\r\n", "auth_refused"},         {"-ERR [IN-USE] x\r\n", "in_use"},
      {"-ERR [LOGIN-DELAY] x\r\n", "login_delay"},   {"-ERR [SYS/PERM] x\r\n", "backend_policy"},
      {"-ERR [SYS/TEMP] x\r\n", "auth_unavailable"}, {"-ERR\r\n", "auth_refused"},
  };
  const std::pair<const char*, const char*> unknown[] = {
      {"-ERR [SYS/PERM] no\r\n", "auth_refused"},  // its bracket is not believed
      {"-ERR Your mailbox is already locked\r\n", "in_use"},
      {"-ERR internal error\r\n", "auth_unavailable"},
      {"-ERR\r\n", "auth_refused"},
  };
  store.capabilities = {"RESP-CODES"};
  for (const auto& [said, kind] : known) {
    store.instead["PASS"] = {step::send(said)};
    EXPECT_EQ(dial_and_log_in(), kind) << said;
  }
  store.capabilities = {"TOP"};
  capabilities.pop3.forget("192.0.2.10:110/plain");
  for (const auto& [said, kind] : unknown) {
    store.instead["PASS"] = {step::send(said)};
    EXPECT_EQ(dial_and_log_in(), kind) << said;
  }
}

TEST_F(Pop3ClientTest, RefusedUserIsARefusal) {
  store.capabilities = {"TOP"};
  store.instead["USER"] = {step::send("-ERR unknown user\r\n")};
  EXPECT_EQ(dial_and_log_in(), "auth_refused");
  EXPECT_EQ(heard(), "CAPA\r\nUSER alice\r\n");
}

TEST_F(Pop3ClientTest, ServerThatEndsOrFallsSilentBehindThePassword) {
  store.capabilities = {"TOP"};
  store.instead["PASS"] = {step::close()};
  EXPECT_EQ(dial_and_log_in(), "backend_lost");
  store.instead["PASS"] = {step::reset()};
  EXPECT_EQ(dial_and_log_in(), "backend_lost");
  store.instead["PASS"] = {step::send("+ challenge\r\n")};
  EXPECT_EQ(dial_and_log_in(), "backend_protocol");
  store.instead["PASS"] = {step::pause(1h)};
  const TimePoint begun = scheduler.now();
  EXPECT_EQ(dial_and_log_in(), "backend_timeout");
  EXPECT_EQ(scheduler.now() - begun, 30s);
}

TEST_F(Pop3ClientTest, WhatTheServerRepeatsIsNotTold) {
  store.capabilities = {"TOP"};
  for (const char* said : {"-ERR unknown command PASS long-password\r\n", "-ERR PASS long-pass...\r\n",
                           "PASS long-password\r\n"}) {
    store.instead["PASS"] = {step::send(said)};
    EXPECT_EQ(dial(), "");
    EXPECT_NE(log_in("alice", "long-password"), "");
    EXPECT_EQ(detail.find("long-pas"), std::string::npos) << detail;
  }
  script(knows_sasl({step::expect(auth_plain()), step::send("-ERR [AUTH] " + auth_plain())}));
  capabilities.pop3.forget("192.0.2.10:110/plain");
  EXPECT_EQ(dial_and_log_in(), "auth_refused");
  EXPECT_EQ(detail, "the server repeated the password");
}

TEST_F(Pop3ClientTest, CancelledLoginEndsWithTheReason) {
  store.late["AUTH"] = 10s;
  ASSERT_EQ(dial(), "");
  const BackendCredentials credentials("alice", Secret("secret"));
  Running<Result<void>> login(scheduler, client->login(credentials, coro::Deadline::never()));
  scheduler.run_until_idle();
  scope.cancel(FailureKind::kicked);
  scheduler.run_until_idle();
  ASSERT_TRUE(login.done());
  EXPECT_EQ(word(login.take().error()), "kicked");
}

// TLS

TEST_F(Pop3ClientTest, StlsProtectsTheLogin) {
  settings.tls.mode = config::BackendTlsMode::starttls;
  settings.tls.server_name = "mail.example";
  store.tls = test::server_tls();
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(store.commands,
            (std::vector<std::string>{"STLS", "CAPA", auth_plain().substr(0, auth_plain().size() - 2)}));
  EXPECT_TRUE(capabilities.pop3.find("192.0.2.10:110/stls").has_value());
}

TEST_F(Pop3ClientTest, ImplicitTlsBeginsTheConnection) {
  settings.tls.mode = config::BackendTlsMode::implicit;
  settings.tls.server_name = "mail.example";
  store.greeting = {step::secure(test::server_tls()), step::send("+OK\r\n")};
  EXPECT_EQ(dial_and_log_in(), "");
}

TEST_F(Pop3ClientTest, WrongNameOrNoTlsGetsNoPassword) {
  settings.tls.mode = config::BackendTlsMode::starttls;
  settings.tls.server_name = "other.example";
  store.tls = test::server_tls();
  EXPECT_EQ(dial(), "backend_tls");
  EXPECT_EQ(progress.phase, Phase::backend_tls);
}

TEST_F(Pop3ClientTest, RefusedOrInjectedStlsIsNoServer) {
  settings.tls.mode = config::BackendTlsMode::starttls;
  for (const char* answer : {"-ERR no\r\n", "+ \r\n", "what\r\n", "+OK\r\n+OK injected\r\n", "+OK\r\n\x16"}) {
    script({step::send("+OK\r\n"), step::expect("STLS\r\n"), step::send(answer)});
    EXPECT_EQ(dial(), "backend_tls") << answer;
    EXPECT_EQ(heard(), "STLS\r\n") << answer;
  }
  script({step::send("+OK\r\n"), step::expect("STLS\r\n"), step::send("+OK\r\n"), step::pause(1s),
          step::send("+OK injected\r\n")});
  EXPECT_EQ(dial(), "backend_tls");
}

}  // namespace
}  // namespace postern::backend
