// What a refused login means (protocol AUTH-2), and what is told of it.
#include "unit/backend/imap_client_fixture.hpp"

namespace postern::backend {
namespace {

TEST_F(ImapLoginTest, RefusalsMeanWhatTheirCodesSay) {
  const std::pair<const char*, const char*> meanings[] = {
      {"$TAG NO [AUTHENTICATIONFAILED] no\r\n", "auth_refused"},
      {"$TAG NO [AUTHORIZATIONFAILED] no\r\n", "auth_refused"},
      {"$TAG NO [EXPIRED] no\r\n", "auth_refused"},
      {"$TAG NO [UNAVAILABLE] no\r\n", "auth_unavailable"},
      {"$TAG NO [SERVERBUG] no\r\n", "auth_unavailable"},
      {"$TAG NO [CORRUPTION] no\r\n", "auth_unavailable"},
      {"$TAG NO [CLIENTBUG] no\r\n", "auth_unavailable"},
      {"$TAG NO [INUSE] no\r\n", "in_use"},
      {"$TAG NO [LIMIT] no\r\n", "backend_limit"},
      {"$TAG NO [PRIVACYREQUIRED] no\r\n", "backend_policy"},
      {"$TAG NO [CONTACTADMIN] no\r\n", "backend_policy"},
      {"$TAG NO [NOPERM] no\r\n", "backend_policy"},
      {"$TAG NO [REFERRAL imap://other/] no\r\n", "backend_policy"},
      {"$TAG NO no\r\n", "auth_refused"},
      {"$TAG NO\r\n", "auth_refused"},
      {"$TAG NO [X-WHATEVER y] no\r\n", "auth_refused"},
      {"$TAG NO [ALERT] no\r\n", "auth_refused"},
      {"* NO [ALERT] down at noon\r\n$TAG NO no\r\n", "auth_refused"},
      {"$TAG NO Invalid credentials [THROTTLED]\r\n", "auth_unavailable"},
      {"$TAG NO Request is throttled. Suggested Backoff Time: 299961 milliseconds\r\n", "auth_unavailable"},
  };
  for (const bool plain : {true, false}) {
    if (!plain) only_login();
    for (const auto& [said, kind] : meanings) {
      EXPECT_EQ(log_in_answered(said), kind) << said;
      EXPECT_EQ(imap.connections, ++connected);
      EXPECT_EQ(imap.logins, connected) << "shown once: " << said;
    }
  }
}

TEST_F(ImapLoginTest, BadIsNeverTheUsersFault) {
  only_login();
  EXPECT_EQ(log_in_answered("$TAG BAD what\r\n"), "backend_protocol");
  EXPECT_EQ(log_in_answered("$TAG BAD [AUTHENTICATIONFAILED] what\r\n"), "backend_protocol");
}

TEST_F(ImapLoginTest, ThrottlingIsNotAnsweredWithAnotherAttempt) {
  EXPECT_EQ(log_in_answered("$TAG BAD Request is throttled. Suggested Backoff Time: 5000 milliseconds\r\n"),
            "auth_unavailable");
  EXPECT_EQ(imap.logins, 1U);
}

TEST_F(ImapLoginTest, TextsThatAreNotAboutCredentials) {
  imap.like_courier();
  EXPECT_EQ(log_in_answered("$TAG NO Error in IMAP command received by server.\r\n"), "auth_unavailable");
  EXPECT_EQ(log_in_answered("$TAG NO Login failed.\r\n"), "auth_refused");
  EXPECT_EQ(log_in_answered("$TAG NO Maximum connection limit reached\r\n"), "auth_unavailable");
}

TEST_F(ImapLoginTest, TextsOfTheConfigurationAreAddedToThem) {
  settings.imap.not_credentials = {"database is down"};
  EXPECT_EQ(log_in_answered("$TAG NO The Database is DOWN.\r\n"), "auth_unavailable");
  EXPECT_EQ(log_in_answered("$TAG NO The database is up.\r\n"), "auth_refused");
}

TEST_F(ImapLoginTest, SurpriseRefusalOfAuthenticateFallsBackAndForgets) {
  for (const char* said :
       {"$TAG BAD unknown command\r\n", "$TAG NO Unsupported authentication mechanism.\r\n"}) {
    Script steps = answer("AUTHENTICATE PLAIN", said);
    const Script login = answer("LOGIN \"alice\" \"secret\"", "$TAG OK [CAPABILITY IMAP4rev1] in\r\n");
    steps.insert(steps.end(), login.begin(), login.end());
    script_after(" AUTH=PLAIN", steps);
    EXPECT_EQ(dial_and_log_in(), "") << said;
    EXPECT_FALSE(capabilities.imap.find("192.0.2.20:143/plain").has_value());
    script_after(" AUTH=PLAIN LOGINDISABLED", answer("AUTHENTICATE PLAIN", said));
    EXPECT_EQ(dial_and_log_in(), "backend_protocol") << said;
  }
}

TEST_F(ImapLoginTest, OkWithoutAPasswordProvesNothing) {
  script_after(" AUTH=PLAIN", answer("AUTHENTICATE PLAIN", "$TAG OK in\r\n"));
  EXPECT_EQ(dial_and_log_in(), "backend_protocol");
}

// Secrets

TEST_F(ImapLoginTest, WhatTheServerRepeatsIsNotTold) {
  const std::string password = "long\"password";
  const std::string repeated[] = {"long\"password", "LOGIN \"alice\" \"long\\\"password\"", "long\"pas...",
                                  "AUTHENTICATE PLAIN " + plain("alice", password)};
  for (const std::string& text : repeated) {
    for (const char* how : {"$TAG NO ", "$TAG BAD ", "* BYE "}) {
      imap.instead["AUTHENTICATE"] = imap.instead["LOGIN"] = {step::send(how + text + "\r\n")};
      ASSERT_EQ(dial(), "");
      EXPECT_NE(log_in("alice", password), "");
      EXPECT_EQ(detail, "the server repeated the password") << how << text;
      forget();
    }
  }
}

TEST_F(ImapLoginTest, NoCredentialIsLogged) {
  EXPECT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(log_in_answered("$TAG NO secret\r\n"), "auth_refused");
  EXPECT_FALSE(lines.mention("secret"));
  EXPECT_FALSE(lines.mention(plain()));
}

}  // namespace
}  // namespace postern::backend
