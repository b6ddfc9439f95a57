#include "postern/net/socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "postern/coro/event.hpp"
#include "postern/loop/loop.hpp"

namespace postern::net {
namespace {

constexpr int kBacklog = 1024;
/// A peer that is gone without a word is noticed: probes after a minute of silence, given up after another
/// one.
constexpr int kKeepIdleSeconds = 60;
constexpr int kKeepIntervalSeconds = 15;
constexpr int kKeepProbes = 4;
constexpr unsigned kUserTimeoutMs = 120'000;

std::string text_of(int error) {
  return std::generic_category().message(error);
}

void set_option(int socket, int level, int option, int value) noexcept {
  setsockopt(socket, level, option, &value, sizeof value);  // best effort: none of them is needed to be right
}

/// Linux hands all of these from a listening socket down to what it accepts.
void tune(int socket) noexcept {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);  // replies are gathered by us; Nagle would add 40 ms
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdleSeconds);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, kKeepIntervalSeconds);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, kKeepProbes);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(kUserTimeoutMs));
}

class SocketTransport final : public Transport {
 public:
  explicit SocketTransport(Descriptor socket) : socket_(std::move(socket)) {}

  IoResult try_read(std::span<char> into) override {
    if (read_end_ != IoStatus::ok) return IoResult{0, Want::none, read_end_};
    const ssize_t got = recv(socket_.number(), into.data(), into.size(), 0);
    if (got > 0) {
      const auto bytes = static_cast<std::size_t>(got);
      // A short read has emptied the queue: saying so saves the next call.
      return IoResult{bytes, bytes < into.size() ? Want::read : Want::none, IoStatus::ok};
    }
    if (got == 0) {
      if (into.empty()) return {};
      // A reset is told once, to a read or to a write; from then on the system says "end".
      read_end_ = write_end_ == IoStatus::ok ? IoStatus::eof : write_end_;
      return IoResult{0, Want::none, read_end_};
    }
    return failed(Want::read, read_end_);
  }

  IoResult try_write(std::span<const char> from) override {
    if (write_end_ != IoStatus::ok) return IoResult{0, Want::none, write_end_};
    const ssize_t sent = send(socket_.number(), from.data(), from.size(), MSG_NOSIGNAL);
    if (sent < 0) return failed(Want::write, write_end_);
    const auto bytes = static_cast<std::size_t>(sent);
    return IoResult{bytes, bytes < from.size() ? Want::write : Want::none, IoStatus::ok};
  }

  IoResult try_flush() override { return {}; }
  IoResult try_handshake() override { return {}; }

  IoResult try_shutdown() override {
    shutdown(socket_.number(), SHUT_WR);  // fails only on a connection that is gone anyway
    return {};
  }

  void abort() noexcept override {
    const linger now{1, 0};
    setsockopt(socket_.number(), SOL_SOCKET, SO_LINGER, &now, sizeof now);  // so close() sends a reset
  }

  std::size_t unsent() const noexcept override { return 0; }
  std::string failure() const override { return error_ == 0 ? std::string() : text_of(error_); }

 private:
  IoResult failed(Want want, IoStatus& end) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return IoResult{0, want, IoStatus::ok};
    error_ = errno;
    const bool reset = error_ == ECONNRESET || error_ == EPIPE || error_ == ETIMEDOUT;
    end = reset ? IoStatus::reset : IoStatus::failed;
    return IoResult{0, Want::none, end};
  }

  Descriptor socket_;
  IoStatus read_end_ = IoStatus::ok;
  IoStatus write_end_ = IoStatus::ok;
  int error_ = 0;
};

/// Waits once for a socket to become writable.
class Writable final : public ReadinessWatcher {
 public:
  explicit Writable(coro::Event& event) : event_(event) {}
  void on_ready(bool, bool) override { event_.set(); }

 private:
  coro::Event& event_;
};

class SocketConnector final : public Connector {
 public:
  explicit SocketConnector(loop::Loop& loop) : loop_(loop) {}

  coro::Task<Result<Connection>> connect(const SocketAddress& address, coro::Deadline deadline,
                                         coro::CancelSource& scope) override {
    if (const auto reason = scope.reason()) co_return Error(*reason, "cancelled before connecting");
    const int family = address.data()->sa_family;
    Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) co_return failure(address, errno);
    const int number = socket.number();
    tune(number);
    std::unique_ptr<Transport> transport = make_socket_transport(std::move(socket));
    std::unique_ptr<Readiness> readiness =
        loop_.watch(number);  // goes before the transport that closes the descriptor
    if (::connect(number, address.data(), address.size()) != 0) {
      if (errno != EINPROGRESS) co_return failure(address, errno);
      coro::Event event(loop_, scope);
      Writable watcher(event);
      readiness->watch(&watcher);
      readiness->arm(false, true);
      const coro::WaitResult waited = co_await event.wait(deadline);
      readiness->watch(nullptr);
      if (waited == coro::WaitResult::timed_out) co_return failure(address, ETIMEDOUT);
      if (waited == coro::WaitResult::cancelled)
        co_return Error(*scope.reason(), "cancelled while connecting");
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(number, SOL_SOCKET, SO_ERROR, &error, &length);
      if (error != 0) co_return failure(address, error);
    }
    co_return Connection(std::move(transport), std::move(readiness));
  }

 private:
  static Error failure(const SocketAddress& address, int error) {
    return Error(FailureKind::connect, address.to_string() + ": " + text_of(error));
  }

  loop::Loop& loop_;
};

