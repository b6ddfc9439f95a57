#include "tls/context_rules.hpp"

namespace postern::tls {
namespace {

constexpr std::size_t kLongestProtocol = 255;  // RFC 7301 §3.1: the length is one octet

int version_number(Version version) {
  switch (version) {
    case Version::tls1_0:
      return TLS1_VERSION;
    case Version::tls1_1:
      return TLS1_1_VERSION;
    case Version::tls1_2:
      return TLS1_2_VERSION;
    case Version::tls1_3:
      return TLS1_3_VERSION;
  }
  return TLS1_3_VERSION;
}

}  // namespace

bool apply_rules(SSL_CTX* context, Version min, Version max) {
  // OpenSSL 3 signs the handshakes of TLS 1.0 and 1.1 (MD5, SHA-1) at security level 0 only.
  if (min < Version::tls1_2) SSL_CTX_set_security_level(context, 0);
  if (SSL_CTX_set_min_proto_version(context, version_number(min)) != 1) return false;
  if (SSL_CTX_set_max_proto_version(context, version_number(max)) != 1) return false;
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  // No partial writes: a write of 64 KiB is staged whole by one call. The caller's buffer
  // may move between calls.
  SSL_CTX_clear_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // Early data can be replayed, and DELE with QUIT must not be (RFC 8446 §8).
  SSL_CTX_set_max_early_data(context, 0);
  SSL_CTX_set_recv_max_early_data(context, 0);
  return true;
}

std::string alpn_list(const std::string& name) {
  if (name.empty() || name.size() > kLongestProtocol) return {};
  return std::string(1, static_cast<char>(name.size())) + name;
}

}  // namespace postern::tls
