#include <gtest/gtest.h>

#include "tls/ssl_transport.hpp"
#include "tls/stage.hpp"
#include "unit/tls/ends.hpp"
#include "unit/tls/raw_client.hpp"

namespace postern::tls {
namespace {

using test::Side;
using namespace std::literals;

constexpr int kMostUpdates = 32;

void update_keys(RawClient& client, int times) {
  for (int i = 0; i < times; ++i) {
    ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(client.ssl()), 1);
    client.pump();
  }
}

TEST(HostilePeer, FloodOfKeyUpdatesEndsTheSession) {
  const auto server = make_server();
  RawClient client(*server);
  ASSERT_TRUE(client.shake_hands());
  update_keys(client, 40);
  std::array<char, 100> buffer;
  EXPECT_EQ(client.server->try_read(buffer).status, IoStatus::failed);
  EXPECT_EQ(client.server->failure(), "too many handshake messages between application data");
  EXPECT_EQ(client.server->try_write("x"s).status, IoStatus::failed);
}

TEST(HostilePeer, KeyUpdatesUpToTheLimitAreFineBetweenApplicationData) {
  const auto server = make_server();
  RawClient client(*server);
  ASSERT_TRUE(client.shake_hands());
  for (int i = 0; i < 3; ++i) {
    update_keys(client, kMostUpdates);
    client.write("NOOP\r\n");
    EXPECT_EQ(read_all(*client.server), "NOOP\r\n") << client.server->failure();
    EXPECT_EQ(client.read(), "");
  }
  update_keys(client, kMostUpdates + 1);
  std::array<char, 100> buffer;
  EXPECT_EQ(client.server->try_read(buffer).status, IoStatus::failed);
}

TEST(HostilePeer, CannotMakeTheStageGrowByReadingNothing) {
  const auto server = make_server();
  RawClient client(*server);
  ASSERT_TRUE(client.shake_hands());
  client.link.from(Side::b).rules.capacity = 0;
  ASSERT_EQ(client.server->try_write(pattern(64_KiB)).bytes, 64_KiB);
  IoResult last;
  std::size_t most = 0;
  for (int i = 0; i < 50 && last.ok(); ++i) {
    update_keys(client, kMostUpdates);
    client.write("NOOP\r\n");
    read_all(*client.server, &last);
    most = std::max(most, client.server->unsent());
  }
  EXPECT_EQ(last.status, IoStatus::failed);
  EXPECT_EQ(client.server->failure(), "the peer takes nothing and causes ever more to be sent");
  EXPECT_LE(most, Stage::kLimit);
}

TEST(HostilePeer, RenegotiationIsRefusedAndOldSessionGoesOn) {
  const auto server = make_server();
  RawClient client(*server, [](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION); });
  ASSERT_TRUE(client.shake_hands());
  ASSERT_EQ(SSL_renegotiate(client.ssl()), 1);
  SSL_do_handshake(client.ssl());
  client.pump();
  std::array<char, 100> buffer;
  EXPECT_EQ(client.server->try_read(buffer).want, Want::read);
  SSL_do_handshake(client.ssl());
  client.pump();
  client.read();
  EXPECT_EQ(client.alert_received(), SSL_AD_NO_RENEGOTIATION);
  EXPECT_EQ(client.server->try_write("+OK\r\n"s).bytes, 5U);
}

/// A server of TLS 1.2 that asks our client for another handshake.
class AskingServer : public ::testing::Test {
 protected:
  void SetUp() override {
    SSL* const ssl = static_cast<SslTransport&>(*ends_.server).ssl();
    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
    SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
    ASSERT_TRUE(ends_.shake_hands());
  }
  /// What the client's read came to, after so many HelloRequests.
  IoResult ask(int times) {
    SSL* const ssl = static_cast<SslTransport&>(*ends_.server).ssl();
    for (int i = 0; i < times; ++i) {
      EXPECT_EQ(SSL_renegotiate(ssl), 1);
      SSL_do_handshake(ssl);
    }
    ends_.server->try_flush();
    std::array<char, 100> buffer;
    return ends_.client->try_read(buffer);
  }

