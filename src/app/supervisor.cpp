#include "app/supervisor.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "app/cpus.hpp"
#include "app/exit_status.hpp"
#include "app/service_manager.hpp"
#include "app/version.hpp"
#include "postern/loop/loop.hpp"

namespace postern::app {
namespace {

/// A loop that has not ticked for so long hangs.
constexpr std::chrono::seconds kHung{10};
/// Scrapes and probes at a time; more are closed at once. Each may hold a whole answer until its reader took
/// it.
constexpr std::size_t kMaxAdminConnections = 64;

/// Whether something is different that a reload leaves as it is.
bool needs_restart(const config::Config& now, const config::Config& fresh) {
  const auto same_address = [](const SocketAddress& a, const SocketAddress& b) {
    return a.to_string() == b.to_string();
  };
  return event_loops(now) != event_loops(fresh) || now.log.format != fresh.log.format ||
         now.log.target != fresh.log.target || now.store.memory != fresh.store.memory ||
         now.store.file != fresh.store.file || now.runtime.control != fresh.runtime.control ||
         !std::equal(now.admin.bind.begin(), now.admin.bind.end(), fresh.admin.bind.begin(),
                     fresh.admin.bind.end(), same_address);
}

}  // namespace

/// When a drain has lasted long enough.
class Supervisor::DrainTimer final : public coro::Timer {
 public:
  explicit DrainTimer(Supervisor& supervisor) : supervisor_(supervisor) {}
  ~DrainTimer() override = default;

 private:
  void on_timer() override {
    LogLine(supervisor_.log_, LogLevel::warn, "drain", "drain timeout: sessions that are left are ended");
    for (auto& worker : supervisor_.workers_) worker->end_sessions(false);
  }
  Supervisor& supervisor_;
};

/// Gives memory back to the system when a rush is over: the allocator keeps the pieces of thousands of
/// sessions that have gone, spread over its heaps. It holds the heaps' locks meanwhile, so it is done rarely.
class Supervisor::MemoryTimer final : public coro::Timer {
 public:
  MemoryTimer(loop::Loop& loop, const std::atomic<std::uint32_t>& sessions)
      : loop_(loop), sessions_(sessions) {
    loop_.arm(*this, loop_.now() + kInterval);
  }
  ~MemoryTimer() override = default;

 private:
  static constexpr std::chrono::seconds kInterval{10};
  static constexpr std::uint32_t kRush = 1000;  // below that there is little to gain

  void on_timer() override {
    const std::uint32_t now = sessions_.load(std::memory_order_relaxed);
    most_ = std::max(most_, now);
    if (most_ >= kRush && now < most_ / 2) {
      malloc_trim(0);
      most_ = now;
    }
    loop_.arm(*this, loop_.now() + kInterval);
  }

  loop::Loop& loop_;
  const std::atomic<std::uint32_t>& sessions_;
  std::uint32_t most_ = 0;
};

/// What lives on the supervisor's own loop.
struct Supervisor::AdminSide {
  explicit AdminSide(Supervisor& supervisor)
      : loop(supervisor.shared_.clock),
        gate(loop, [](const char*) {}),
        drain_timer(supervisor),
        memory_timer(loop, supervisor.shared_.live_sessions) {}

  coro::Task<void> stop_when_empty();

