#include "app/supervisor.hpp"

#include <malloc.h>
#include <openssl/crypto.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "app/exit_status.hpp"
#include "app/version.hpp"
#include "postern/loop/loop.hpp"

namespace postern::app {
namespace {

/// A loop that has not ticked for so long hangs.
constexpr std::chrono::seconds kHung{10};
/// A session has two sockets; what else is open is little beside it.
constexpr rlim_t kDescriptorsPerSession = 2;
constexpr rlim_t kOtherDescriptors = 256;
/// Scrapes and probes at a time; more are closed at once. Each may hold a whole answer until its reader took
/// it.
constexpr std::size_t kMaxAdminConnections = 64;

unsigned threads(const config::Config& config) {
  return config.runtime.threads != 0 ? config.runtime.threads : usable_cpus();
}

/// Whether something is different that a reload leaves as it is.
bool needs_restart(const config::Config& now, const config::Config& fresh) {
  const auto same_address = [](const SocketAddress& a, const SocketAddress& b) {
    return a.to_string() == b.to_string();
  };
  return threads(now) != threads(fresh) || now.log.format != fresh.log.format ||
         now.log.target != fresh.log.target || now.store.memory != fresh.store.memory ||
         now.store.file != fresh.store.file ||
         !std::equal(now.admin.bind.begin(), now.admin.bind.end(), fresh.admin.bind.begin(),
                     fresh.admin.bind.end(), same_address);
}

/// Raises the limit of descriptors as far as it goes; false when that is not enough for the sessions that are
/// allowed.
bool raise_descriptor_limit(const config::Config& config) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur >= config.limits.max_sessions * kDescriptorsPerSession + kOtherDescriptors;
}

std::string key_of(const config::Listener& listener, const SocketAddress& address) {
  return listener.name + " " + address.to_string();
}

metrics::BuildInfo build_info() {
  metrics::BuildInfo info;
  info.version = kVersion;
  info.openssl = OpenSSL_version(OPENSSL_VERSION_STRING);
  info.libuv = loop::libuv_version();
  return info;
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
  std::thread joiner;  // waits for the workers' threads, so that the loop can go on meanwhile
};

coro::Task<void> Supervisor::AdminSide::stop_when_empty() {
  co_await gate.closed();
  loop.stop();
}

Supervisor::Supervisor(std::string path, std::shared_ptr<const config::Config> config, Log& log)
    : path_(std::move(path)),
      log_(log),
      metrics_(threads(*config), build_info()),
      shared_(log, system_clock(), system_random(), metrics_, config->store),
      ticket_keys_(std::make_shared<tls::TicketKeys>(system_clock(), system_random())),
      config_(std::move(config)),
      side_(std::make_unique<AdminSide>(*this)) {
  metrics_.set_log_dropped([&log] { return log.sink().dropped(); });
  admin_sources_.allow_from = config_->admin.allow_from;
  admin_sources_.metrics = &metrics_;
  admin_sources_.unhealthy = [this] { return unhealthy(); };
  admin_sources_.unready = [this] { return unready(); };
  side_->handler = admin::make_handler(admin_sources_);
}

Supervisor::~Supervisor() = default;

int Supervisor::run(ChangedUidls changed) {
  const config::ServedUidls before = shared_.store.served_uidls(config::served_by(*config_));
  const bool held_to_it = changed == ChangedUidls::refuse;
  auto assembly = assemble(config_, metrics_, ticket_keys_, held_to_it ? before : config::ServedUidls());
  if (!assembly) {
    report(assembly.error());
    return kExitConfig;
  }
  if (!raise_descriptor_limit(*config_)) {
    LogLine(log_, LogLevel::warn, "limits", "the descriptor limit is too low for limits.max_sessions");
  }
  for (unsigned i = 0; i < metrics_.loops(); ++i) workers_.push_back(std::make_unique<Worker>(shared_, i));
  Result<void, std::string> listening = switch_to(std::move(*assembly));
  if (listening) listening = open_admin();
  if (!listening) {
    LogLine(log_, LogLevel::error, "start_failed", "cannot listen").field("detail", listening.error());
    return kExitUnavailable;
  }
  keep_served(config::uidl_changes(*config_, before));
  side_->loop.on_signal(SIGHUP, [this] { reload(); });
  side_->loop.on_signal(SIGTERM, [this] { drain(); });
  side_->loop.on_signal(SIGINT, [this] { end_now(); });
  for (auto& worker : workers_) worker->start();
  LogLine(log_, LogLevel::info, "started", "postern started")
      .field("version", kVersion)
      .field("loops", metrics_.loops())
      .field("config", path_);
  side_->loop.run();
  join_workers();
  LogLine(log_, LogLevel::info, "stopped", "postern stopped");
  return kExitOk;
}

/// Opens, for each loop, the sockets that the configuration has and the process has not.
Result<std::vector<std::vector<ListeningSocket>>, std::string> Supervisor::open_sockets(
    const config::Config& config) {
  std::vector<std::vector<ListeningSocket>> opened(workers_.size());
  for (const config::Listener& listener : config.listeners) {
    for (const SocketAddress& configured : listener.bind) {
      const std::string key = key_of(listener, configured);
      if (open_keys_.contains(key)) continue;
      SocketAddress address = configured;
      for (auto& sockets : opened) {
        auto socket = net::listen_on(address, &sockets == &opened.front());
        if (!socket) return address.to_string() + ": " + socket.error();
        address = net::local_address(socket->number());  // a port that the system chose is one for all loops
        sockets.emplace_back(key, listener.name, std::move(*socket));
      }
      LogLine(log_, LogLevel::info, "listening", "listening")
          .field("listener", listener.name)
          .field("address", address.to_string());
    }
  }
  return opened;
}

/// Makes a configuration the one that new connections are served by. On an error nothing has changed.
Result<void, std::string> Supervisor::switch_to(Assembly assembly) {
  auto opened = open_sockets(*assembly.config);
  if (!opened) return std::move(opened).error();
  std::set<std::string> keys;
  std::vector<std::string> listeners;
  std::vector<std::string> backends;
  for (const config::Listener& listener : assembly.config->listeners) {
    listeners.push_back(listener.name);
    for (const SocketAddress& address : listener.bind) keys.insert(key_of(listener, address));
  }
  for (const config::Backend& backend : assembly.config->backends) backends.push_back(backend.name);
  std::vector<std::string> closed;
  for (const std::string& key : open_keys_) {
    if (!keys.contains(key)) closed.push_back(key);
  }
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->apply(std::move(assembly.services[i]), std::move((*opened)[i]), closed);
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
  return {};
}

Result<void, std::string> Supervisor::open_admin() {
  for (const SocketAddress& address : config_->admin.bind) {
    auto socket = net::listen_on(address, true);
    if (!socket) return address.to_string() + ": " + socket.error();
    LogLine(log_, LogLevel::info, "listening", "listening")
        .field("listener", "admin")
        .field("address", net::local_address(socket->number()).to_string());
    side_->listeners.push_back(net::make_listener(
        side_->loop, std::move(*socket),
        [this](net::Accepted accepted) {
          if (side_->gate.count() >= kMaxAdminConnections) return;
          side_->gate.spawn(
              http::serve(side_->loop, side_->scope, side_->pool, std::move(accepted), side_->handler));
        },
        [](int) {}));
  }
  return {};
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

void Supervisor::report(const config::Problems& problems) {
  for (const config::Problem& problem : problems) {
    LogLine(log_, LogLevel::error, "config_error", "configuration error")
        .field("detail", problem.to_string());
  }
}

/// Reads the file again. A bad one changes nothing, and says so.
void Supervisor::reload() {
  if (draining_) return;
  auto assembly = load();
  Result<void, std::string> switched;
  if (!assembly) {
    report(assembly.error());
    switched = std::to_string(assembly.error().size()) + " errors in the configuration";
  } else {
    if (needs_restart(*config_, *assembly->config)) {
      LogLine(log_, LogLevel::warn, "config_reload",
              "runtime.threads, log.format, log.target, admin.bind and store need a restart");
    }
    switched = switch_to(std::move(*assembly));
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
}

Result<Assembly, config::Problems> Supervisor::load() {
  auto loaded = config::load_file(path_);
  if (!loaded) return std::move(loaded).error();
  const auto config = std::make_shared<const config::Config>(std::move(*loaded));
  // Of this process's own backends it needs no file to know.
  config::ServedUidls served = config::served_by(*config_);
  served.merge(shared_.store.served_uidls(config::served_by(*config)));
  return assemble(config, metrics_, ticket_keys_, served);
}

/// The first SIGTERM: no new sessions, and the old ones may end. The second: everything ends.
void Supervisor::drain() {
  if (draining_) {
    end_now();
    return;
  }
  draining_ = true;
  metrics_.process().draining.set(1);
  LogLine(log_, LogLevel::info, "drain", "draining")
      .field("sessions", shared_.live_sessions.load())
      .field("timeout_ms", Duration(config_->runtime.drain_timeout));
  for (auto& worker : workers_) worker->drain();
  side_->loop.arm(side_->drain_timer, side_->loop.now() + config_->runtime.drain_timeout);
  side_->joiner = std::thread([this] {
    for (auto& worker : workers_) worker->join();
    side_->loop.post([this] { side_->loop.stop(); });
  });
}

void Supervisor::end_now() {
  if (!draining_) drain();
  LogLine(log_, LogLevel::warn, "drain", "ending at once");
  for (auto& worker : workers_) worker->end_sessions(true);
}

void Supervisor::join_workers() {
  if (side_->joiner.joinable()) side_->joiner.join();
  workers_.clear();
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
  return draining_ ? "draining" : std::string();
}

}  // namespace postern::app