  Ends ends_;
};

TEST_F(AskingServer, IsAnsweredByAnAlertAndTheSessionGoesOn) {
  const std::size_t before = ends_.link.from(Side::a).sent().size();
  EXPECT_EQ(ask(1).want, Want::read);
  const std::size_t alert = 31;  // of TLS 1.2 with AES-GCM: 5 + 8 + 2 + 16 octets
  EXPECT_EQ(ends_.link.from(Side::a).sent().size() - before, alert);
  EXPECT_EQ(ends_.client->try_write("QUIT\r\n"s).bytes, 6U);
}

TEST_F(AskingServer, EndsTheSessionByAskingTooOften) {
  EXPECT_EQ(ask(kMostUpdates + 1).status, IoStatus::failed);
  EXPECT_EQ(ends_.client->failure(), "too many handshake messages between application data");
}

class NotTls : public ::testing::Test {
 protected:
  IoResult send(std::string_view octets) {
    peer_->try_write(octets);
    const IoResult result = server_->try_handshake();
    const std::string& sent = link_.from(Side::b).sent();
    EXPECT_EQ(server_->unsent(), 0U);
    alert_ = sent.size() == 7 && sent[0] == '\x15' ? static_cast<unsigned char>(sent[6]) : -1;
    return result;
  }
  test::MemoryLink link_;
  std::unique_ptr<ServerContext> context_ = make_server();
  std::unique_ptr<Transport> peer_ = link_.transport(Side::a);
  std::unique_ptr<TlsTransport> server_ = context_->accept(link_.transport(Side::b));
  int alert_ = -1;
};

TEST_F(NotTls, GarbageInARecordIsAnsweredByAnAlert) {
  EXPECT_EQ(send("\x16\x03\x01\x00\x08\x01\x00\x00\x04\x09\x09\x09\x09"sv).status, IoStatus::failed);
  EXPECT_EQ(alert_, SSL_AD_DECODE_ERROR);
  EXPECT_NE(server_->failure(), "");
}

TEST_F(NotTls, ARecordOfTheWrongKindIsAnsweredByAnAlert) {
  EXPECT_EQ(send("\x17\x03\x01\x00\x04oops"sv).status, IoStatus::failed);
  EXPECT_EQ(alert_, SSL_AD_UNEXPECTED_MESSAGE);
}

TEST_F(NotTls, TextFails) {
  EXPECT_EQ(send("CAPA\r\nUSER someone\r\n").status, IoStatus::failed);
  EXPECT_EQ(server_->failure(), "wrong version number");
  EXPECT_EQ(server_->try_handshake().status, IoStatus::failed);
  std::array<char, 100> buffer;
  EXPECT_EQ(server_->try_read(buffer).status, IoStatus::failed);
  EXPECT_EQ(server_->try_write("-ERR\r\n"s).status, IoStatus::failed);
}

TEST_F(NotTls, HttpFailsAndIsNamed) {
  EXPECT_EQ(send("GET / HTTP/1.1\r\n\r\n").status, IoStatus::failed);
  EXPECT_EQ(server_->failure(), "http request");
}

TEST(HostilePeer, AForgedRecordFailsWithAnAlert) {
  const auto server = make_server();
  RawClient client(*server);
  ASSERT_TRUE(client.shake_hands());
  client.send_as_is("\x17\x03\x03\x00\x14"s + std::string(20, 'x'));
  std::array<char, 100> buffer;
  EXPECT_EQ(client.server->try_read(buffer).status, IoStatus::failed);
  EXPECT_EQ(client.server->failure(), "decryption failed or bad record mac");
  client.read();
  EXPECT_EQ(client.alert_received(), SSL_AD_BAD_RECORD_MAC);
}

}  // namespace
}  // namespace postern::tls
