#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "postern/backend/dialer.hpp"
#include "support/log_lines.hpp"
#include "support/network.hpp"
#include "support/seeded_random.hpp"
#include "support/store.hpp"
#include "support/tls_filters.hpp"

namespace postern::backend {

using namespace std::chrono_literals;
using test::Ending;
using test::Host;
using test::Peer;
using test::Running;
using test::Script;
using test::Side;
using test::Store;
namespace step = test::step;

inline std::string word(const Error& error) {
  return std::string(label(error.kind()));
}

/// A dialer, and a backend with servers at 192.0.2.10 and up, each with the same store.
class BackendTest : public testing::Test {
 protected:
  using Client = std::unique_ptr<Pop3Client>;

  BackendTest() {
    settings.name = "main";
    settings.tls.mode = config::BackendTlsMode::none;
    settings.servers = {config::Server{"192.0.2.10", 110, {}}};
    host().serve = [this](Peer& peer) { store.serve(peer); };
  }
  ~BackendTest() override {
    client.reset();
    EXPECT_EQ(pool.leased(), 0U);
    for (const Peer& peer : network.peers()) EXPECT_EQ(peer.problem(), "");
  }

  Host& host(int last = 10) { return network.host("192.0.2." + std::to_string(last), 110); }
  void add_server(int last) {
    settings.servers.push_back(config::Server{"192.0.2." + std::to_string(last), 110, {}});
    host(last).serve = [this](Peer& peer) { store.serve(peer); };
  }
  /// What the server does on each connection instead.
  void script(Script steps, int last = 10) {
    host(last).serve = [steps = std::move(steps)](Peer& peer) { peer.then(steps); };
  }

  /// Made when it is asked for first: `settings` may be changed before.
  Backend& backend() {
    if (made) return *made;
    std::unique_ptr<tls::ClientContext> context;
    if (settings.tls.mode != config::BackendTlsMode::none) context = test::make_tls_client();
    made = std::make_unique<Backend>(nullptr, settings, std::move(context), cells);
    return *made;
  }

  /// Connects; "" if a server has greeted, otherwise the failure.
  std::string dial() {
    client.reset();
    Result<Client> dialled = scheduler.run(dialer.dial_pop3(backend(), turn, scope, progress));
    if (!dialled) {
      detail = dialled.error().detail();
      return word(dialled.error());
    }
    client = std::move(*dialled);
    return "";
  }
  std::string log_in(const std::string& user = "alice", const std::string& password = "secret") {
    const BackendCredentials credentials(user, Secret(password));
    const coro::Deadline deadline(scheduler.now() + settings.login_timeout);
    const Result<void> done = scheduler.run(client->login(credentials, deadline));
    if (!done) detail = done.error().detail();
    return done ? "" : word(done.error());
  }
  std::string dial_and_log_in() {
    const std::string dialled = dial();
    return dialled.empty() ? log_in() : dialled;
  }
  /// What the server got on its last connection.
  std::string heard(int last = 10) { return host(last).connections.back()->received(); }
  std::uint64_t failures(FailureKind kind) const {
    return cells->connection_failures[static_cast<std::size_t>(kind)].value();
  }

  test::TestScheduler scheduler;
  test::Network network{scheduler};
  test::LogLines lines;
  Log log{lines, scheduler, LogFormat::logfmt, LogLevel::debug};
  test::SeededRandom random{1};
  net::ChunkPool pool;
  CapabilityTable capabilities{scheduler};
  net::Turn turn{scheduler};
  coro::CancelSource scope;
  config::Backend settings;
  std::shared_ptr<metrics::BackendMetrics> cells = std::make_shared<metrics::BackendMetrics>();
  Dialer dialer{scheduler, pool, network, network, capabilities, random, log};
  Progress progress;
  Store store;
  std::string detail;  ///< of the last failure

 private:
  std::unique_ptr<Backend> made;

 protected:
  Client client;
};

}  // namespace postern::backend
