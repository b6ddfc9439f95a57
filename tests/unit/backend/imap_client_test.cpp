// The client of an IMAP server until the credentials: greeting, TLS, capabilities.
#include "unit/backend/imap_client_fixture.hpp"

namespace postern::backend {
namespace {

using testing::ElementsAre;

TEST_F(ImapClientTest, AnyGreetingThatIsOkWillDo) {
  imap.capabilities_in_greeting = false;
  for (const char* greeting :
       {"* OK\r\n", "* ok hello\r\n", "* OK [ALERT] down at noon\r\n",
        "* OK [CAPABILITY IMAP4rev1 IMAP4rev2] ready\r\n", "* OK ready\r\n* CAPABILITY IMAP4rev1\r\n"}) {
    imap.greeting = {step::send(greeting)};
    forget();
    EXPECT_EQ(dial(), "") << greeting;
  }
}

TEST_F(ImapClientTest, AnythingElseIsNoServer) {
  for (const char* greeting :
       {"* BYE busy\r\n", "* NO busy\r\n", "* BAD busy\r\n", "+OK ready\r\n", "+ ready\r\n", "220 ready\r\n",
        "\r\n", "* 1 EXISTS\r\n", "A1 OK ready\r\n", "* CAPABILITY IMAP4rev1\r\n", "OK ready\r\n"}) {
    script({step::send(greeting)});
    EXPECT_EQ(dial(), "greeting") << greeting;
    EXPECT_EQ(heard(), "") << greeting;
  }
  EXPECT_EQ(progress.phase, Phase::greeting);
}

TEST_F(ImapClientTest, EndBeforeTheGreetingOrTooLongAGreetingIsNoServer) {
  for (const Script& steps :
       {Script{step::close()}, Script{step::reset()}, Script{step::send("* O"), step::close()},
        Script{step::send("* OK " + std::string(100'000, 'x'))}}) {
    script(steps);
    EXPECT_EQ(dial(), "greeting");
    EXPECT_EQ(heard(), "");
  }
}

TEST_F(ImapClientTest, PreauthIsRefusedAndNoOtherServerIsTried) {
  settings.servers.push_back(config::Server{"192.0.2.21", 143, {}});
  network.host("192.0.2.21", 143).serve = [this](Peer& peer) { imap.serve(peer); };
  script({step::send("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")});
  EXPECT_EQ(dial(), "backend_protocol");
  EXPECT_EQ(heard(), "");
  EXPECT_EQ(imap.connections, 0U);
}

TEST_F(ImapClientTest, GreetingIsWaitedForInTime) {
  script({step::pause(1h)});
  const TimePoint begun = scheduler.now();
  EXPECT_EQ(dial(), "greeting");
  EXPECT_EQ(scheduler.now() - begun, 10s);
}

// Capabilities

TEST_F(ImapClientTest, CapabilitiesOfTheGreetingAreNotAskedFor) {
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_TRUE(client->capabilities().uidplus);  // told with the login
  EXPECT_EQ(imap.count("CAPABILITY"), 0U);
}

TEST_F(ImapClientTest, CapabilitiesThatNobodyToldAreAskedForOnce) {
  imap.capabilities_in_greeting = imap.capabilities_in_login_ok = false;
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_TRUE(client->capabilities().uidplus);
  EXPECT_EQ(imap.count("CAPABILITY"), 2U);  // before the login, and after
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_TRUE(client->capabilities().uidplus);
  EXPECT_EQ(imap.count("CAPABILITY"), 2U);
  scheduler.advance(2h);
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(imap.count("CAPABILITY"), 4U);
}

TEST_F(ImapClientTest, UntaggedCapabilitiesBeforeTheLoginsOkCount) {
  imap.capabilities_in_login_ok = false;
  imap.capabilities_before_login_ok = true;
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_TRUE(client->capabilities().uidplus);
  EXPECT_EQ(imap.count("CAPABILITY"), 0U);
}

TEST_F(ImapClientTest, WhatIsToldReplacesWhatWasLearned) {
  EXPECT_EQ(dial_and_log_in(), "");
  imap.capabilities_after = {"IMAP4rev1"};
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_FALSE(client->capabilities().uidplus);
}

TEST_F(ImapClientTest, LoginDisabledAfterTheLoginMeansNothing) {
  imap.capabilities_after.push_back("LOGINDISABLED");  // Cyrus
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(dial_and_log_in(), "");
}

TEST_F(ImapClientTest, RefusedOrBrokenCapabilityIsNoServer) {
  for (const char* said :
       {"$TAG NO\r\n", "$TAG BAD what\r\n", "+ go on\r\n", "* BYE\r\n", "X9 OK done\r\n", "\x01\r\n"}) {
    Script steps = {step::send("* OK ready\r\n")};
    const Script asked = answer("CAPABILITY", said);
    steps.insert(steps.end(), asked.begin(), asked.end());
    script(steps);
    EXPECT_EQ(dial(), "greeting") << said;
  }
}

// TLS

class ImapTlsTest : public ImapClientTest {
 protected:
  ImapTlsTest() {
    settings.tls.mode = config::BackendTlsMode::starttls;
    settings.tls.server_name = "mail.example";
    imap.capabilities.push_back("STARTTLS");
    imap.tls = test::server_tls();
  }
};

TEST_F(ImapTlsTest, CapabilitiesAreThoseOfTheProtectedConnection) {
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_THAT(imap.commands, ElementsAre("STARTTLS", "CAPABILITY", "AUTHENTICATE PLAIN " + plain()));
  EXPECT_EQ(dial_and_log_in(), "");  // they are known now
  EXPECT_EQ(imap.count("CAPABILITY"), 1U);
  EXPECT_FALSE(capabilities.imap.find("192.0.2.20:143/plain").has_value());
}

TEST_F(ImapTlsTest, ImplicitTlsBeginsTheConnection) {
  settings.tls.mode = config::BackendTlsMode::implicit;
  imap.greeting = {step::secure(test::server_tls()), step::send("* OK ready\r\n")};
  EXPECT_EQ(dial_and_log_in(), "");
}

TEST_F(ImapTlsTest, PreauthUnderTlsIsRefusedToo) {
  settings.tls.mode = config::BackendTlsMode::implicit;
  script({step::secure(test::server_tls()), step::send("* PREAUTH ready\r\n")});
  EXPECT_EQ(dial(), "backend_protocol");
}

TEST_F(ImapTlsTest, WrongNameGetsNoPassword) {
  settings.tls.server_name = "other.example";
  EXPECT_EQ(dial(), "backend_tls");
  EXPECT_EQ(progress.phase, Phase::backend_tls);
  EXPECT_EQ(imap.logins, 0U);
}

TEST_F(ImapTlsTest, ServerWithoutStarttlsIsNotAsked) {
  script_after(" AUTH=PLAIN", {});
  EXPECT_EQ(dial(), "backend_tls");
  EXPECT_EQ(heard(), "");
}

TEST_F(ImapTlsTest, RefusedOrInjectedStarttlsIsNoServer) {
  for (const char* said : {"$TAG NO\r\n", "$TAG BAD what\r\n", "+ go on\r\n", "* BYE\r\n", "X9 OK begin\r\n",
                           "* 1 EXISTS\r\n", "* NO wait\r\n$TAG OK\r\n", "* PREAUTH hi\r\n$TAG OK\r\n",
                           "* SEARCH 1\r\n$TAG OK\r\n", "* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n",
                           "$TAG OK begin\r\n* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n",
                           "$TAG OK begin\r\n\x16", "$TAG OK begin\r\n* "}) {
    script_after(" STARTTLS", answer("STARTTLS", said));
    EXPECT_EQ(dial(), "backend_tls") << said;
    EXPECT_EQ(heard(), "STARTTLS\r\n") << said;
  }
}

TEST_F(ImapTlsTest, WhatComesBeforeTheAnswerIsForgotten) {
  Script steps = answer("STARTTLS", "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n* OK fine\r\n$TAG OK\r\n");
  steps.push_back(step::secure(test::server_tls()));
  const Script asked = answer("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n$TAG OK\r\n");
  steps.insert(steps.end(), asked.begin(), asked.end());
  script_after(" STARTTLS", steps);
  EXPECT_EQ(dial(), "");
  EXPECT_FALSE(client->capabilities().login_disabled);
}

TEST_F(ImapTlsTest, OctetsThatComeInsteadOfTheHandshakeEndIt) {
  Script steps = answer("STARTTLS", "$TAG OK begin\r\n");
  steps.push_back(step::pause(1s));
  steps.push_back(step::send("* CAPABILITY IMAP4rev1\r\n"));
  script_after(" STARTTLS", steps);
  EXPECT_EQ(dial(), "backend_tls");
}

// A server that falls silent

TEST_F(ImapTlsTest, SilenceBeforeTheCredentialsIsNoServer) {
  const Script silent = {step::pause(1h)};
  script_after(" STARTTLS", silent);
  EXPECT_EQ(dial(), "backend_tls");
  Script steps = answer("STARTTLS", "$TAG OK begin\r\n");
  steps.push_back(step::pause(1h));
  script_after(" STARTTLS", steps);
  EXPECT_EQ(dial(), "backend_tls");
  steps.pop_back();
  steps.push_back(step::secure(test::server_tls()));
  script_after(" STARTTLS", steps);
  EXPECT_EQ(dial(), "greeting");  // CAPABILITY is not answered
}

}  // namespace
}  // namespace postern::backend
