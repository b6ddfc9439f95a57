// Credentials before an IMAP server (protocol AUTH-1, 2, 4, 5, 6, 9).
#include "unit/backend/imap_client_fixture.hpp"

namespace postern::backend {
namespace {

TEST_F(ImapLoginTest, PlainGoesWithTheCommandWhereTheServerTakesIt) {
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(heard(), "AUTHENTICATE PLAIN " + plain() + "\r\n");
  imap.capabilities = {"IMAP4rev1", "AUTH=PLAIN"};
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(heard(), "AUTHENTICATE PLAIN\r\n" + plain() + "\r\n");
}

TEST_F(ImapLoginTest, EveryContinuationIsOne) {
  for (const char* said : {"+\r\n", "+ \r\n", "+ go ahead\r\n", "* OK still here\r\n+ \r\n"}) {
    Script steps = answer("AUTHENTICATE PLAIN", said);
    steps.push_back(step::expect(plain() + "\r\n"));
    steps.push_back(step::send("$TAG OK [CAPABILITY IMAP4rev1] in\r\n"));
    script_after(" AUTH=PLAIN", steps);
    EXPECT_EQ(dial_and_log_in(), "") << said;
  }
}

TEST_F(ImapLoginTest, LongMessageHasALineOfItsOwn) {
  imap.password = std::string(700, 'x');
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(log_in("alice", imap.password), "");
  EXPECT_EQ(heard(), "AUTHENTICATE PLAIN\r\n" + plain("alice", imap.password) + "\r\n");
}

TEST_F(ImapLoginTest, LoginWhereThereIsNoPlain) {
  only_login();
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(heard(), "LOGIN \"alice\" \"secret\"\r\n");
}

TEST_F(ImapLoginTest, LoginDisabledWithoutPlainIsThePolicyOfTheServer) {
  imap.capabilities = {"IMAP4rev1", "AUTH=XOAUTH2", "LOGINDISABLED"};
  EXPECT_EQ(dial_and_log_in(), "backend_policy");
  EXPECT_EQ(heard(), "");
  imap.capabilities = {"IMAP4rev1", "AUTH=PLAIN", "LOGINDISABLED"};
  EXPECT_EQ(dial_and_log_in(), "");
}

// AUTH-6

TEST_F(ImapLoginTest, PasswordsGoAsStringsThatCanBeNothingElse) {
  const std::string kilo(1000, 'x');
  const std::pair<std::string, std::string> sent[] = {
      {"", "\"\""},
      {"\"", "\"\\\"\""},
      {"\\", "\"\\\\\""},
      {"{5+}", "\"{5+}\""},
      {"a b ", "\"a b \""},
      {"p\xc3\xa4ss", "{5}\r\np\xc3\xa4ss"},
      {"p\xe4ss", "{4}\r\np\xe4ss"},
      {"\x01", "{1}\r\n\x01"},
      {kilo, "{1000}\r\n" + kilo},
  };
  only_login();
  for (const auto& [password, as] : sent) {
    imap.password = password;
    EXPECT_EQ(dial(), "");
    EXPECT_EQ(log_in("alice", password), "") << password;
    EXPECT_EQ(heard(), "LOGIN \"alice\" " + as + "\r\n");
  }
}

TEST_F(ImapLoginTest, LiteralsThatDoNotWaitOnlyWhereThisConnectionSaidSo) {
  imap.capabilities = {"IMAP4rev1", "LITERAL+"};
  imap.password = "p\xc3\xa4ss";
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(log_in("alice", imap.password), "");
  EXPECT_EQ(heard(), "LOGIN \"alice\" {5+}\r\np\xc3\xa4ss\r\n");
  imap.capabilities_in_greeting = false;  // it is known, and not of this connection
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(log_in("alice", imap.password), "");
  EXPECT_EQ(heard(), "LOGIN \"alice\" {5}\r\np\xc3\xa4ss\r\n");
}

TEST_F(ImapLoginTest, SmallLiteralsDoNotWaitWhereOnlyTheseAreAllowed) {
  imap.capabilities = {"IMAP4rev1", "LITERAL-"};
  imap.password = std::string(4096, 'x');  // the longest that anybody may have
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(log_in("alice", imap.password), "");
  EXPECT_EQ(heard(), "LOGIN \"alice\" {4096+}\r\n" + imap.password + "\r\n");
}

TEST_F(ImapLoginTest, RefusedLiteralIsNotSent) {
  script_after("", answer("LOGIN \"alice\" {300}", "$TAG NO [AUTHENTICATIONFAILED] no\r\n"));
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(log_in("alice", std::string(300, 'x')), "auth_refused");
  EXPECT_EQ(heard(), "LOGIN \"alice\" {300}\r\n");
}

TEST_F(ImapLoginTest, WhatCouldBecomeACommandNeverReachesTheServer) {
  const std::string nul("a\0b", 3);
  for (const std::string& bad :
       {std::string("\r\nA1 DELETE INBOX"), std::string("a\nb"), std::string("a\rb"), nul}) {
    for (const char* offers : {"", " AUTH=PLAIN SASL-IR"}) {
      script_after(offers, {});
      EXPECT_EQ(dial(), "");
      EXPECT_EQ(log_in("alice", bad), "auth_refused");
      EXPECT_EQ(log_in(bad, "secret"), "auth_refused");
      EXPECT_EQ(heard(), "");
    }
  }
}

// ID

TEST_F(ImapLoginTest, ClientIsAnnouncedInOneFlightWithTheLoginAndBeforeIt) {
  settings.imap.announce_client = true;
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(imap.commands.front(),
            "ID (\"name\" \"postern\" \"x-originating-ip\" \"198.51.100.7\" \"x-originating-port\" \"40000\" "
            "\"x-connected-ip\" \"192.0.2.1\" \"x-connected-port\" \"995\" \"x-session-id\" \"session-1\" "
            "\"x-proxy-ttl\" \"4\")");
  EXPECT_EQ(imap.count("AUTHENTICATE"), 1U);
  EXPECT_EQ(dial_and_log_in(), "");
}

TEST_F(ImapLoginTest, ClientIsNotAnnouncedUnaskedOrWhereThereIsNoId) {
  EXPECT_EQ(dial_and_log_in(), "");
  settings.imap.announce_client = true;
  EXPECT_EQ(imap.count("ID"), 0U);
}

TEST_F(ImapLoginTest, RefusedIdIsNoTrouble) {
  settings.imap.announce_client = true;
  imap.instead["ID"] = {step::send("$TAG NO Error in IMAP command\r\n")};
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(imap.count("ID"), 1U);
}

TEST_F(ImapLoginTest, NothingFollowsALoginBeforeItsAnswer) {
  imap.late["AUTHENTICATE"] = imap.late["LOGIN"] = 5s;  // the model fails if anything comes meanwhile
  settings.imap.announce_client = true;
  EXPECT_EQ(dial_and_log_in(), "");
  only_login();
  EXPECT_EQ(dial_and_log_in(), "");
}

TEST_F(ImapLoginTest, LoginThatIsOkAndThenIsNotIsNoWrongPassword) {
  imap.capabilities_in_login_ok = false;  // AUTH-1, Exchange
  imap.instead["CAPABILITY"] = {step::send("$TAG BAD User is authenticated but not connected.\r\n")};
  EXPECT_EQ(dial_and_log_in(), "backend_protocol");
}

// Connections that end or fall silent

TEST_F(ImapLoginTest, SilenceBehindTheCredentialsIsATimeoutOfTheBackend) {
  const TimePoint begun = scheduler.now();
  imap.late["AUTHENTICATE"] = imap.late["LOGIN"] = 1h;
  EXPECT_EQ(dial_and_log_in(), "backend_timeout");
  EXPECT_EQ(scheduler.now() - begun, 30s);
  only_login();
  EXPECT_EQ(dial_and_log_in(), "backend_timeout");
  imap.late.clear();
  imap.capabilities_in_login_ok = false;
  imap.late["CAPABILITY"] = 1h;
  EXPECT_EQ(dial_and_log_in(), "backend_timeout");
}

TEST_F(ImapLoginTest, EndOrGoodbyeBehindTheCredentialsIsALostBackend) {
  for (const Script& steps :
       {Script{step::close()}, Script{step::reset()}, Script{step::send("* BYE bad day\r\n")},
        Script{step::send("$TAG OK in"), step::close()}}) {
    imap.instead["AUTHENTICATE"] = steps;
    EXPECT_EQ(dial_and_log_in(), "backend_lost");
  }
}

TEST_F(ImapLoginTest, AnswersToWhatWasNotAskedAreBrokenProtocol) {
  for (const char* said :
       {"X9 OK in\r\n", "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n+ more\r\n", "garbage\r\n", "* 1 FETCH ((((\r\n"}) {
    EXPECT_EQ(log_in_answered(said), "backend_protocol") << said;
  }
}

TEST_F(ImapLoginTest, FloodOfResponsesIsLeft) {
  std::string flood;
  for (int i = 0; i < 2000; ++i) flood += "* OK still here\r\n";
  EXPECT_EQ(log_in_answered(flood), "backend_protocol");
}

TEST_F(ImapLoginTest, LoginThatIsCutAnywhereNeverSucceedsAndNeverBlamesTheUser) {
  ASSERT_EQ(dial_and_log_in(), "");
  const std::size_t greeting = host().connections.back()->link().from(Side::b).sent().find('\n') + 1;
  const std::size_t all = host().connections.back()->link().from(Side::b).sent().size();
  for (const Ending ending : {Ending::eof, Ending::reset}) {
    for (std::size_t octets = 0; octets < all; ++octets) {
      host().serve = [this, octets, ending](Peer& peer) {
        peer.link().from(Side::b).cut_after(octets, ending);
        imap.serve(peer);
      };
      const std::string kind = dial_and_log_in();
      EXPECT_EQ(kind, octets < greeting ? "greeting" : "backend_lost") << octets;
    }
  }
}

TEST_F(ImapLoginTest, CancelledLoginEndsWithTheReason) {
  imap.late["AUTHENTICATE"] = 10s;
  ASSERT_EQ(dial(), "");
  const BackendCredentials credentials("alice", Secret("secret"));
  Running<Result<void>> login(scheduler, client->login(credentials, origin, coro::Deadline::never()));
  scheduler.run_until_idle();
  scope.cancel(FailureKind::kicked);
  scheduler.run_until_idle();
  ASSERT_TRUE(login.done());
  EXPECT_EQ(word(login.take().error()), "kicked");
}

TEST_F(ImapLoginTest, ServerThatNeverStopsIsLeftAtTheDeadline) {
  ASSERT_EQ(dial(), "");
  host().connections.back()->send("* SEARCH" + std::string(30'000, '1'));  // there is always more to read
  scheduler.run_until_idle();
  const std::uint64_t before = client->stream().bytes_read();
  const BackendCredentials credentials("alice", Secret("secret"));
  const coro::Deadline deadline(scheduler.now());
  const Result<void> done = scheduler.run(client->login(credentials, origin, deadline));
  EXPECT_EQ(word(done.error()), "backend_timeout");
  EXPECT_EQ(client->stream().bytes_read(), before);
}

}  // namespace
}  // namespace postern::backend
