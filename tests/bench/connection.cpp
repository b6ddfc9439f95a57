#include "bench/connection.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace postern::bench {
namespace {

constexpr std::size_t kReadOctets = 64 * 1024;
constexpr std::size_t kRecordOctets = 16 * 1024;  // the largest record of TLS
constexpr std::size_t kPieces = 64;               // in one call
constexpr int kBacklog = 4096;

/// For the whole thread: nothing stays in them between two calls.
std::array<char, kReadOctets> incoming;
std::array<char, kRecordOctets> record;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int new_socket() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) fail("socket");
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // also for what it accepts
  return socket;
}

}  // namespace

int listen_on(std::uint16_t port) {
  const int socket = new_socket();
  const sockaddr_in address = loopback(port);
  if (bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (listen(socket, kBacklog) != 0) fail("listen");
  return socket;
}

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
  return ntohs(address.sin_port);
}

int connect_to(std::uint16_t port) {
  const int socket = new_socket();
  const sockaddr_in address = loopback(port);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    fail("connect");
  }
  return socket;
}

Connection::Connection(Poller& poller, int socket, Ssl ssl)
    : Pollable(socket), poller_(poller), ssl_(std::move(ssl)), ready_(!ssl_) {
  if (ssl_) SSL_set_fd(ssl_.get(), socket);
}

std::uint32_t Connection::first_events() const noexcept {
  const bool speaks_first = ssl_ && SSL_is_server(ssl_.get()) == 0;
  return speaks_first ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

void Connection::put_piece(Piece piece) {
  if (!piece.octets().empty()) output_.push_back(std::move(piece));
}

void Connection::on_ready(std::uint32_t events) {
  blocked_ = false;
  if (!ready_ && shake_hands() == Did::ended) return ended();
  if (ready_ && (events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
    Did did = read_some();
    while (did == Did::some && ssl_ && SSL_has_pending(ssl_.get()) == 1) did = read_some();
    if (did == Did::ended) return ended();
  }
  if (!over_) flush();
}

void Connection::on_time() {
  flush();
}

Connection::Did Connection::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    ready_ = true;
    return Did::some;
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_WRITE) blocked_ = true;
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? Did::would_block : Did::ended;
}

Connection::Did Connection::read_some() {
  if (!ssl_) {
    const ssize_t count = recv(descriptor(), incoming.data(), incoming.size(), 0);
    if (count < 0 && errno == EAGAIN) return Did::would_block;
    if (count <= 0) return Did::ended;
    on_data({incoming.data(), static_cast<std::size_t>(count)});
    return Did::some;
  }
  ERR_clear_error();
  const int count = SSL_read(ssl_.get(), incoming.data(), static_cast<int>(incoming.size()));
  if (count > 0) {
    on_data({incoming.data(), static_cast<std::size_t>(count)});
    return over_ ? Did::would_block : Did::some;
  }
  return SSL_get_error(ssl_.get(), count) == SSL_ERROR_WANT_READ ? Did::would_block : Did::ended;
}

void Connection::flush() {
  if (over_) return;
  while (ready_ && !blocked_ && has_due(Clock::now())) {
    const Did did = write_some();
    if (did == Did::ended) return ended();
    blocked_ = did == Did::would_block;
  }
  if (output_.empty() && ends_) return end();
  poller_.watch(*this, blocked_ ? EPOLLIN | EPOLLOUT : EPOLLIN);
  if (!output_.empty() && !blocked_ && ready_) poller_.wake(*this, output_.front().due);
}

Connection::Did Connection::write_some() {
  const Time now = Clock::now();
  return ssl_ ? write_record(now) : send_gathered(now);
}

Connection::Did Connection::send_gathered(Time now) {
  std::array<iovec, kPieces> pieces;
  msghdr message{};
  message.msg_iov = pieces.data();
  std::size_t skip = written_;
  for (const Piece& piece : output_) {
    if (message.msg_iovlen == kPieces || piece.due > now) break;
    const std::string_view octets = piece.octets().substr(skip);
    pieces[message.msg_iovlen++] = {const_cast<char*>(octets.data()), octets.size()};
    skip = 0;
  }
  const ssize_t count = sendmsg(descriptor(), &message, MSG_NOSIGNAL);
  if (count < 0) return errno == EAGAIN ? Did::would_block : Did::ended;
  wrote(static_cast<std::size_t>(count));
  return Did::some;
}

/// After SSL_ERROR_WANT_WRITE the same octets are gathered again, and more at most: that is what OpenSSL
/// asks.
Connection::Did Connection::write_record(Time now) {
  std::size_t size = 0;
  std::size_t skip = written_;
  for (const Piece& piece : output_) {
    if (size == kRecordOctets || piece.due > now) break;
    const std::string_view octets = piece.octets().substr(skip, kRecordOctets - size);
    std::memcpy(record.data() + size, octets.data(), octets.size());
    size += octets.size();
    skip = 0;
  }
  ERR_clear_error();
  const int count = SSL_write(ssl_.get(), record.data(), static_cast<int>(size));
  if (count <= 0) {
    return SSL_get_error(ssl_.get(), count) == SSL_ERROR_WANT_WRITE ? Did::would_block : Did::ended;
  }
  wrote(static_cast<std::size_t>(count));
  return Did::some;
}

void Connection::wrote(std::size_t octets) {
  written_ += octets;
  while (!output_.empty() && written_ >= output_.front().octets().size()) {
    written_ -= output_.front().octets().size();
    output_.pop_front();
  }
}

void Connection::end_after_output() {
  ends_ = true;
  flush();
}

void Connection::end() {
  if (over_) return;
  over_ = true;
  if (ssl_ && ready_) SSL_shutdown(ssl_.get());
  poller_.remove(*this);
}

void Connection::ended() {
  if (over_) return;
  over_ = true;
  if (ssl_) SSL_set_quiet_shutdown(ssl_.get(), 1);
  poller_.remove(*this);
  on_end();
}

}  // namespace postern::bench
