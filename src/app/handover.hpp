#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/listening.hpp"
#include "postern/base/readiness.hpp"
#include "postern/base/secret.hpp"
#include "postern/loop/loop.hpp"

/// How a process gives its listening sockets to the one that replaces it: no connection is refused, because
/// the queues of the kernel stay the same ones. They speak over a Unix socket (`runtime.control`), a packet
/// for each thing; only root and the same user are heard.
namespace postern::app {

/// What goes from one process to the next.
class Handover {
 public:
  std::vector<ListeningSocket> sockets;  ///< all loops', and the admin's
  Secret ticket_keys;                    ///< so that sessions of TLS go on being resumed
  net::Descriptor control;               ///< the socket that was asked by
  net::Descriptor lock;                  ///< of it, see lock_control()
};

/// The right to serve by this control socket. It is held by one process, and by the one that it hands over
/// to; the kernel gives it back whatever happens to them.
Result<net::Descriptor, std::string> lock_control(const std::string& path);
/// The socket itself, in the place of one that was there. Whoever has the lock may.
Result<net::Descriptor, std::string> open_control(const std::string& path);

/// The new process's side.
class Predecessor {
 public:
  /// Asks whoever serves behind `path` for everything. Waits for some seconds at most.
  static Result<Predecessor, std::string> ask(const std::string& path);

  Handover handover;
  /// This process serves: the other one drains from now on. Until then it goes on as if nothing had been.
  void release();

 private:
  net::Descriptor connection_;
};

/// The old process's side, on the supervisor's loop. Who has got the socket listens to it, too: destroy this
/// one when that one serves.
class ControlPort final : private ReadinessWatcher {
 public:
  /// `give` sends what there is, with send_socket() and send_rest(); `released` is called once a new process
  /// serves.
  ControlPort(loop::Loop& loop, net::Descriptor socket, std::function<bool(int connection)> give,
              std::function<void()> released);
  ControlPort(const ControlPort&) = delete;
  ControlPort& operator=(const ControlPort&) = delete;
  ~ControlPort();

  const net::Descriptor& socket() const noexcept { return socket_; }

 private:
  class Successor;

  void on_ready(bool readable, bool writable) override;

  loop::Loop& loop_;
  net::Descriptor socket_;
  std::function<bool(int)> give_;
  std::function<void()> released_;
  std::unique_ptr<Readiness> readiness_;
  std::unique_ptr<Successor> successor_;
};

/// False: the other side does not take it.
bool send_socket(int connection, const ListeningSocket& socket);
bool send_rest(int connection, const Secret& ticket_keys, const net::Descriptor& control,
               const net::Descriptor& lock);

}  // namespace postern::app
