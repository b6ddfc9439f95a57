#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "postern/loop/resolver.hpp"
#include "postern/net/socket.hpp"
#include "support/memory_transport.hpp"
#include "support/peer.hpp"
#include "support/test_scheduler.hpp"

namespace postern::test {

/// A server that can be connected to.
class Host {
 public:
  enum class Way : std::uint8_t {
    accepts,
    refuses,  ///< RST in answer to SYN
    silent,   ///< nothing at all in answer
  };

  Way way = Way::accepts;
  /// What is done with each connection, before anything is sent on it.
  std::function<void(Peer&)> serve;
  /// All connections so far.
  std::vector<Peer*> connections;
};

/// Connections in memory, their peers, and the names and addresses of the servers. In each turn of the
/// scheduler every link is delivered and every peer acts, in the order in which they were made.
class Network final : public net::Connector, public loop::Resolver {
 public:
  explicit Network(TestScheduler& scheduler);
  ~Network() override = default;

  /// The server at an address; made when it is asked for first.
  Host& host(const std::string& ip, std::uint16_t port);
  /// What a name stands for.
  void name(const std::string& host, std::vector<std::string> ips) { names_[host] = std::move(ips); }

  /// A connection, and the peer at its other end.
  std::pair<Connection, Peer*> make();
  const std::list<Peer>& peers() const noexcept { return peers_; }
  /// From now on, links and peers come in an order that this decides: it is given how many there are left,
  /// and says which is next.
  void choose_by(std::function<std::size_t(std::size_t)> choose) { choose_ = std::move(choose); }

  coro::Task<Result<Connection>> connect(const SocketAddress& address, coro::Deadline deadline,
                                         coro::CancelSource& scope) override;
  coro::Task<Result<std::vector<SocketAddress>>> resolve(const std::string& host, std::uint16_t port,
                                                         coro::Deadline deadline,
                                                         coro::CancelSource& scope) override;

 private:
  bool poll();
  template <class Each>
  bool each(std::list<Each>& all, bool (Each::*act)());

  TestScheduler& scheduler_;
  std::map<std::string, Host> hosts_;
  std::map<std::string, std::vector<std::string>> names_;
  std::list<MemoryLink> links_;
  std::list<Peer> peers_;
  std::function<std::size_t(std::size_t)> choose_;
};

}  // namespace postern::test
