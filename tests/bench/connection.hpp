#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bench/poller.hpp"

namespace postern::bench {

struct SslDeleter {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslDeleter>;
using Ssl = std::unique_ptr<SSL, SslDeleter>;
using SslSession = std::unique_ptr<SSL_SESSION, SslDeleter>;

/// A TCP connection with or without TLS. What it is to write is kept in order, and each piece until it is
/// due.
class Connection : public Pollable {
 public:
  /// Of a socket that does not block; without `ssl` in plaintext.
  Connection(Poller& poller, int socket, Ssl ssl);

  void on_ready(std::uint32_t events) final;
  void on_time() final;
  /// The events to begin with: a client's socket may not be connected yet.
  std::uint32_t first_events() const noexcept;

 protected:
  virtual void on_data(std::string_view octets) = 0;
  /// The peer has ended it, or something else has; nothing comes after this.
  virtual void on_end() = 0;

  void put(std::string text) { put_piece({std::move(text), {}, due_}); }
  /// Octets that live as long as the program.
  void put_shared(std::string_view octets) { put_piece({{}, octets, due_}); }
  /// When what is put from now on is to leave.
  void set_due(Time due) noexcept { due_ = due; }
  /// Writes what is due; to be called after put().
  void flush();
  /// Ends it, once everything is written.
  void end_after_output();
  void end();
  SSL* ssl() const noexcept { return ssl_.get(); }

 private:
  struct Piece {
    std::string own;
    std::string_view shared;
    Time due;
    std::string_view octets() const noexcept { return own.empty() ? shared : std::string_view(own); }
  };
  enum class Did { some, would_block, ended };

  void put_piece(Piece piece);
  Did shake_hands();
  Did read_some();
  Did write_some();
  Did send_gathered(Time now);
  Did write_record(Time now);
  void wrote(std::size_t octets);
  bool has_due(Time now) const noexcept { return !output_.empty() && output_.front().due <= now; }
  void ended();

  Poller& poller_;
  Ssl ssl_;
  std::deque<Piece> output_;
  std::size_t written_ = 0;  // of the first piece
  Time due_ = Time::min();
  bool ready_;  // hands are shaken
  bool blocked_ = false;
  bool ends_ = false;
  bool over_ = false;
};

/// A socket that listens on a port of 127.0.0.1 (0: any), and the port it has.
int listen_on(std::uint16_t port);
std::uint16_t port_of(int socket);
/// A socket that begins to connect to that port of 127.0.0.1.
int connect_to(std::uint16_t port);

}  // namespace postern::bench
