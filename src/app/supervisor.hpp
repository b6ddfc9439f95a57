#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/assembly.hpp"
#include "app/groundwork.hpp"
#include "app/worker.hpp"
#include "postern/admin/admin.hpp"

namespace postern::app {

/// What becomes of a start by which a backend would serve other unique-ids than before.
enum class ChangedUidls : std::uint8_t { refuse, accept };

/// The process: starts the loops, answers the admin listener, reloads on SIGHUP, drains on SIGTERM. Lives on
/// the main thread, on a loop of its own, so that a scrape or a reload takes no time from the sessions.
class Supervisor {
 public:
  /// `ground` was laid by the configuration in `path`, which a reload reads again.
  Supervisor(std::string path, Groundwork ground, Log& log);
  ~Supervisor();

  /// Runs until the process is to end; its exit status. `serving` is called once all loops run. Reloads never
  /// change unique-ids.
  int run(ChangedUidls changed, const std::function<void()>& serving);

 private:
  struct AdminSide;
  class DrainTimer;
  class MemoryTimer;

  Result<Assembly, config::Problems> load();
  void switch_to(Assembly assembly, LoopSockets opened);
  void open_admin(std::vector<ListeningSocket> sockets);
  void open_control();
  bool hand_over(int connection);
  void leave(Worker::Logins logins);
  void keep_served(const std::vector<config::UidlChange>& changes);
  void reload();
  void drain();
  void end_now();
  void join_workers();
  std::string unhealthy() const;
  std::string unready() const;

  std::string path_;
  Log& log_;
  Groundwork ground_;  // what it holds for the start is taken from it
  std::shared_ptr<const config::Config> config_;
  metrics::Registry& metrics_;
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::set<std::string> open_keys_;  // of the listening sockets
  std::vector<ListeningSocket>
      held_;  // all of them once more, to be handed over; none without `runtime.control`
  admin::Sources admin_sources_;
  std::unique_ptr<AdminSide> side_;
  bool leaving_ = false;   // no new connections
  bool draining_ = false;  // no logins either
};

}  // namespace postern::app
