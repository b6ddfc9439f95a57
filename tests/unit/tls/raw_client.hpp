#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "postern/tls/tls.hpp"
#include "support/memory_transport.hpp"

namespace postern::tls {

/// A client of plain OpenSSL, for what ours never does. It verifies nothing.
class RawClient {
 public:
  using Setup = std::function<void(SSL_CTX*)>;

  /// Takes side a of its link; a server of the context has side b.
  explicit RawClient(ServerContext& server, const Setup& setup = {}, const char* server_name = "mail.example",
                     SSL_SESSION* session = nullptr);
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient();

  bool shake_hands();
  /// Moves ciphertext both ways between OpenSSL's buffers and the link.
  void pump();
  void write(std::string_view text);
  void send_as_is(std::string_view octets) { lower_->try_write(octets); }  ///< past TLS
  std::string read();
  /// The reason of the error that the last call left.
  std::string error() const { return error_; }
  int alert_received() const { return alert_received_; }  ///< its description, -1 if none
  /// Of the certificate that the server showed: EVP_PKEY_RSA, ...
  int server_key_type() const;
  bool server_is_named(const char* name) const;
  /// A session that can be resumed; the caller's.
  SSL_SESSION* session() { return SSL_get1_session(ssl_); }
  SSL* ssl() { return ssl_; }

  test::MemoryLink link;
  std::unique_ptr<TlsTransport> server;
  IoResult server_result;

 private:
  static void on_info(const SSL* ssl, int where, int value);

  std::unique_ptr<Transport> lower_;
  SSL_CTX* context_;
  SSL* ssl_;
  BIO* in_;
  BIO* out_;
  std::string error_;
  int alert_received_ = -1;
};

}  // namespace postern::tls
