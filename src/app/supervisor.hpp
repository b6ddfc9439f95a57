#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/assembly.hpp"
#include "app/worker.hpp"
#include "postern/admin/admin.hpp"

namespace postern::app {

/// What becomes of a start by which a backend would serve other unique-ids than before.
enum class ChangedUidls : std::uint8_t { refuse, accept };

/// The process: starts the loops, answers the admin listener, reloads on SIGHUP, drains on SIGTERM. Lives on
/// the main thread, on a loop of its own, so that a scrape or a reload takes no time from the sessions.
class Supervisor {
 public:
  /// `config` was loaded from `path`, which a reload reads again.
  Supervisor(std::string path, std::shared_ptr<const config::Config> config, Log& log);
  ~Supervisor();

  /// Runs until the process is to end; its exit status. Reloads never change unique-ids.
  int run(ChangedUidls changed);

 private:
  struct AdminSide;
  class DrainTimer;
  class MemoryTimer;

  Result<Assembly, config::Problems> load();
  Result<std::vector<std::vector<ListeningSocket>>, std::string> open_sockets(const config::Config& config);
  Result<void, std::string> switch_to(Assembly assembly);
  Result<void, std::string> open_admin();
  void keep_served(const std::vector<config::UidlChange>& changes);
  void report(const config::Problems& problems);
  void reload();
  void drain();
  void end_now();
  void join_workers();
  std::string unhealthy() const;
  std::string unready() const;

  std::string path_;
  Log& log_;
  metrics::Registry metrics_;
  Shared shared_;
  std::shared_ptr<tls::TicketKeys> ticket_keys_;
  std::shared_ptr<const config::Config> config_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::set<std::string> open_keys_;  // of the listening sockets
  admin::Sources admin_sources_;
  std::unique_ptr<AdminSide> side_;
  bool draining_ = false;
};

/// Event loops for `threads: auto`: the CPUs this process may use, by affinity and by the cgroup's cpu.max,
/// rounded up.
unsigned usable_cpus();

}  // namespace postern::app
