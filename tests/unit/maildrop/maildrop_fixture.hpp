#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "postern/maildrop/opener.hpp"
#include "support/kept_snapshots.hpp"
#include "support/log_lines.hpp"
#include "support/network.hpp"
#include "support/seeded_random.hpp"

namespace postern::maildrop {

using namespace std::chrono_literals;
using test::Ending;
using test::Peer;
using test::Running;
using test::Script;
using test::Side;
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
class MaildropTest : public testing::Test {
 protected:
  MaildropTest() {
    settings.name = "main";
    settings.tls.mode = config::BackendTlsMode::none;
  }
  ~MaildropTest() override {
    maildrop.reset();
    scheduler.run_until_idle();
    EXPECT_EQ(pool.leased(), 0U);
    EXPECT_EQ(opener.budget().used(), 0U);
    for (const Peer& peer : network.peers()) EXPECT_EQ(peer.problem(), "");
  }

  /// "" or the failure.
  std::string open(const std::string& password = "secret") {
    maildrop.reset();
    backend = std::make_unique<backend::Backend>(nullptr, settings, nullptr, cells);
    const SocketAddress client = SocketAddress::parse("198.51.100.7", 40000).value();
    const SocketAddress local = SocketAddress::parse("192.0.2.1", 995).value();
    Login login(backend::BackendCredentials("alice", Secret(password)),
                backend::Origin(client, local, "session-1"), view);
    login.folder = folder;
    backend::Progress progress;
    Result<std::unique_ptr<Maildrop>> opened =
        scheduler.run(opener.open(*backend, std::move(login), turn, scope, progress));
    phase = progress.phase;
    if (!opened) detail = opened.error().detail();
    if (!opened) return std::string(label(opened.error().kind()));
    maildrop = std::move(*opened);
    return "";
  }

  template <class T>
  T run(coro::Task<T> task) {
    return scheduler.run(std::move(task));
  }
  template <class T>
  static std::string failure(const Result<T>& result) {
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
  test::SeededRandom random{1};
  net::ChunkPool pool;
  backend::CapabilityTable capabilities{scheduler};
  net::Turn turn{scheduler};
  coro::CancelSource scope;
  config::Backend settings;
  config::View view;
  std::optional<std::string> folder;
  std::shared_ptr<metrics::BackendMetrics> cells = std::make_shared<metrics::BackendMetrics>();
  backend::Dialer dialer{scheduler, pool, network, network, capabilities, random, log};
  test::KeptSnapshots snapshots;
  Opener opener{dialer, snapshots, pool, log, scheduler};
  Phase phase = Phase::accept;
  std::string detail;  ///< of the failure to open
  std::unique_ptr<backend::Backend> backend;
  std::unique_ptr<Maildrop> maildrop;
};

}  // namespace postern::maildrop
