#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "postern/maildrop/maildrop.hpp"
#include "support/log_lines.hpp"
#include "support/network.hpp"
#include "support/store.hpp"

namespace postern::maildrop {

using namespace std::chrono_literals;
using test::Ending;
using test::Peer;
using test::Running;
using test::Script;
using test::Side;
using test::Store;
namespace step = test::step;

/// A sink that keeps what it gets. May refuse.
class Kept final : public Sink {
 public:
  coro::Task<Result<void>> begin(std::optional<Bytes> announced) override {
    begun = true;
    size = announced;
    if (refuses_begin) co_return Error(FailureKind::client_reset, "refused");
    co_return Result<void>();
  }
  coro::Task<Result<void>> write(std::string_view wire) override {
    text += wire;
    ++writes;
    if (text.size() >= refuses_from) co_return Error(FailureKind::client_stalled, "refused");
    co_return Result<void>();
  }
  coro::Task<Result<void>> end(std::string_view tail) override {
    text += tail;
    last_tail = tail;
    ended = true;
    co_return Result<void>();
  }

  bool refuses_begin = false;
  std::size_t refuses_from = std::string::npos;
  bool begun = false;
  bool ended = false;
  std::optional<Bytes> size;
  std::string text;  ///< without the terminator
  std::string last_tail;
  std::size_t writes = 0;
};

/// A maildrop that is opened as a session opens it, against a server in memory.
class RelayTest : public testing::Test {
 protected:
  RelayTest() {
    settings.name = "main";
    settings.tls.mode = config::BackendTlsMode::none;
    settings.servers = {config::Server{"192.0.2.10", 110, {}}};
    network.host("192.0.2.10", 110).serve = [this](Peer& peer) { store.serve(peer); };
  }
  ~RelayTest() override {
    maildrop.reset();
    scheduler.run_until_idle();
    EXPECT_EQ(pool.leased(), 0U);
    for (const Peer& peer : network.peers()) EXPECT_EQ(peer.problem(), "");
  }

  /// "" or the failure.
  std::string open(const std::string& password = "secret") {
    maildrop.reset();
    backend = std::make_unique<backend::Backend>(nullptr, settings, nullptr, cells);
    const backend::BackendCredentials credentials("alice", Secret(password));
    backend::Progress progress;
    Result<std::unique_ptr<Maildrop>> opened =
        scheduler.run(maildrop::open(dialer, *backend, credentials, turn, scope, progress));
    phase = progress.phase;
    if (!opened) return std::string(label(opened.error().kind()));
    maildrop = std::move(*opened);
    return "";
  }
  /// What the server says to a command from now on.
  void answer(const std::string& command, Script script) { store.instead[command] = std::move(script); }
  void answer(const std::string& command, const std::string& text) {
    answer(command, Script{step::send(text)});
  }
  Peer& server() { return *network.host("192.0.2.10", 110).connections.back(); }
  /// What the server got behind the login.
  std::string asked() {
    const std::string& all = server().received();
    return all.substr(all.find("\r\n", all.find("AUTH ")) + 2);
  }

  template <class T>
  std::string failure(const Result<T>& result) {
    return result ? "" : std::string(label(result.error().kind()));
  }
  std::string retrieve(Kept& sink, std::uint32_t message = 1) {
    const Result<void> done = scheduler.run(maildrop->retrieve(message, sink));
    return failure(done);
  }

  test::TestScheduler scheduler;
  test::Network network{scheduler};
  test::LogLines lines;
  Log log{lines, scheduler, LogFormat::logfmt, LogLevel::debug};
  net::ChunkPool pool;
  backend::CapabilityTable capabilities{scheduler};
  net::Turn turn{scheduler};
  coro::CancelSource scope;
  config::Backend settings;
  std::shared_ptr<metrics::BackendMetrics> cells = std::make_shared<metrics::BackendMetrics>();
  backend::Dialer dialer{scheduler, pool, network, network, capabilities, log};
  Store store;
  Phase phase = Phase::accept;
  std::unique_ptr<backend::Backend> backend;
  std::unique_ptr<Maildrop> maildrop;
};

}  // namespace postern::maildrop
