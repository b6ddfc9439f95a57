#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postern/session/session.hpp"
#include "support/imap_store.hpp"
#include "support/kept_snapshots.hpp"
#include "support/log_lines.hpp"
#include "support/network.hpp"
#include "support/store.hpp"
#include "support/test_scheduler.hpp"

namespace postern::test {

class World;

/// A client of the world, in the hands of a test. Whatever it does, the world then comes to rest; time does
/// not move.
class Client {
 public:
  Client(World& world, Peer& peer) noexcept : world_(&world), peer_(&peer) {}

  /// Sends, and gives what came since the last look.
  std::string say(std::string_view octets);
  /// What came since the last look.
  std::string hear();
  /// USER and PASS of the store, as a client does that waits for each answer; the last answer.
  std::string log_in(std::string_view user = "alice", std::string_view password = "secret");
  /// Ends its side.
  void close();
  void reset();
  void start_tls();
  /// "" while it is open, "eof" or "reset".
  std::string end() const;
  Peer& peer() const noexcept { return *peer_; }

 private:
  World* world_;
  Peer* peer_;
};

/// The gateway's sessions on one loop, whole and unchanged, between clients and servers in memory, in virtual
/// time. Nothing but the wire, the clock and the dice are models. The same calls give the same run.
class World {
 public:
  static constexpr const char* kPlain = "plain";   ///< listener without TLS that takes passwords
  static constexpr const char* kStls = "stls";     ///< listener with STLS
  static constexpr const char* kImplicit = "tls";  ///< listener with TLS from the start
  static constexpr const char* kServer = "192.0.2.10";
  static constexpr const char* kImapServer = "192.0.2.20";

  /// What outlives sessions, if it is not to be `snapshots`: it outlives the world.
  explicit World(store::Store* kept = nullptr);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  /// Ends what still runs.
  ~World();

  /// May be changed before the first client comes: three listeners; the backend "main" with one server that
  /// speaks POP3, for everybody; the backend "imap" with one that speaks IMAP, for nobody.
  config::Config config;
  Network& network() noexcept { return network_; }
  /// The server of the backend "main", and what it does, unless a test gives it something else to do.
  Host& server() { return network_.host(kServer, 110); }
  Store store;
  /// Sends everybody to the backend "imap" instead. Before the first client comes.
  void use_imap();
  /// The backends are to be reached over TLS, from the first octet on. Before the first client comes; the
  /// peers that play their servers have to begin with it, see server_tls().
  void use_backend_tls();
  /// The settings of "imap", to be changed. Before the first client comes.
  config::Backend& imap_backend();
  /// Its server, and what it does.
  Host& imap_server() { return network_.host(kImapServer, 143); }
  ImapStore imap;
  /// What outlives sessions.
  KeptSnapshots snapshots;

  /// A client whose connection is there, and nothing has happened yet. The port is its own.
  Peer& admit(const std::string& listener, std::uint16_t port);
  /// A client that is connected, and no more.
  Client arrive(const std::string& listener = kPlain);
  /// The same, with TLS if the listener begins with it.
  Client connect(const std::string& listener = kPlain);
  /// The same, logged in; what it heard is forgotten.
  Client logged_in(const std::string& listener = kPlain);
  /// Until nothing happens any more without time.
  void settle() { scheduler_.run_until_idle(); }
  void pass(Duration time);

  TestScheduler& scheduler() noexcept { return scheduler_; }
  net::ChunkPool& pool() noexcept { return pool_; }
  session::Environment& environment() noexcept { return environment_; }
  LogLines& log() noexcept { return lines_; }
  metrics::BackendMetrics& backend_metrics(const std::string& name = "main");
  metrics::ListenerMetrics& listener_metrics(const std::string& name = kPlain);
  std::size_t running() const noexcept { return gate_.count(); }

  /// Waits until every session has ended by itself; then says what should not be: something that is still
  /// held, a gauge that is not zero, a session without its line in the log, a peer that met something
  /// unexpected. Empty if all is well.
  std::string leftovers();

 private:
  struct Parts;
  void start();
  std::shared_ptr<const session::Service> service(const std::string& listener);
  std::string held() const;
  std::string gauges() const;
  std::string accounts() const;

  TestScheduler scheduler_;
  LogLines lines_;
  Log log_;
  std::unique_ptr<Random> random_;
  Network network_;
  net::ChunkPool pool_;
  backend::CapabilityTable capabilities_;
  std::atomic<std::uint32_t> live_{0};
  coro::Gate gate_;
  backend::Dialer dialer_;
  maildrop::Opener opener_;
  session::Environment environment_;
  std::unique_ptr<Parts> parts_;
  std::string bugs_;
  std::size_t connected_ = 0;
};

}  // namespace postern::test
