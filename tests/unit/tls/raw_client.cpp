#include "unit/tls/raw_client.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>

namespace postern::tls {
namespace {
constexpr int kMostTurns = 20;  // a handshake takes three
}  // namespace

RawClient::RawClient(ServerContext& context, const Setup& setup, const char* server_name,
                     SSL_SESSION* session)
    : server(context.accept(link.transport(test::Side::b))),
      lower_(link.transport(test::Side::a)),
      context_(SSL_CTX_new(TLS_client_method())),
      in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())) {
  if (setup) setup(context_);
  ssl_ = SSL_new(context_);
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl_, in_, out_);
  SSL_set_app_data(ssl_, this);
  SSL_set_info_callback(ssl_, on_info);
  SSL_set_connect_state(ssl_);
  if (server_name != nullptr) SSL_set_tlsext_host_name(ssl_, server_name);
  if (session != nullptr) SSL_set_session(ssl_, session);
}

RawClient::~RawClient() {
  // A session that was not shut down cannot be resumed.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

void RawClient::on_info(const SSL* ssl, int where, int value) {
  if (where == SSL_CB_READ_ALERT)
    static_cast<RawClient*>(SSL_get_app_data(ssl))->alert_received_ = value & 0xFF;
}

void RawClient::pump() {
  char* data = nullptr;
  const long length = BIO_get_mem_data(out_, &data);
  if (length > 0) {
    const IoResult sent = lower_->try_write({data, static_cast<std::size_t>(length)});
    std::string dropped(sent.bytes, '\0');
    BIO_read(out_, dropped.data(), static_cast<int>(sent.bytes));
  }
  std::array<char, 4096> buffer;
  for (;;) {
    const IoResult got = lower_->try_read(buffer);
    if (got.bytes == 0) break;
    BIO_write(in_, buffer.data(), static_cast<int>(got.bytes));
  }
}

bool RawClient::shake_hands() {
  for (int i = 0; i < kMostTurns; ++i) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_);
    if (done != 1 && SSL_get_error(ssl_, done) == SSL_ERROR_SSL)
      error_ = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    pump();
    server_result = server->try_handshake();
    server->try_flush();
    pump();
    if (done == 1 && server_result.ok() && server_result.want == Want::none) {
      read();  // takes the tickets
      return true;
    }
  }
  return false;
}

void RawClient::write(std::string_view text) {
  SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
  pump();
}

std::string RawClient::read() {
  pump();
  std::string got;
  std::array<char, 4096> buffer;
  for (;;) {
    ERR_clear_error();
    const int count = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) {
      if (SSL_get_error(ssl_, count) == SSL_ERROR_SSL) error_ = ERR_reason_error_string(ERR_peek_error());
      ERR_clear_error();
      pump();  // answers that reading caused
      return got;
    }
    got.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

int RawClient::server_key_type() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  return certificate == nullptr ? -1 : EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));
}

bool RawClient::server_is_named(const char* name) const {
  X509* certificate = SSL_get0_peer_certificate(ssl_);
  return certificate != nullptr && X509_check_host(certificate, name, 0, 0, nullptr) == 1;
}

}  // namespace postern::tls
