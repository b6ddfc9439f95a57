#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "postern/base/units.hpp"
#include "postern/tls/tls.hpp"
#include "tls/ciphertext_channel.hpp"
#include "tls/openssl.hpp"

namespace postern::tls {

/// The TlsTransport of both roles.
///
/// - A FIN without close_notify is a reset and ends reading only: what came before it may be answered.
/// - An error of the transport below in one direction leaves the other as it is.
/// - A fatal error of TLS ends both directions.
class SslTransport final : public TlsTransport {
 public:
  enum class Role : std::uint8_t { server, client };

  /// `keeps` is what the callbacks of `context` need.
  SslTransport(SSL_CTX* context, Role role, std::unique_ptr<Transport> lower,
               std::shared_ptr<const void> keeps);
  SslTransport(const SslTransport&) = delete;
  SslTransport& operator=(const SslTransport&) = delete;

  IoResult try_read(std::span<char> into) override;
  IoResult try_write(std::span<const char> from) override;
  IoResult try_flush() override { return channel_.flush(); }
  IoResult try_handshake() override;
  IoResult try_shutdown() override;
  void abort() noexcept override;
  std::size_t unsent() const noexcept override { return channel_.unsent(); }
  std::string failure() const override { return text_.empty() ? channel_.lower().failure() : text_; }
  Info info() const override;

  SSL* ssl() noexcept { return ssl_.get(); }
  static SslTransport& of(const SSL* ssl) noexcept;

  /// The SNI, for Info.
  void set_server_name(std::string name) { server_name_ = std::move(name); }
  /// Whom a client meant to reach, for failure texts.
  void set_peer_name(std::string name) { peer_name_ = std::move(name); }
  const std::string& peer_name() const noexcept { return peer_name_; }
  /// The failure text that a callback knows better than OpenSSL's error queue.
  void explain(std::string text) { explanation_ = std::move(text); }
  /// Fails before anything was sent.
  void refuse(std::string text) { end_both(IoStatus::failed, std::move(text)); }

 private:
  enum class Step : std::uint8_t { done, blocked, ended };

  Step after(int returned);
  void end_reading(IoStatus status, std::string text);
  void end_both(IoStatus status, std::string text);
  bool may_write();
  void on_message(bool sent, int content_type) noexcept;
  static void message_callback(int sent, int version, int type, const void*, size_t, SSL*, void* self);

  std::shared_ptr<const void> keeps_;
  CiphertextChannel channel_;  // before ssl_, whose BIO points to it
  SslPtr ssl_;
  std::size_t most_per_write_;
  unsigned interruptions_ = 0;
  IoStatus read_end_ = IoStatus::ok;
  IoStatus write_end_ = IoStatus::ok;
  bool handshake_done_ = false;
  bool broken_ = false;  // after a fatal error OpenSSL must not be called again
  bool shut_down_ = false;
  bool flooded_ = false;
  std::string text_;
  std::string explanation_;
  std::string server_name_;
  std::string peer_name_;
};

}  // namespace postern::tls
