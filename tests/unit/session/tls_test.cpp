// TLS towards the client (RFC 2595 §4, RFC 8314).
#include "unit/session/world_test.hpp"

namespace postern::session {
namespace {

using TlsTest = WorldTest;

TEST_F(TlsTest, PasswordsAreRefusedInPlaintext) {
  Client client = world.connect(World::kStls);
  client.hear();
  const std::string refused = at_login(FailureKind::plaintext_forbidden);
  EXPECT_EQ(client.say("USER alice\r\nPASS secret\r\nAUTH PLAIN\r\nAUTH LOGIN\r\n"),
            refused + refused + refused + refused);
  EXPECT_EQ(client.say("AUTH\r\n"), "+OK\r\n.\r\n");
  EXPECT_EQ(client.say("CAPA\r\n"),
            "+OK capabilities follow\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nSTLS\r\n"
            "IMPLEMENTATION postern\r\n.\r\n");
  EXPECT_EQ(world.log().of("login_failed").size(), 1U);
  const auto& logins = world.listener_metrics(World::kStls).logins[0];
  EXPECT_EQ(logins[static_cast<std::size_t>(LoginResult::refused)].value(), 2U);
}

TEST_F(TlsTest, StlsProtectsAndForgets) {
  world.config.listeners[1].require_tls_for_auth = false;
  Client client = world.connect(World::kStls);
  client.hear();
  EXPECT_EQ(client.say("USER alice\r\nSTLS\r\n"), "+OK\r\n+OK begin TLS\r\n");
  client.start_tls();
  EXPECT_EQ(client.say("PASS secret\r\n"), at_login(FailureKind::client_protocol));
  EXPECT_THAT(client.say("CAPA\r\n"), testing::Not(testing::HasSubstr("STLS")));
  EXPECT_EQ(client.say("STLS\r\n"), at_login(FailureKind::client_protocol));
  EXPECT_EQ(client.log_in(), "+OK logged in\r\n");
  EXPECT_EQ(client.say("QUIT\r\n"), "+OK bye\r\n");
  EXPECT_EQ(client.end(), "eof");  // with close_notify
}

TEST_F(TlsTest, WhatIsSentBehindStlsEndsTheConnection) {
  for (const std::string behind : {"CAPA\r\n", "USER alice\r\nPASS secret\r\n", "\x16\x03\x01", "\n"}) {
    Client client = world.connect(World::kStls);
    client.hear();
    EXPECT_EQ(client.say("STLS\r\n" + behind), "");
    EXPECT_EQ(client.end(), "reset");
  }
  EXPECT_TRUE(world.server().connections.empty());
}

TEST_F(TlsTest, PlaintextInsteadOfAHandshakeEndsTheConnection) {
  for (const char* listener : {World::kStls, World::kImplicit}) {
    Client client = world.arrive(listener);
    if (listener == World::kStls) client.say("STLS\r\n");
    EXPECT_THAT(client.say("CAPA\r\nUSER alice\r\nPASS secret\r\n"), testing::Not(testing::HasSubstr("+OK")))
        << listener;
    world.pass(3s);
    EXPECT_NE(client.end(), "") << listener;
  }
}

TEST_F(TlsTest, ImplicitTlsGreetsBehindTheHandshake) {
  Client client = world.connect(World::kImplicit);
  EXPECT_EQ(client.hear(), "+OK postern ready\r\n");
  EXPECT_THAT(client.say("CAPA\r\n"), testing::HasSubstr("SASL PLAIN LOGIN"));
  EXPECT_EQ(client.log_in(), "+OK logged in\r\n");
  client.say("QUIT\r\n");
  const auto line = world.log().of("session_end").at(0);
  EXPECT_THAT(test::LogLines::field(line, "tls"), testing::StartsWith("TLSv1.3/"));
}

TEST_F(TlsTest, CutMessageHasNoCloseNotify) {
  world.store.messages = {"a\r\n\r\n"};
  world.store.instead["RETR"] = {step::send("+OK\r\nhalf of it\r\n"), step::close()};
  Client client = world.logged_in(World::kImplicit);
  EXPECT_THAT(client.say("RETR 1\r\n"), testing::Not(testing::HasSubstr(".\r\n")));
  EXPECT_EQ(client.end(), "reset");
}

TEST_F(TlsTest, HandshakeThatDoesNotEndIsClosedInTime) {
  Client stls = world.arrive(World::kStls), implicit = world.arrive(World::kImplicit);
  stls.say("STLS\r\n");
  world.pass(121s);
  EXPECT_EQ(stls.end(), "eof");
  EXPECT_EQ(implicit.end(), "eof");
  EXPECT_EQ(world.running(), 0U);
}

}  // namespace
}  // namespace postern::session
