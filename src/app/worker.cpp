#include "app/worker.hpp"

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <utility>

namespace postern::app {
namespace {

constexpr std::chrono::seconds kBeat{1};
/// What the last sessions left to be written takes milliseconds, or the disk hangs.
constexpr std::chrono::seconds kStoreClose{5};

std::function<void(const char*)> report_bug(Log& log) {
  return [&log](const char* what) {
    LogLine(log, LogLevel::error, "bug", "a session ended with an exception").field("detail", what);
  };
}

}  // namespace

/// Ticks once a second: shows that the loop runs, how late it is, and what it holds.
class Worker::Heartbeat final : public coro::Timer {
 public:
  Heartbeat(Worker& worker, loop::Loop& loop, net::ChunkPool& pool)
      : worker_(worker), loop_(loop), pool_(pool), due_(loop.now()) {
    beat();
  }
  ~Heartbeat() override = default;

 private:
  void on_timer() override {
    metrics::LoopMetrics& cells = worker_.shared_.metrics.loop(worker_.index_);
    cells.lag.observe(loop_.now() - due_);
    cells.buffered_bytes.set(static_cast<std::int64_t>(pool_.leased()));
    beat();
  }

  void beat() {
    const TimePoint now = loop_.now();
    worker_.last_tick_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    due_ = now + kBeat;
    loop_.arm(*this, due_);
  }

  Worker& worker_;
  loop::Loop& loop_;
  net::ChunkPool& pool_;
  TimePoint due_;
};

/// Everything that lives on the loop, in the order it is made.
struct Worker::Parts {
  Parts(Worker& worker, Shared& shared)
      : loop(shared.clock),
        connector(net::make_connector(loop)),
        resolver(loop::make_resolver(loop)),
        gate(loop, report_bug(shared.log)),
        housekeeping(loop, report_bug(shared.log)),
        dialer(loop, pool, *connector, *resolver, shared.capabilities, shared.random, shared.log),
        store(store::make_store(shared.store, loop, &loop, shared.log,
                                shared.metrics.loop(worker.index_).store)),
        opener(dialer, *store, pool, shared.log, shared.clock),
        environment(loop, pool, gate, opener, shared.log, shared.clock, shared.random, shared.live_sessions),
        heartbeat(worker, loop, pool) {}

  loop::Loop loop;
  net::ChunkPool pool;
  std::unique_ptr<net::Connector> connector;
  std::unique_ptr<loop::Resolver> resolver;
  coro::Gate gate;
  coro::Gate housekeeping;
  backend::Dialer dialer;
  std::unique_ptr<store::LoopStore> store;
  maildrop::Opener opener;
  session::Environment environment;
  Heartbeat heartbeat;
  Services services;
  std::multimap<std::string, std::unique_ptr<net::Listener>> listeners;  // two of a key: see open_sockets()
  bool leaving = false;
};

Worker::Worker(Shared& shared, unsigned index)
    : shared_(shared),
      index_(index),
      last_tick_(shared.clock.now().time_since_epoch().count()),
      parts_(std::make_unique<Parts>(*this, shared)) {}

Worker::~Worker() = default;

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are the supervisor's
  pthread_setname_np(pthread_self(), ("loop-" + std::to_string(index_)).c_str());
  parts_->loop.run();
}

void Worker::apply(Services services, std::vector<ListeningSocket> opened, std::vector<std::string> closed) {
  auto sockets = std::make_shared<std::vector<ListeningSocket>>(std::move(opened));
  parts_->loop.post([this, services = std::move(services), sockets, closed = std::move(closed)]() mutable {
    parts_->services = std::move(services);
    for (const std::string& key : closed) parts_->listeners.erase(key);
    for (ListeningSocket& opening : *sockets) {
      const std::string name = opening.listener;
      auto listener = net::make_listener(
          parts_->loop, std::move(opening.socket),
          [this, name](net::Accepted accepted) { accept(name, std::move(accepted)); },
          [this](int error) {
            shared_.metrics.loop(index_).accept_errors.add();
            if (!shared_.log.admits(FailureKind::overload)) return;
            LogLine(shared_.log, LogLevel::warn, "accept_failed", "cannot accept")
                .field("detail", std::system_category().message(error));
          });
      parts_->listeners.emplace(opening.key, std::move(listener));
    }
  });
}

void Worker::accept(const std::string& listener, net::Accepted accepted) {
  const auto service = parts_->services.find(listener);
  if (service == parts_->services.end()) return;  // closing: its socket was still in a turn
  parts_->gate.spawn(session::serve(parts_->environment, service->second, std::move(accepted)));
}

void Worker::drain(Logins logins) {
  parts_->loop.post([this, logins] {
    parts_->listeners.clear();
    if (logins == Logins::refused && !std::exchange(parts_->environment.draining, true)) {
      parts_->environment.sessions.drain_all();
    }
    if (!std::exchange(parts_->leaving, true)) parts_->housekeeping.spawn(stop_when_empty());
  });
}

coro::Task<void> Worker::stop_when_empty() {
  co_await parts_->gate.closed();
  const coro::Deadline deadline(parts_->loop.now() + kStoreClose);
  co_await parts_->store->close(deadline);
  co_await parts_->loop.idle(parts_->loop);
  parts_->loop.stop();
}

void Worker::end_sessions(bool updates_too) {
  parts_->loop.post([this, updates_too] {
    parts_->environment.sessions.end_all(FailureKind::draining);
    if (updates_too) parts_->environment.updates.end_all(FailureKind::draining);
  });
}

}  // namespace postern::app
