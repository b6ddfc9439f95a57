#include "tls/ssl_transport.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <new>

#include "postern/base/assert.hpp"

namespace postern::tls {
namespace {

/// What one SSL_write is given: with the records around it this is what the stage holds.
constexpr std::size_t kMostPerWrite = 64_KiB;

/// What may be staged, never offered, when SSL_write is entered: tickets and the last flight of a handshake
/// (about 510 octets) leave together with the first reply.
constexpr std::size_t kMostJoined = 1_KiB;

/// Records of one write when the client asked for small ones (RFC 6066 §4): keeps their
/// overhead within the allowance.
constexpr std::size_t kMostRecords = 32;
constexpr std::size_t kLargestFrame = 85;  // header, IV, MAC and padding of CBC with HMAC-SHA384
static_assert(kMostPerWrite + kMostRecords * kLargestFrame + kMostJoined <= Stage::kLimit);

/// Messages other than application data after the handshake, counted between application records: KeyUpdate
/// (RFC 8446 §4.6.3), tickets, and our alerts that refuse renegotiation. Honest peers send a handful in a
/// session; without a limit each answer to a peer that reads nothing would be staged.
constexpr unsigned kMostInterruptions = 32;

/// Octets reserved around the plaintext of a write, so that the stage is allocated once.
constexpr std::size_t kTypicalRecord = 16_KiB;
constexpr std::size_t kTypicalOverhead = 32;

std::size_t most_per_write(const SSL* ssl) noexcept {
  const SSL_SESSION* session = SSL_get0_session(ssl);
  const unsigned mode = session == nullptr ? 0 : SSL_SESSION_get_max_fragment_length(session);
  if (mode == TLSEXT_max_fragment_length_DISABLED) return kMostPerWrite;
  const std::size_t record = std::size_t{256} << mode;  // mode 1 is 512 octets, 4 is 4096
  return std::min(kMostPerWrite, record * kMostRecords);
}

}  // namespace

SslTransport::SslTransport(SSL_CTX* context, Role role, std::unique_ptr<Transport> lower,
                           std::shared_ptr<const void> keeps)
    : keeps_(std::move(keeps)),
      channel_(std::move(lower)),
      ssl_(SSL_new(context)),
      most_per_write_(kMostPerWrite) {
  if (!ssl_) throw std::bad_alloc();
  BIO* const bio = channel_.make_bio().release();
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_msg_callback(ssl_.get(), message_callback);
  SSL_set_msg_callback_arg(ssl_.get(), this);
  if (role == Role::server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

SslTransport& SslTransport::of(const SSL* ssl) noexcept {
  return *static_cast<SslTransport*>(SSL_get_app_data(ssl));
}

IoResult SslTransport::try_handshake() {
  if (handshake_done_ && !broken_) return {};
  if (read_end_ != IoStatus::ok) return {0, Want::none, read_end_};
  const IoResult below = channel_.lower().try_handshake();
  if (!below.ok()) {
    end_both(below.status, channel_.lower().failure());
    return {0, Want::none, below.status};
  }
  if (below.want != Want::none) return below;

  ERR_clear_error();
  switch (after(SSL_do_handshake(ssl_.get()))) {
    case Step::done:
      // What is staged now (tickets, a Finished) leaves with the first write or before the first wait.
      handshake_done_ = true;
      most_per_write_ = most_per_write(ssl_.get());
      return {};
    case Step::blocked:
      if (const IoResult flushed = channel_.flush(); !flushed.ok()) {
        end_both(flushed.status, channel_.lower().failure());
        break;
      }
      return {0, Want::read, IoStatus::ok};
    case Step::ended:
      break;
  }
  if (!broken_) end_both(read_end_, std::move(text_));  // there is nothing to write before the handshake
  return {0, Want::none, read_end_};
}

IoResult SslTransport::try_read(std::span<char> into) {
  if (read_end_ != IoStatus::ok) return {0, Want::none, read_end_};
  if (!handshake_done_) {
    const IoResult shaken = try_handshake();
    if (!shaken.ok() || shaken.want != Want::none) return shaken;
  }
  IoResult result;
  while (result.bytes < into.size()) {
    ERR_clear_error();
    std::size_t got = 0;
    const int returned =
        SSL_read_ex(ssl_.get(), into.data() + result.bytes, into.size() - result.bytes, &got);
    const Step step = after(returned);
    if (step == Step::blocked) result.want = Want::read;
    if (step != Step::done) break;
    result.bytes += got;
    interruptions_ = 0;
  }
  // Answers to KeyUpdates leave at once, and nobody waits for a peer that waits for what is staged here.
  if (!channel_.stage().empty()) channel_.flush();
  if (result.bytes == 0) result.status = read_end_;
  return result;
}

IoResult SslTransport::try_write(std::span<const char> from) {
  if (write_end_ != IoStatus::ok) return {0, Want::none, write_end_};
  if (!handshake_done_) {
    const IoResult shaken = try_handshake();
    if (!shaken.ok() || shaken.want != Want::none) return shaken;
  }
  if (!may_write()) {
    const IoResult flushed = channel_.flush();
    if (!flushed.ok() || !channel_.stage().empty()) return flushed;
  }
  if (channel_.write_status() != IoStatus::ok) return {0, Want::none, channel_.write_status()};
  if (from.empty()) return {};

  const std::size_t taken = std::min(from.size(), most_per_write_);
  channel_.stage().reserve(taken + (taken / kTypicalRecord + 1) * kTypicalOverhead);
  ERR_clear_error();
  std::size_t written = 0;
  const Step step = after(SSL_write_ex(ssl_.get(), from.data(), taken, &written));
  if (channel_.stage().empty()) channel_.stage().clear();  // gives back what was reserved in vain
  // A handshake message (a ticket in several records) is half read: OpenSSL took nothing, it wants the rest.
  if (step == Step::blocked) return {0, Want::read, IoStatus::ok};
  if (step == Step::ended) return {0, Want::none, write_end_};
  POSTERN_ASSERT(written == taken);  // without SSL_MODE_ENABLE_PARTIAL_WRITE it is all or nothing
  if (const IoResult flushed = channel_.flush(); !flushed.ok()) return flushed;
  return {taken, Want::none, IoStatus::ok};
}

IoResult SslTransport::try_shutdown() {
  if (!shut_down_) {
    shut_down_ = true;
    if (handshake_done_ && !broken_) {
      ERR_clear_error();
      SSL_shutdown(ssl_.get());  // once: it sends close_notify and does not wait for the peer's
      ERR_clear_error();
    }
    if (write_end_ == IoStatus::ok) write_end_ = IoStatus::failed;
  }
  const IoResult flushed = channel_.flush();
  if (!flushed.ok() || flushed.want != Want::none) return flushed;
  return channel_.lower().try_shutdown();
}

void SslTransport::abort() noexcept {
  SSL_set_quiet_shutdown(ssl_.get(), 1);
  broken_ = true;
  if (read_end_ == IoStatus::ok) read_end_ = IoStatus::failed;
  if (write_end_ == IoStatus::ok) write_end_ = IoStatus::failed;
  channel_.stage().clear();
  channel_.lower().abort();
}

Info SslTransport::info() const {
  Info info;
  info.version = SSL_get_version(ssl_.get());
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get());
  if (cipher != nullptr) info.cipher = SSL_CIPHER_get_name(cipher);
  info.resumed = SSL_session_reused(ssl_.get()) == 1;
  info.server_name = server_name_;
  return info;
}

/// SSL_write is entered with an empty stage, or with a little that was not offered yet; never after a
/// would-block, so that what the caller passes and what is sent cannot come apart.
bool SslTransport::may_write() {
  return channel_.stage().empty() || (!channel_.is_blocked() && channel_.stage().size() <= kMostJoined);
}

/// Says what a call of OpenSSL came to, and remembers and explains it if it was the last one.
SslTransport::Step SslTransport::after(int returned) {
  const int error = SSL_get_error(ssl_.get(), returned);
  if (flooded_) {
    end_both(IoStatus::failed, "too many handshake messages between application data");
    return Step::ended;
  }
  if (error == SSL_ERROR_NONE) return Step::done;
  if (error == SSL_ERROR_WANT_READ) return Step::blocked;
  if (error == SSL_ERROR_ZERO_RETURN) {
    end_reading(IoStatus::eof, handshake_done_ ? "" : "the peer gave up during the handshake");
  } else if (channel_.has_overflowed()) {
    end_both(IoStatus::failed, "the peer takes nothing and causes ever more to be sent");
  } else if (error == SSL_ERROR_SYSCALL && channel_.read_status() == IoStatus::eof) {
    end_reading(IoStatus::reset, handshake_done_ ? "the connection ended without close_notify"
                                                 : "the connection ended during the handshake");
  } else if (error == SSL_ERROR_SYSCALL && channel_.read_status() != IoStatus::ok) {
    end_reading(channel_.read_status(), channel_.lower().failure());
  } else {
    std::string reason = take_error();
    end_both(IoStatus::failed, explanation_.empty() ? std::move(reason) : std::move(explanation_));
  }
  ERR_clear_error();
  return Step::ended;
}

void SslTransport::end_reading(IoStatus status, std::string text) {
  read_end_ = status;
  if (text_.empty()) text_ = std::move(text);
}

void SslTransport::end_both(IoStatus status, std::string text) {
  broken_ = true;
  end_reading(status, std::move(text));
  if (write_end_ == IoStatus::ok) write_end_ = status;
  channel_.flush();  // the alert that says why
}

void SslTransport::on_message(bool sent, int content_type) noexcept {
  if (!handshake_done_) return;
  const bool counts = sent ? content_type == SSL3_RT_ALERT : content_type == SSL3_RT_HANDSHAKE;
  if (!counts || ++interruptions_ <= kMostInterruptions) return;
  flooded_ = true;
  channel_.stop_reading();
}

void SslTransport::message_callback(int sent, int, int type, const void*, size_t, SSL*, void* self) {
  static_cast<SslTransport*>(self)->on_message(sent != 0, type);
}

}  // namespace postern::tls