class SocketListener final : public Listener, private ReadinessWatcher, private coro::Timer {
 public:
  SocketListener(loop::Loop& loop, Descriptor socket, std::function<void(Accepted)> on_connection,
                 std::function<void(int)> on_error)
      : loop_(loop),
        socket_(std::move(socket)),
        on_connection_(std::move(on_connection)),
        on_error_(std::move(on_error)),
        readiness_(loop.watch(socket_.number())) {
    tune(socket_.number());
    readiness_->watch(this);
    readiness_->arm(true, false);
  }

 private:
  static constexpr int kAcceptsPerTurn = 16;              // so that a rush does not starve sessions
  static constexpr std::chrono::milliseconds kRest{100};  // after EMFILE: sessions have to end first

  void on_ready(bool, bool) override {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      sockaddr_storage peer{};
      socklen_t length = sizeof peer;
      auto* address = reinterpret_cast<sockaddr*>(&peer);
      Descriptor socket(accept4(socket_.number(), address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket) {
        const int error = errno;
        if (is_passing(error)) break;
        rest(error);
        return;
      }
      hand_over(std::move(socket), SocketAddress(address, length));
    }
    readiness_->arm(true, false);
  }

  void hand_over(Descriptor socket, SocketAddress peer) {
    const SocketAddress local = local_address(socket.number());
    auto readiness = loop_.watch(socket.number());
    on_connection_(
        Accepted(Connection(make_socket_transport(std::move(socket)), std::move(readiness)), peer, local));
  }

  /// Nothing to accept, or a connection that was gone before (accept(2) passes on what happened to it): the
  /// next event goes on. Anything else, such as EMFILE, would come again at once.
  static bool is_passing(int error) noexcept {
    switch (error) {
      case EAGAIN:
      case EINTR:
      case ECONNABORTED:
      case EPERM:
      case EPROTO:
      case ENETDOWN:
      case ENOPROTOOPT:
      case EHOSTDOWN:
      case ENONET:
      case EHOSTUNREACH:
      case EOPNOTSUPP:
      case ENETUNREACH:
        return true;
      default:
        return false;
    }
  }

  void rest(int error) {
    readiness_->arm(false, false);
    loop_.arm(*this, loop_.now() + kRest);
    on_error_(error);
  }

  void on_timer() override { readiness_->arm(true, false); }

  loop::Loop& loop_;
  Descriptor socket_;
  std::function<void(Accepted)> on_connection_;
  std::function<void(int)> on_error_;
  std::unique_ptr<Readiness> readiness_;
};

Result<Descriptor, std::string> bind_socket(const SocketAddress& address, bool shared) {
  const int family = address.data()->sa_family;
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return text_of(errno);
  // Forgives connections of a process before this one that are still closing, but only those of sockets that
  // had it too; so both kinds have it.
  set_option(socket.number(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared) set_option(socket.number(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (family == AF_INET6) set_option(socket.number(), IPPROTO_IPV6, IPV6_V6ONLY, 0);  // [::] takes IPv4 too
  if (bind(socket.number(), address.data(), address.size()) != 0) return text_of(errno);
  return socket;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (number_ >= 0) close(number_);
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

std::unique_ptr<Transport> make_socket_transport(Descriptor socket) {
  return std::make_unique<SocketTransport>(std::move(socket));
}

Result<Descriptor, std::string> listen_on(const SocketAddress& address, bool exclusive) {
  if (exclusive && address.port() != 0) {
    auto probe = bind_socket(address, false);
    if (!probe) return probe;
    if (listen(probe->number(), 1) != 0) return text_of(errno);
  }
  auto socket = bind_socket(address, true);
  if (!socket) return socket;
  if (listen(socket->number(), kBacklog) != 0) return text_of(errno);
  return socket;
}

SocketAddress local_address(int socket) noexcept {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  getsockname(socket, address, &length);
  return SocketAddress(address, length);
}

std::unique_ptr<Connector> make_connector(loop::Loop& loop) {
  return std::make_unique<SocketConnector>(loop);
}

std::unique_ptr<Listener> make_listener(loop::Loop& loop, Descriptor socket,
                                        std::function<void(Accepted)> on_connection,
                                        std::function<void(int)> on_error) {
  return std::make_unique<SocketListener>(loop, std::move(socket), std::move(on_connection),
                                          std::move(on_error));
}

}  // namespace postern::net
