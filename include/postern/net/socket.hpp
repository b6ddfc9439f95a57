#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "postern/base/address.hpp"
#include "postern/base/connection.hpp"
#include "postern/base/result.hpp"
#include "postern/coro/cancel.hpp"
#include "postern/coro/deadline.hpp"
#include "postern/coro/task.hpp"

namespace postern::loop {
class Loop;
}

namespace postern::net {

/// A descriptor that is closed when this goes.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int number() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// Plain TCP over a connected, non-blocking socket.
std::unique_ptr<Transport> make_socket_transport(Descriptor socket);

/// A listening socket for one loop of several: SO_REUSEPORT, so that each loop has a queue of its own.
/// `exclusive`: fails when another process listens there already (which SO_REUSEPORT would allow silently).
/// Port 0 lets the system choose.
Result<Descriptor, std::string> listen_on(const SocketAddress& address, bool exclusive);
/// The address a socket is bound to.
SocketAddress local_address(int socket) noexcept;

/// Opens connections. A seam: sockets in the process, models in the simulation.
class Connector {
 public:
  virtual ~Connector() = default;
  /// A connection, or `connect` with the reason, or the reason that `scope` was cancelled with.
  virtual coro::Task<Result<Connection>> connect(const SocketAddress& address, coro::Deadline deadline,
                                                 coro::CancelSource& scope) = 0;
};

std::unique_ptr<Connector> make_connector(loop::Loop& loop);

/// What a listener hands out.
class Accepted {
 public:
  Accepted(Connection c, SocketAddress p, SocketAddress l) : connection(std::move(c)), peer(p), local(l) {}
  Connection connection;
  SocketAddress peer;
  SocketAddress local;
};

/// Accepts on one loop, a few connections a turn; rests for a moment when descriptors or memory have run out.
/// Accepts until it is destroyed; then the socket closes.
class Listener {
 public:
  virtual ~Listener() = default;
};

/// `on_error` hears of an accept that failed for lack of something (EMFILE, ENFILE, ENOBUFS, ENOMEM). Neither
/// function may destroy the listener.
std::unique_ptr<Listener> make_listener(loop::Loop& loop, Descriptor socket,
                                        std::function<void(Accepted)> on_connection,
                                        std::function<void(int error_number)> on_error);

}  // namespace postern::net