  loop::Loop loop;
  net::ChunkPool pool;
  coro::Gate gate;
  coro::CancelSource scope;
  DrainTimer drain_timer;
  MemoryTimer memory_timer;
  http::Handler handler;
  std::vector<std::unique_ptr<net::Listener>> listeners;
  std::unique_ptr<ControlPort> control;
  std::thread joiner;  // waits for the workers' threads, so that the loop can go on meanwhile
};

coro::Task<void> Supervisor::AdminSide::stop_when_empty() {
  co_await gate.closed();
  loop.stop();
}

Supervisor::Supervisor(std::string path, Groundwork ground, Log& log)
    : path_(std::move(path)),
      log_(log),
      ground_(std::move(ground)),
      config_(ground_.assembly.config),
      metrics_(*ground_.metrics),
      shared_(log, system_clock(), system_random(), metrics_, config_->store),
      side_(std::make_unique<AdminSide>(*this)) {
  metrics_.set_log_dropped([&log] { return log.sink().dropped(); });
  admin_sources_.allow_from = config_->admin.allow_from;
  admin_sources_.metrics = &metrics_;
  admin_sources_.unhealthy = [this] { return unhealthy(); };
  admin_sources_.unready = [this] { return unready(); };
  side_->handler = admin::make_handler(admin_sources_);
}

Supervisor::~Supervisor() = default;

int Supervisor::run(ChangedUidls changed, const std::function<void()>& serving) {
  const config::ServedUidls before = shared_.store.served_uidls(config::served_by(*config_));
  if (changed == ChangedUidls::refuse) {
    const config::Problems problems = changed_uidls(*config_, before);
    report(log_, problems);
    if (!problems.empty()) return kExitConfig;
  }
  for (unsigned i = 0; i < metrics_.loops(); ++i) workers_.push_back(std::make_unique<Worker>(shared_, i));
  switch_to(std::move(ground_.assembly), std::move(ground_.sockets));
  open_admin(std::move(ground_.admin_sockets));
  if (ground_.control) open_control();
  keep_served(config::uidl_changes(*config_, before));
  side_->loop.on_signal(SIGHUP, [this] { reload(); });
  side_->loop.on_signal(SIGTERM, [this] { drain(); });
  side_->loop.on_signal(SIGINT, [this] { end_now(); });
  for (auto& worker : workers_) worker->start();
  // Made now: when there is an end to wait for, the machine may have no memory left for a thread.
  side_->joiner = std::thread([this] {
    for (auto& worker : workers_) worker->join();
    side_->loop.post([this] { side_->loop.stop(); });
  });
  LogLine(log_, LogLevel::info, "started", "postern started")
      .field("version", kVersion)
      .field("loops", metrics_.loops())
      .field("pid", static_cast<std::uint32_t>(getpid()))
      .field("config", path_);
  serving();
  tell_ready();
  side_->loop.run();
  join_workers();
  LogLine(log_, LogLevel::info, "stopped", "postern stopped");
  return kExitOk;
}

/// Makes a configuration the one that new connections are served by.
void Supervisor::switch_to(Assembly assembly, LoopSockets opened) {
  std::set<std::string> keys = socket_keys(*assembly.config);
  std::vector<std::string> listeners;
  std::vector<std::string> backends;
  for (const config::Listener& listener : assembly.config->listeners) listeners.push_back(listener.name);
  for (const config::Backend& backend : assembly.config->backends) backends.push_back(backend.name);
  std::vector<std::string> closed;
  for (const std::string& key : open_keys_) {
    if (!keys.contains(key)) closed.push_back(key);
  }
  std::erase_if(held_, [&](const ListeningSocket& socket) {
    return std::find(closed.begin(), closed.end(), socket.key) != closed.end();
  });
  if (ground_.control_lock) {
    for (const auto& sockets : opened) {
      for (const ListeningSocket& socket : sockets) held_.push_back(duplicate(socket));
    }
  }
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->apply(std::move(assembly.services[i]), std::move(opened[i]), closed);
  }
  open_keys_ = std::move(keys);
  config_ = assembly.config;
  metrics_.set_current(std::move(listeners), std::move(backends));
  metrics_.set_certificates(std::move(assembly.certificates));
  metrics_.process().sessions_limit.set(config_->limits.max_sessions);
  metrics_.process().config_last_reload_successful.set(1);
  const auto now = shared_.clock.wall_now().time_since_epoch();
  metrics_.process().config_last_reload_success_timestamp_seconds.set(
      std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

void Supervisor::open_admin(std::vector<ListeningSocket> sockets) {
  for (ListeningSocket& socket : sockets) {
    if (ground_.control_lock) held_.push_back(duplicate(socket));
    side_->listeners.push_back(net::make_listener(
        side_->loop, std::move(socket.socket),
        [this](net::Accepted accepted) {
          if (side_->gate.count() >= kMaxAdminConnections) return;
          side_->gate.spawn(
              http::serve(side_->loop, side_->scope, side_->pool, std::move(accepted), side_->handler));
        },
        [](int) {}));
  }
}

void Supervisor::open_control() {
  side_->control = std::make_unique<ControlPort>(
      side_->loop, std::move(ground_.control), [this](int connection) { return hand_over(connection); },
      [this] {
        LogLine(log_, LogLevel::info, "taken_over", "another process serves from now on");
        side_->listeners.clear();  // scrapes and probes are the other one's
        side_->loop.post(
            [this] { side_->control.reset(); });  // so is who asks next; not from inside of its own call
        leave(Worker::Logins::finished);
      });
}

/// Everything that the next process needs. This one goes on until that one serves.
bool Supervisor::hand_over(int connection) {
  if (leaving_) return false;
  for (const ListeningSocket& socket : held_) {
    if (!send_socket(connection, socket)) return false;
  }
  return send_rest(connection, ground_.ticket_keys->save(), side_->control->socket(), ground_.control_lock);
}

/// What is served from now on is what the next start is held to.
void Supervisor::keep_served(const std::vector<config::UidlChange>& changes) {
  shared_.store.keep(config::served_by(*config_));
  for (const config::UidlChange& change : changes) {
    LogLine(log_, LogLevel::warn, "uidl_changed",
            "other unique-ids from now on, as --accept-uidl-change allows")
        .field("backend", change.backend)
        .field("was", change.was)
        .field("is", change.is);
  }
}

/// Reads the file again. A bad one changes nothing, and says so.
void Supervisor::reload() {
  if (leaving_) return;
  tell_reloading();
  auto assembly = load();
  Result<void, std::string> switched;
  if (!assembly) {
    report(log_, assembly.error());
    switched = std::to_string(assembly.error().size()) + " errors in the configuration";
  } else {
    if (needs_restart(*config_, *assembly->config)) {
      LogLine(log_, LogLevel::warn, "config_reload",
              "runtime.threads and control, log.format, log.target, admin.bind and store need a restart");
    }
    auto opened = open_sockets(*assembly->config, workers_.size(), open_keys_, log_);
    if (opened) {
      switch_to(std::move(*assembly), std::move(*opened));
    } else {
      switched = std::move(opened).error();
    }
  }
  if (switched) {
    keep_served({});
    log_.set_level(config_->log.level);
    admin_sources_.allow_from = config_->admin.allow_from;
    LogLine(log_, LogLevel::info, "config_reload", "configuration reloaded").field("result", "ok");
  } else {
    metrics_.process().config_last_reload_successful.set(0);
    LogLine(log_, LogLevel::error, "config_reload", "the old configuration stays")
        .field("result", "failed")
        .field("detail", switched.error());
  }
  tell_ready();
}

Result<Assembly, config::Problems> Supervisor::load() {
  auto loaded = config::load_file(path_);
  if (!loaded) return std::move(loaded).error();
  const auto config = std::make_shared<const config::Config>(std::move(*loaded));
  // Of this process's own backends it needs no file to know.
  config::ServedUidls served = config::served_by(*config_);
  served.merge(shared_.store.served_uidls(config::served_by(*config)));
  config::Problems problems = changed_uidls(*config, served);
  if (!problems.empty()) return problems;
  return assemble(config, metrics_, ground_.ticket_keys);
}

/// The first SIGTERM: no new sessions, and the old ones may end. The second: everything ends.
void Supervisor::drain() {
  if (draining_) {
    end_now();
    return;
  }
  draining_ = true;
  tell_service_manager("STOPPING=1\n");
  leave(Worker::Logins::refused);
}

/// No new connections: what is held of the sockets must go too, or the kernel would queue connections there
/// that nobody accepts.
void Supervisor::leave(Worker::Logins logins) {
  for (auto& worker : workers_) worker->drain(logins);
  if (std::exchange(leaving_, true)) return;
  held_.clear();
  ground_.control_lock = net::Descriptor();
  metrics_.process().draining.set(1);
  LogLine(log_, LogLevel::info, "drain", "draining")
      .field("sessions", shared_.live_sessions.load())
      .field("timeout_ms", Duration(config_->runtime.drain_timeout));
  side_->loop.arm(side_->drain_timer, side_->loop.now() + config_->runtime.drain_timeout);
}

void Supervisor::end_now() {
  if (!draining_) drain();
  LogLine(log_, LogLevel::warn, "drain", "ending at once");
  for (auto& worker : workers_) worker->end_sessions(true);
}

void Supervisor::join_workers() {
  if (side_->joiner.joinable()) side_->joiner.join();
  workers_.clear();
  side_->control.reset();
  side_->listeners.clear();
  side_->loop.disarm(side_->drain_timer);
  if (side_->gate.count() != 0) {
    // Scrapes that are under way end, and the loop runs until they have.
    side_->scope.cancel(FailureKind::draining);
    coro::Gate last(side_->loop, [](const char*) {});
    last.spawn(side_->stop_when_empty());
    side_->loop.run();
  }
}

std::string Supervisor::unhealthy() const {
  const TimePoint now = shared_.clock.now();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (now - workers_[i]->last_tick() > kHung) return "loop " + std::to_string(i) + " does not tick";
  }
  return {};
}

std::string Supervisor::unready() const {
  return leaving_ ? "draining" : std::string();
}

}  // namespace postern::app
