#include <gtest/gtest.h>

#include "unit/tls/ends.hpp"
#include "unit/tls/manual_clock.hpp"
#include "unit/tls/raw_client.hpp"

namespace postern::tls {
namespace {

struct SessionFree {
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, SessionFree>;

/// Every test runs with TLS 1.2 and 1.3.
class Resumption : public ::testing::TestWithParam<int> {
 protected:
  RawClient::Setup setup() const {
    return [](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, GetParam()); };
  }
  /// Makes a session with the server, resuming another if one is given.
  SessionPtr connect(ServerContext& server, SSL_SESSION* session = nullptr) {
    RawClient client(server, setup(), "mail.example", session);
    EXPECT_TRUE(client.shake_hands()) << client.server->failure();
    resumed_ = client.server->info().resumed;
    EXPECT_EQ(resumed_, SSL_session_reused(client.ssl()) == 1);
    EXPECT_EQ(client.server->info().server_name, "mail.example");
    return SessionPtr(client.session());
  }
  std::string ticket_key_of(SSL_SESSION* session) {
    const unsigned char* ticket = nullptr;
    std::size_t length = 0;
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    return std::string(ticket, ticket + std::min(length, TicketKeys::kNameLength));
  }

  ManualClock clock_;
  std::shared_ptr<TicketKeys> keys_ = std::make_shared<TicketKeys>(clock_, system_random());
  bool resumed_ = false;
};

INSTANTIATE_TEST_SUITE_P(Versions, Resumption, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(Resumption, WorksAcrossContextsThatShareKeys) {
  const auto first = make_server(server_options(), keys_);
  const auto second = make_server(server_options(), keys_);
  const SessionPtr session = connect(*first);
  EXPECT_FALSE(resumed_);
  connect(*second, session.get());
  EXPECT_TRUE(resumed_);
}

TEST_P(Resumption, FailsAcrossDifferentKeysWithoutFailingTheHandshake) {
  const auto first = make_server(server_options(), keys_);
  const auto second = make_server(server_options(), make_keys());
  const SessionPtr session = connect(*first);
  connect(*second, session.get());
  EXPECT_FALSE(resumed_);
}

TEST_P(Resumption, DoesNotCrossProfilesWithOtherRules) {
  const auto first = make_server(server_options(), keys_);
  ServerOptions other = server_options();
  other.min_version = Version::tls1_1;
  const auto second = make_server(other, keys_);
  const SessionPtr session = connect(*first);
  connect(*second, session.get());
  EXPECT_FALSE(resumed_);
}

TEST_P(Resumption, WorksForNamesOfASecondCertificate) {
  ServerOptions options = server_options(certificates().issue({"first.example"}));
  options.certificates.push_back({leaf().cert_file, leaf().key_file});
  const auto server = make_server(options, keys_);
  const SessionPtr session = connect(*server);
  connect(*server, session.get());
  EXPECT_TRUE(resumed_);
}

TEST_P(Resumption, WithThePreviousKeyRenewsTheTicket) {
  const auto server = make_server(server_options(), keys_);
  const SessionPtr old_session = connect(*server);
  clock_.advance(TicketKeys::kRotation);
  const SessionPtr renewed = connect(*server, old_session.get());
  EXPECT_TRUE(resumed_);
  EXPECT_NE(ticket_key_of(renewed.get()), ticket_key_of(old_session.get()));
  const auto current = keys_->current();
  EXPECT_EQ(ticket_key_of(renewed.get()), std::string(current.name.begin(), current.name.end()));
  clock_.advance(TicketKeys::kRotation);
  connect(*server, renewed.get());
  EXPECT_TRUE(resumed_);
}

TEST_P(Resumption, EndsTwoPeriodsAfterTheTicketWasMade) {
  const auto server = make_server(server_options(), keys_);
  const SessionPtr session = connect(*server);
  clock_.advance(TicketKeys::kRotation);
  connect(*server, nullptr);
  clock_.advance(TicketKeys::kRotation);
  connect(*server, session.get());
  EXPECT_FALSE(resumed_);
}

TEST_P(Resumption, NeedsTicketKeys) {
  const auto server = make_server();
  const SessionPtr session = connect(*server);
  EXPECT_FALSE(SSL_SESSION_has_ticket(session.get()));
  connect(*server, session.get());
  EXPECT_FALSE(resumed_);
}

TEST_P(Resumption, NeverAllowsEarlyData) {
  const auto server = make_server(server_options(), keys_);
  const SessionPtr session = connect(*server);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(session.get()), 0U);
}

}  // namespace
}  // namespace postern::tls
