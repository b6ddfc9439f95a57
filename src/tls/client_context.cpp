#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <new>

#include "postern/base/address.hpp"
#include "tls/context_rules.hpp"
#include "tls/openssl.hpp"
#include "tls/ssl_transport.hpp"

namespace postern::tls {
namespace {

using Pin = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

/// What the verification needs; transports keep it alive.
struct Trust {
  SslContextPtr context;
  bool verify = true;
  std::vector<Pin> pins;
};

std::optional<Pin> parse_pin(const std::string& text) {
  Pin pin;
  if (text.size() != 2 * pin.size()) return std::nullopt;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < pin.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    pin[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return pin;
}

bool is_pinned(const std::vector<Pin>& pins, X509* leaf) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
  if (length < 0) return false;
  Pin digest;
  SHA256(der, static_cast<std::size_t>(length), digest.data());
  OPENSSL_free(der);
  return std::find(pins.begin(), pins.end(), digest) != pins.end();
}

std::string verification_text(int error, const std::string& host) {
  if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return "name mismatch: the certificate is not for " + host;
  }
  return X509_verify_cert_error_string(error);
}

/// Chain and name (unless switched off), then pins. Runs inside the handshake, so that nothing was sent to a
/// server that is not the right one, and that it is told by an alert.
int on_verify(X509_STORE_CTX* store, void* argument) {
  const auto& trust = *static_cast<const Trust*>(argument);
  const auto* ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  SslTransport& transport = SslTransport::of(ssl);
  if (trust.verify && X509_verify_cert(store) != 1) {
    transport.explain(verification_text(X509_STORE_CTX_get_error(store), transport.peer_name()));
    return 0;
  }
  if (!trust.pins.empty() && !is_pinned(trust.pins, X509_STORE_CTX_get0_cert(store))) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    transport.explain("pin mismatch: the server's key is not one of the pinned ones");
    return 0;
  }
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

Result<void, SetupError> set_trust(Trust& trust, const ClientOptions& options) {
  trust.verify = options.verify;
  for (const std::string& text : options.pins_sha256) {
    const std::optional<Pin> pin = parse_pin(text);
    if (!pin) return SetupError{"pins_sha256", "a pin is 64 hexadecimal digits in lower case"};
    trust.pins.push_back(*pin);
  }
  SSL_CTX_set_verify(trust.context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(trust.context.get(), on_verify, &trust);
  if (!options.verify) return {};
  ERR_clear_error();
  if (options.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(trust.context.get()) == 1) return {};
    return SetupError{"", "the system's certificate store cannot be used: " + take_error()};
  }
  if (SSL_CTX_load_verify_file(trust.context.get(), options.ca_file.c_str()) == 1) return {};
  return SetupError{options.ca_file, "holds no usable certificates: " + take_error()};
}

class SslClientContext final : public ClientContext {
 public:
  explicit SslClientContext(std::shared_ptr<const Trust> trust) : trust_(std::move(trust)) {}

  std::unique_ptr<TlsTransport> connect(std::unique_ptr<Transport> lower, const std::string& host) override {
    auto transport = std::make_unique<SslTransport>(trust_->context.get(), SslTransport::Role::client,
                                                    std::move(lower), trust_);
    transport->set_peer_name(host);
    if (!expect_host(*transport, host)) {
      ERR_clear_error();
      transport->refuse("the server's name cannot be used with TLS");
    }
    return transport;
  }

 private:
  static bool expect_host(SslTransport& transport, const std::string& host) {
    SSL* const ssl = transport.ssl();
    X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
    if (SocketAddress::parse(host, 0)) return X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
    const std::string name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;  // RFC 6066 §3
    if (name.empty()) return false;  // OpenSSL would take it as "any name"
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size()) != 1) return false;
    if (SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) return false;
    transport.set_server_name(name);
    return true;
  }

  std::shared_ptr<const Trust> trust_;
};

}  // namespace

Result<std::unique_ptr<ClientContext>, SetupError> make_client_context(const ClientOptions& options) {
  const std::string alpn = alpn_list(options.alpn);
  if (!options.alpn.empty() && alpn.empty()) return SetupError{"alpn", "is too long"};
  auto trust = std::make_shared<Trust>();
  trust->context.reset(SSL_CTX_new(TLS_client_method()));
  if (!trust->context) throw std::bad_alloc();
  if (!apply_rules(trust->context.get(), options.min_version, Version::tls1_3)) {
    return SetupError{"min_version", take_error()};
  }
  if (!alpn.empty()) {
    SSL_CTX_set_alpn_protos(trust->context.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                            static_cast<unsigned>(alpn.size()));
  }
  if (auto set = set_trust(*trust, options); !set) return std::move(set).error();
  return std::unique_ptr<ClientContext>(std::make_unique<SslClientContext>(std::move(trust)));
}

}  // namespace postern::tls
