#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/tls/ends.hpp"

namespace postern::tls {
namespace {

using test::TestCertificates;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  bool connected = false;
  std::string failure;         ///< the client's
  std::string server_failure;  ///< shows that an alert came
  std::string server_name;     ///< SNI that the server saw
};

Outcome connect(const ClientOptions& options, const TestCertificates::Files& files = leaf(),
                const std::string& host = "mail.example", Version max_version = Version::tls1_3) {
  ServerOptions server_side = server_options(files);
  server_side.max_version = max_version;
  const auto server = make_server(server_side);
  const auto client = make_client(options);
  Ends ends(*client, *server, host);
  Outcome outcome;
  outcome.connected = ends.shake_hands();
  outcome.failure = ends.client->failure();
  std::array<char, 10> buffer;
  ends.server->try_read(buffer);
  outcome.server_failure = ends.server->failure();
  outcome.server_name = ends.server->info().server_name;
  return outcome;
}

TestCertificates::Files expired_leaf() {
  TestCertificates::Request request;
  request.dns_names = {"mail.example"};
  request.valid_from = std::chrono::hours(-48);
  request.valid_for = std::chrono::hours(24);
  return certificates().issue(request);
}

TestCertificates::Files leaf_with_addresses() {
  TestCertificates::Request request;
  request.addresses = {"192.0.2.1", "2001:db8::1"};
  return certificates().issue(request);
}

TEST(Verification, AcceptsAGoodCertificate) {
  const Outcome outcome = connect(client_options());
  EXPECT_TRUE(outcome.connected);
  EXPECT_EQ(outcome.failure, "");
  EXPECT_EQ(outcome.server_name, "mail.example");
}

TEST(Verification, TakesTheNameWithoutItsFinalDot) {
  const Outcome outcome = connect(client_options(), leaf(), "mail.example.");
  EXPECT_TRUE(outcome.connected) << outcome.failure;
  EXPECT_EQ(outcome.server_name, "mail.example");
}

TEST(Verification, RefusesAnExpiredCertificateAndTellsTheServer) {
  for (const Version version : {Version::tls1_2, Version::tls1_3}) {
    const Outcome outcome = connect(client_options(), expired_leaf(), "mail.example", version);
    EXPECT_FALSE(outcome.connected);
    EXPECT_EQ(outcome.failure, "certificate has expired");
    EXPECT_THAT(outcome.server_failure, HasSubstr("alert certificate expired"));
  }
}

TEST(Verification, RefusesAnotherName) {
  const Outcome outcome = connect(client_options(), leaf(), "imap.example");
  EXPECT_FALSE(outcome.connected);
  EXPECT_EQ(outcome.failure, "name mismatch: the certificate is not for imap.example");
  EXPECT_THAT(outcome.server_failure, HasSubstr("alert"));
}

TEST(Verification, RefusesAnUnknownAuthority) {
  TestCertificates others;
  ClientOptions options = client_options();
  options.ca_file = others.ca_file();
  const Outcome outcome = connect(options);
  EXPECT_FALSE(outcome.connected);
  EXPECT_EQ(outcome.failure, "unable to get local issuer certificate");
  options.ca_file.clear();  // the system's store does not know it either
  EXPECT_FALSE(connect(options).connected);
}

TEST(Verification, ComparesAddressesWithAddressesAndSendsNoNameForThem) {
  const auto files = leaf_with_addresses();
  for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
    const Outcome outcome = connect(client_options(), files, address);
    EXPECT_TRUE(outcome.connected) << outcome.failure;
    EXPECT_EQ(outcome.server_name, "");
  }
  EXPECT_EQ(connect(client_options(), files, "192.0.2.2").failure,
            "name mismatch: the certificate is not for 192.0.2.2");
}

TEST(Verification, SwitchedOffAcceptsAnything) {
  ClientOptions options;
  options.verify = false;
  EXPECT_TRUE(connect(options, expired_leaf(), "imap.example").connected);
}

TEST(Pins, AcceptTheRightKey) {
  ClientOptions options = client_options();
  options.pins_sha256 = {std::string(64, '0'), leaf().spki_sha256};
  EXPECT_TRUE(connect(options).connected);
}

TEST(Pins, RefuseAnyOtherKeyEvenIfTheChainIsGood) {
  ClientOptions options = client_options();
  options.pins_sha256 = {std::string(64, '0')};
  const Outcome outcome = connect(options);
  EXPECT_FALSE(outcome.connected);
  EXPECT_THAT(outcome.failure, StartsWith("pin mismatch"));
  EXPECT_THAT(outcome.server_failure, HasSubstr("alert"));
}

TEST(Pins, CountWithoutVerificationToo) {
  ClientOptions options;
  options.verify = false;
  options.pins_sha256 = {std::string(64, '0')};
  EXPECT_FALSE(connect(options, expired_leaf()).connected);
  const auto files = expired_leaf();
  options.pins_sha256 = {files.spki_sha256};
  EXPECT_TRUE(connect(options, files, "imap.example").connected);
}

TEST(Pins, DoNotReplaceVerification) {
  ClientOptions options = client_options();
  options.pins_sha256 = {leaf().spki_sha256};
  EXPECT_FALSE(connect(options, leaf(), "imap.example").connected);
}

TEST(ClientContext, EnforcesTheMinimumVersion) {
  ClientOptions options = client_options();
  options.min_version = Version::tls1_3;
  const Outcome outcome = connect(options, leaf(), "mail.example", Version::tls1_2);
  EXPECT_FALSE(outcome.connected);
  EXPECT_NE(outcome.failure, "");
}

TEST(ClientContext, RefusesAHostThatCannotBeAName) {
  const auto client = make_client();
  for (const std::string& host : {std::string(), std::string("."), std::string(300, 'a')}) {
    test::MemoryLink link;
    const auto transport = client->connect(link.transport(test::Side::a), host);
    EXPECT_EQ(transport->try_handshake().status, IoStatus::failed);
    EXPECT_EQ(transport->failure(), "the server's name cannot be used with TLS");
    EXPECT_EQ(link.from(test::Side::a).sent(), "");
  }
}

TEST(ClientContext, NamesWhatIsWrongWithItsOptions) {
  ClientOptions options = client_options();
  options.ca_file = (certificates().folder() / "missing.pem").string();
  auto made = make_client_context(options);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().subject, options.ca_file);
  EXPECT_THAT(made.error().message, HasSubstr("No such file"));
  for (const std::string& pin : {std::string("abc"), std::string(64, 'A'), std::string(63, '0') + "g"}) {
    options = client_options();
    options.pins_sha256 = {pin};
    made = make_client_context(options);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().subject, "pins_sha256");
  }
}

}  // namespace
}  // namespace postern::tls
