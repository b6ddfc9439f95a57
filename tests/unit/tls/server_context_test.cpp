#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <fstream>

#include "unit/tls/ends.hpp"
#include "unit/tls/raw_client.hpp"

namespace postern::tls {
namespace {

using test::TestCertificates;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kNoApplicationProtocol = 120;  // RFC 7301 §3.2

TestCertificates::Files issue(std::vector<std::string> names, TestCertificates::KeyType type) {
  TestCertificates::Request request;
  request.dns_names = std::move(names);
  request.key_type = type;
  return certificates().issue(request);
}

void add(ServerOptions& options, const TestCertificates::Files& files) {
  options.certificates.push_back({files.cert_file, files.key_file});
}

SetupError error_of(const ServerOptions& options) {
  auto made = make_server_context(options, nullptr);
  return made ? SetupError{"none", "none"} : made.error();
}

class ServerNames : public ::testing::Test {
 protected:
  ServerNames() {
    ServerOptions options = server_options();
    add(options, certificates().issue({"pop.example", "*.pop.example"}));
    add(options, certificates().issue({"exact.pop.example"}));
    server_ = make_server(options);
  }
  /// Whether a client that asks for `name` gets a certificate for `expected`.
  bool gets(const char* name, const char* expected) {
    RawClient client(*server_, {}, name);
    return client.shake_hands() && client.server_is_named(expected) &&
           client.server->info().server_name == (name == nullptr ? "" : name);
  }
  std::unique_ptr<ServerContext> server_;
};

TEST_F(ServerNames, ChooseByExactName) {
  EXPECT_TRUE(gets("pop.example", "pop.example"));
  EXPECT_TRUE(gets("exact.pop.example", "exact.pop.example"));
  EXPECT_TRUE(gets("POP.Example", "pop.example"));
}

TEST_F(ServerNames, ChooseWildcardForOneLabelOnly) {
  EXPECT_TRUE(gets("x.pop.example", "pop.example"));
  EXPECT_TRUE(gets("y.x.pop.example", "mail.example"));
}

TEST_F(ServerNames, FallBackToTheFirstCertificate) {
  EXPECT_TRUE(gets("unknown.example", "mail.example"));
  EXPECT_TRUE(gets("localhost", "mail.example"));
  EXPECT_TRUE(gets(nullptr, "mail.example"));
}

class TwoKeyTypes : public ::testing::Test {
 protected:
  static ServerContext& server() {
    static const std::unique_ptr<ServerContext> made = [] {
      ServerOptions options;
      add(options, issue({"both.example"}, TestCertificates::KeyType::ecdsa));
      add(options, issue({"both.example"}, TestCertificates::KeyType::rsa));
      return make_server(options);
    }();
    return *made;
  }
};

TEST_F(TwoKeyTypes, ClientsThatKnowRsaOnlyGetRsa) {
  RawClient new_client(server(),
                       [](SSL_CTX* c) { SSL_CTX_set1_sigalgs_list(c, "RSA-PSS+SHA256:RSA+SHA256"); });
  // The authority signs with ECDSA, which such a client need not like: it does not verify here.
  ASSERT_TRUE(new_client.shake_hands()) << new_client.server->failure();
  EXPECT_EQ(new_client.server_key_type(), EVP_PKEY_RSA);
  RawClient old_client(server(), [](SSL_CTX* c) {
    SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(c, "ECDHE-RSA-AES128-GCM-SHA256");
  });
  ASSERT_TRUE(old_client.shake_hands()) << old_client.server->failure();
  EXPECT_EQ(old_client.server_key_type(), EVP_PKEY_RSA);
}

TEST_F(TwoKeyTypes, OthersGetEcdsa) {
  RawClient client(server());
  ASSERT_TRUE(client.shake_hands());
  EXPECT_EQ(client.server_key_type(), EVP_PKEY_EC);
}

class Alpn : public ::testing::Test {
 protected:
  static RawClient::Setup offer(std::string_view list) {
    return [list](SSL_CTX* c) {
      SSL_CTX_set_alpn_protos(c, reinterpret_cast<const unsigned char*>(list.data()),
                              static_cast<unsigned>(list.size()));
    };
  }
  std::unique_ptr<ServerContext> server_ = make_server();
};

TEST_F(Alpn, ChoosesPop3AmongOthers) {
  RawClient client(*server_, offer("\x04http\x04pop3"));
  ASSERT_TRUE(client.shake_hands());
  const unsigned char* chosen = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(client.ssl(), &chosen, &length);
  EXPECT_EQ(std::string(chosen, chosen + length), "pop3");
}

TEST_F(Alpn, RefusesAClientThatOffersOnlyOthers) {
  for (const char* list : {"\x02h2\x08http/1.1", "\x05pop3s"}) {
    RawClient client(*server_, offer(list));
    EXPECT_FALSE(client.shake_hands());
    EXPECT_EQ(client.server_result.status, IoStatus::failed);
    EXPECT_EQ(client.alert_received(), kNoApplicationProtocol);
  }
}

TEST_F(Alpn, IsNotRequired) {
  RawClient client(*server_);
  EXPECT_TRUE(client.shake_hands());
}

TEST_F(Alpn, CanBeSwitchedOff) {
  ServerOptions options = server_options();
  options.alpn.clear();
  const auto server = make_server(options);
  RawClient client(*server, offer("\x02h2"));
  EXPECT_TRUE(client.shake_hands());
}

class Versions : public ::testing::Test {
 protected:
  static bool connects(Version min, Version max, int client_version) {
    ServerOptions options = server_options();
    options.min_version = min;
    options.max_version = max;
    const auto server = make_server(options);
    RawClient client(*server, [=](SSL_CTX* c) {
      SSL_CTX_set_security_level(c, 0);
      SSL_CTX_set_min_proto_version(c, client_version);
      SSL_CTX_set_max_proto_version(c, client_version);
    });
    return client.shake_hands() && SSL_version(client.ssl()) == client_version;
  }
};

TEST_F(Versions, BelowTheMinimumAreRefused) {
  EXPECT_FALSE(connects(Version::tls1_2, Version::tls1_3, TLS1_VERSION));
  EXPECT_FALSE(connects(Version::tls1_2, Version::tls1_3, TLS1_1_VERSION));
  EXPECT_TRUE(connects(Version::tls1_2, Version::tls1_3, TLS1_2_VERSION));
  EXPECT_FALSE(connects(Version::tls1_3, Version::tls1_3, TLS1_2_VERSION));
}

TEST_F(Versions, AboveTheMaximumAreRefused) {
  EXPECT_FALSE(connects(Version::tls1_2, Version::tls1_2, TLS1_3_VERSION));
}

TEST_F(Versions, OldOnesWorkWhereTheyAreAllowed) {
  EXPECT_TRUE(connects(Version::tls1_0, Version::tls1_3, TLS1_VERSION));
  EXPECT_TRUE(connects(Version::tls1_1, Version::tls1_3, TLS1_1_VERSION));
  EXPECT_TRUE(connects(Version::tls1_0, Version::tls1_3, TLS1_3_VERSION));
}

TEST(ServerContext, ServerChoosesTheCipher) {
  ServerOptions options = server_options();
  options.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256";
  const auto server = make_server(options);
  RawClient client(*server, [](SSL_CTX* c) {
    SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(c, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384");
  });
  ASSERT_TRUE(client.shake_hands());
  EXPECT_EQ(client.server->info().cipher, "ECDHE-ECDSA-AES256-GCM-SHA384");
}

TEST(ServerContext, TransportsOutliveIt) {
  auto server = make_server(server_options(), make_keys());
  RawClient client(*server);
  server.reset();
  EXPECT_TRUE(client.shake_hands());
}

TEST(ServerContext, TellsNamesAndExpiryOfItsCertificates) {
  TestCertificates::Request named;
  named.common_name = "Only.In.CN.example";
  ServerOptions options;
  add(options, certificates().issue({"A.example", "*.b.example"}));
  add(options, certificates().issue(named));
  const auto server = make_server(options);
  ASSERT_EQ(server->certificates().size(), 2U);
  const CertificateInfo& first = server->certificates()[0];
  EXPECT_THAT(first.names, ElementsAre("a.example", "*.b.example"));
  EXPECT_EQ(first.file, options.certificates[0].cert_file);
  const auto left = first.not_after - std::chrono::system_clock::now();
  EXPECT_GT(left, std::chrono::hours(28 * 24));
  EXPECT_LT(left, std::chrono::hours(30 * 24));
  EXPECT_THAT(server->certificates()[1].names, ElementsAre("only.in.cn.example"));
}

TEST(ServerContext, ReadsCertificateAndKeyFromOneFile) {
  const auto content = [](const std::string& file) {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string both =
      certificates().write("both.pem", content(leaf().key_file) + content(leaf().cert_file));
  EXPECT_EQ(error_of(server_options({both, both, ""})).message, "none");
}

TEST(ServerContextError, NamesAFileThatCannotBeRead) {
  const std::string missing = (certificates().folder() / "missing.pem").string();
  SetupError error = error_of(server_options({missing, leaf().key_file, ""}));
  EXPECT_EQ(error.subject, missing);
  EXPECT_EQ(error.message, "cannot be read: No such file or directory");
  error = error_of(server_options({leaf().cert_file, missing, ""}));
  EXPECT_EQ(error.subject, missing);
}

TEST(ServerContextError, NamesAFileWithoutPem) {
  const std::string text = certificates().write("text.pem", "this is not PEM\n");
  SetupError error = error_of(server_options({text, leaf().key_file, ""}));
  EXPECT_EQ(error.subject, text);
  EXPECT_EQ(error.message, "holds no certificate in PEM form");
  error = error_of(server_options({leaf().cert_file, text, ""}));
  EXPECT_EQ(error.subject, text);
  EXPECT_EQ(error.message, "holds no private key in a PEM form that is known");
}

TEST(ServerContextError, NamesAFileWithBrokenPem) {
  const std::string broken =
      certificates().write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const SetupError error = error_of(server_options({broken, leaf().key_file, ""}));
  EXPECT_EQ(error.subject, broken);
  EXPECT_THAT(error.message, HasSubstr("the certificate cannot be read: "));
}

TEST(ServerContextError, NamesAKeyThatDoesNotMatch) {
  const auto other = certificates().issue({"other.example"});
  const SetupError error = error_of(server_options({leaf().cert_file, other.key_file, ""}));
  EXPECT_EQ(error.subject, other.key_file);
  EXPECT_EQ(error.message, "the private key does not match the certificate in " + leaf().cert_file);
}

TEST(ServerContextError, NeverAsksForAPassword) {
  const std::string file = certificates().write("encrypted.key", "");
  BIO* in = BIO_new_file(leaf().key_file.c_str(), "r");
  BIO* out = BIO_new_file(file.c_str(), "w");
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), "secret", 6, nullptr, nullptr), 1);
  EVP_PKEY_free(key);
  BIO_free_all(out);
  BIO_free_all(in);
  const SetupError error = error_of(server_options({leaf().cert_file, file, ""}));
  EXPECT_EQ(error.subject, file);
  EXPECT_EQ(error.message, "the private key is encrypted");
}

TEST(ServerContextError, NamesTheOptionThatOpenSslRefuses) {
  ServerOptions options = server_options();
  options.ciphers = "NO-SUCH-CIPHER";
  EXPECT_EQ(error_of(options).subject, "ciphers");
  EXPECT_EQ(error_of(options).message, "no cipher match");
  options = server_options();
  options.ciphersuites = "TLS_NO_SUCH_SUITE";
  EXPECT_EQ(error_of(options).subject, "ciphersuites");
  options = server_options();
  options.curves = "no-such-curve";
  EXPECT_EQ(error_of(options).subject, "curves");
  options = server_options();
  options.min_version = Version::tls1_3;
  options.max_version = Version::tls1_2;
  EXPECT_EQ(error_of(options).subject, "max_version");
  EXPECT_EQ(error_of(ServerOptions{}).subject, "certificates");
}

}  // namespace
}  // namespace postern::tls
