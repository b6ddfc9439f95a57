#include <gtest/gtest.h>
#include <malloc.h>

#include "tls/ssl_transport.hpp"
#include "tls/stage.hpp"
#include "unit/tls/ends.hpp"
#include "unit/tls/raw_client.hpp"

namespace postern::tls {
namespace {

using test::Side;

constexpr std::size_t kKeyUpdate = 27;  // RFC 8446 §4.6.3: 5 octets, and 22 around them

struct Shape {
  std::size_t most = test::Direction::kNoLimit;  ///< octets of each call below
  bool alternate = false;
  std::size_t buffer = 16_KiB;  ///< of each try_read
};

class Shaped : public ::testing::TestWithParam<Shape> {};

TEST_P(Shaped, CarriesBothWaysInWhateverPieces) {
  Ends ends;
  for (const Side side : {Side::a, Side::b}) {
    auto& rules = ends.link.from(side).rules;
    rules.most_per_read = rules.most_per_write = GetParam().most;
    rules.alternate_reads = rules.alternate_writes = GetParam().alternate;
    rules.capacity = 20'000;
  }
  ASSERT_TRUE(ends.shake_hands());
  const std::string down = pattern(GetParam().most < 100 ? 20'000 : 300'000, 1);
  const std::string up = pattern(10'000, 2);
  EXPECT_TRUE(carry(*ends.server, *ends.client, down, GetParam().buffer) == down);
  EXPECT_TRUE(carry(*ends.client, *ends.server, up, GetParam().buffer) == up);
  EXPECT_EQ(ends.server->unsent() + ends.client->unsent(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Pieces, Shaped,
                         ::testing::Values(Shape{1, false, 16_KiB}, Shape{1, true, 7}, Shape{2, true, 16_KiB},
                                           Shape{7, true, 100}, Shape{16_KiB, true, 1},
                                           Shape{16_KiB, false, 16_KiB}, Shape{64_KiB, true, 64_KiB},
                                           Shape{64_KiB, false, 3}, Shape{}));

class SslTransportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ends_.shake_hands());
    read_all(*ends_.client);  // takes the tickets
  }
  test::Direction& to_client() { return ends_.link.from(Side::b); }

  Ends ends_;
};

TEST_F(SslTransportTest, TakesAtMost64KiBAndSendsThemInOneCall) {
  const std::string data = pattern(100'000);
  const std::size_t calls = to_client().write_calls();
  const std::size_t before = to_client().sent().size();
  EXPECT_EQ(ends_.server->try_write(data).bytes, 64_KiB);
  EXPECT_EQ(to_client().write_calls() - calls, 1U);
  EXPECT_EQ(to_client().sent().size() - before, Stage::kOneWrite);
  EXPECT_EQ(read_all(*ends_.client), data.substr(0, 64_KiB));
}

TEST_F(SslTransportTest, AcceptsOneWriteWhenBlockedThenNothing) {
  to_client().rules.capacity = 0;
  const IoResult first = ends_.server->try_write(pattern(64_KiB));
  EXPECT_EQ(first.bytes, 64_KiB);
  EXPECT_EQ(first.want, Want::none);
  EXPECT_EQ(ends_.server->unsent(), Stage::kOneWrite);
  const IoResult second = ends_.server->try_write(std::string("more"));
  EXPECT_EQ(second.bytes, 0U);
  EXPECT_EQ(second.want, Want::write);
  EXPECT_EQ(ends_.server->unsent(), Stage::kOneWrite);
}

TEST_F(SslTransportTest, RetryWithOtherOctetsSendsThoseAndNoOldOnes) {
  to_client().rules.capacity = 10'000;
  const std::string first = pattern(64_KiB, 1);
  ASSERT_EQ(ends_.server->try_write(first).bytes, 64_KiB);
  ASSERT_EQ(ends_.server->try_write(pattern(64_KiB, 2)).want, Want::write);
  const std::string other = "shorter, and something else";
  std::string got;
  while (ends_.server->try_write(other).want == Want::write) got += read_all(*ends_.client);
  got += read_all(*ends_.client);
  EXPECT_TRUE(got == first + other);
}

TEST_F(SslTransportTest, HoldsBackTheNextWriteUntilTheLastOctetLeft) {
  to_client().rules.capacity = 10;
  ASSERT_EQ(ends_.server->try_write(std::string("reply")).bytes, 5U);
  const std::size_t left = ends_.server->unsent();
  ASSERT_GT(left, 0U);
  to_client().rules.capacity = 10 + left - 1;
  EXPECT_EQ(ends_.server->try_write(std::string("next")).want, Want::write);
  EXPECT_EQ(ends_.server->unsent(), 1U);
  to_client().rules.capacity = 1000;
  EXPECT_EQ(ends_.server->try_write(std::string("next")).bytes, 4U);
  EXPECT_EQ(read_all(*ends_.client), "replynext");
}

TEST_F(SslTransportTest, TellsTheWantTogetherWithAShortRead) {
  write_all(*ends_.server, "+OK\r\n");
  std::array<char, 100> buffer;
  const IoResult read = ends_.client->try_read(buffer);
  EXPECT_EQ(read.bytes, 5U);
  EXPECT_EQ(read.want, Want::read);
}

TEST_F(SslTransportTest, TellsNoWantWhenTheBufferIsFull) {
  write_all(*ends_.server, "0123456789");
  std::array<char, 5> buffer;
  EXPECT_EQ(ends_.client->try_read(buffer).want, Want::none);
  const IoResult rest = ends_.client->try_read(buffer);
  EXPECT_EQ(rest.bytes, 5U);
  EXPECT_EQ(rest.want, Want::none);
  EXPECT_EQ(ends_.client->try_read(buffer).want, Want::read);
}

TEST_F(SslTransportTest, EmptyCallsDoNothing) {
  const std::size_t before = to_client().sent().size();
  EXPECT_TRUE(ends_.server->try_write({}).ok());
  EXPECT_EQ(ends_.server->try_read({}).want, Want::none);
  EXPECT_EQ(to_client().sent().size(), before);
}

TEST_F(SslTransportTest, TellsWhatTheHandshakeAgreedOn) {
  const Info info = ends_.server->info();
  EXPECT_EQ(info.version, "TLSv1.3");
  EXPECT_EQ(info.cipher, "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(info.server_name, "mail.example");
  EXPECT_FALSE(info.resumed);
  EXPECT_EQ(ends_.client->info().server_name, "mail.example");
  EXPECT_EQ(ends_.server->failure(), "");
}

TEST(SslTransport, TicketsLeaveTogetherWithTheGreeting) {
  const auto server = make_server(server_options(), make_keys());
  const auto client = make_client();
  Ends ends(*client, *server);
  while (ends.server->try_handshake().want != Want::none)
    ends.client->try_handshake(), ends.client->try_flush();
  EXPECT_GT(ends.server->unsent(), 100U);
  const std::size_t calls = ends.link.from(Side::b).write_calls();
  write_all(*ends.server, "+OK ready\r\n");
  EXPECT_EQ(ends.link.from(Side::b).write_calls() - calls, 1U);
  EXPECT_EQ(ends.server->unsent(), 0U);
  EXPECT_EQ(read_all(*ends.client), "+OK ready\r\n");
}

TEST(SslTransport, ReadingSendsWhatIsStagedBeforeItWaits) {
  const auto server = make_server(server_options(), make_keys());
  const auto client = make_client();
  Ends ends(*client, *server);
  while (ends.server->try_handshake().want != Want::none)
    ends.client->try_handshake(), ends.client->try_flush();
  ASSERT_GT(ends.server->unsent(), 0U);
  std::array<char, 10> buffer;
  EXPECT_EQ(ends.server->try_read(buffer).want, Want::read);
  EXPECT_EQ(ends.server->unsent(), 0U);
}

TEST(SslTransport, ShakesHandsByItselfWhenReadOrWritten) {
  Ends ends;
  std::string got;
  bool written = false;
  for (int i = 0; i < 10 && got.empty(); ++i) {
    written = written || ends.client->try_write(std::string("hello")).bytes == 5;
    got = read_all(*ends.server);
  }
  EXPECT_EQ(got, "hello");
}

// OpenSSL writes the answer to a KeyUpdate when it handles the next one, or with the next write.
TEST(SslTransport, AnswersToKeyUpdatesLeaveWhenReadingCausesThem) {
  const auto server = make_server();
  RawClient client(*server);
  ASSERT_TRUE(client.shake_hands());
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    client.write("NOOP\r\n");
  }
  const std::size_t before = client.link.from(Side::b).sent().size();
  EXPECT_EQ(read_all(*client.server), "NOOP\r\nNOOP\r\n");
  EXPECT_EQ(client.link.from(Side::b).sent().size() - before, kKeyUpdate);
  EXPECT_EQ(client.server->unsent(), 0U);
  write_all(*client.server, "+OK\r\n");
  EXPECT_EQ(client.link.from(Side::b).sent().size() - before, 2 * kKeyUpdate + 5 + 22);
  EXPECT_EQ(client.read(), "+OK\r\n");
}

TEST(SslTransport, CountsAnAlertThatCannotLeaveAsUnsent) {
  const auto server = make_server();
  RawClient client(*server);
  ASSERT_TRUE(client.shake_hands());
  client.link.from(Side::b).rules.capacity = 0;
  client.send_as_is("\x17\x03\x03" + std::string(100, 'x'));
  std::array<char, 100> buffer;
  EXPECT_EQ(client.server->try_read(buffer).status, IoStatus::failed);
  EXPECT_EQ(client.server->unsent(), 24U);
  EXPECT_EQ(client.server->try_flush().want, Want::write);
  client.link.from(Side::b).rules.capacity = 1000;
  EXPECT_EQ(client.server->try_flush().want, Want::none);
  EXPECT_EQ(client.server->unsent(), 0U);
  client.read();
  EXPECT_EQ(client.alert_received(), SSL_AD_RECORD_OVERFLOW);
}

TEST(SslTransport, CarriesLargeWritesToClientsThatAskForSmallRecords) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ServerOptions options = server_options();
    options.ciphers = "ECDHE-ECDSA-AES256-SHA384";  // the largest frames there are
    const auto server = make_server(options);
    RawClient client(*server, [&](SSL_CTX* context) {
      SSL_CTX_set_max_proto_version(context, version);
      SSL_CTX_set_tlsext_max_fragment_length(context, TLSEXT_max_fragment_length_512);
    });
    ASSERT_TRUE(client.shake_hands()) << client.error();
    client.link.from(Side::b).rules.capacity = 0;
    const std::string data = pattern(100'000);
    std::string_view rest = data;
    std::string got;
    for (int i = 0; i < 100 && got.size() < data.size(); ++i) {
      rest.remove_prefix(client.server->try_write(rest).bytes);
      ASSERT_EQ(client.server->failure(), "");
      client.link.from(Side::b).rules.capacity = 64_KiB;
      got += client.read();
    }
    EXPECT_TRUE(got == data);
  }
}

TEST(SslTransport, WritingWaitsForTheRestOfAHandshakeMessage) {
  const auto server_context = make_server(server_options(), make_keys());
  const auto client_context = make_client();
  Ends ends(*client_context, *server_context);
  SSL* const ssl = static_cast<SslTransport&>(*ends.server).ssl();
  SSL_set_max_send_fragment(ssl, 512);
  const auto enlarge = [](SSL* s, void*) {  // a ticket that needs several records
    const std::string data(1500, 'x');
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(s), data.data(), data.size());
  };
  SSL_CTX_set_session_ticket_cb(SSL_get_SSL_CTX(ssl), enlarge, nullptr, nullptr);
  while (ends.server->try_handshake().want != Want::none)
    ends.client->try_handshake(), ends.client->try_flush();
  ends.link.from(Side::b).rules.capacity = 600;  // the first record and a part of the second
  ASSERT_EQ(ends.server->try_flush().want, Want::write);
  EXPECT_EQ(read_all(*ends.client), "");
  const IoResult early = ends.client->try_write(std::string("CAPA\r\n"));
  EXPECT_EQ(early.bytes, 0U);
  EXPECT_EQ(early.want, Want::read);
  ends.link.from(Side::b).rules.capacity = 64_KiB;
  ASSERT_EQ(ends.server->try_flush().want, Want::none);
  EXPECT_EQ(read_all(*ends.client), "");
  EXPECT_EQ(ends.client->try_write(std::string("QUIT\r\n")).bytes, 6U);
  EXPECT_EQ(read_all(*ends.server), "QUIT\r\n");
}

TEST(SslTransport, IdleServerSessionIsSmall) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's allocator tells nothing";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "the sanitizer's allocator tells nothing";
#endif
#endif
  constexpr std::size_t kSessions = 200;
  constexpr std::size_t kMost = 18_KiB;
  const auto server = make_server(server_options(), make_keys());
  const auto client = make_client();
  std::vector<std::unique_ptr<Ends>> all;
  for (std::size_t i = 0; i < kSessions; ++i) {
    all.push_back(std::make_unique<Ends>(*client, *server));
    ASSERT_TRUE(all.back()->shake_hands());
    ASSERT_EQ(carry(*all.back()->server, *all.back()->client, pattern(70'000)).size(), 70'000U);
  }
  const std::size_t before = mallinfo2().uordblks;
  for (const auto& ends : all) ends->server.reset();
  const std::size_t after = mallinfo2().uordblks;
  const std::size_t each = (before - after) / kSessions;
  RecordProperty("octets_of_an_idle_server_session", static_cast<int>(each));
  EXPECT_LT(each, kMost);
  EXPECT_GT(each, 1_KiB);  // otherwise the measurement is wrong
}

}  // namespace
}  // namespace postern::tls
