#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/assembly.hpp"
#include "app/listening.hpp"
#include "postern/loop/loop.hpp"
#include "postern/store/loop_store.hpp"

namespace postern::app {

/// What all workers share; outlives them. Everything in it is safe on any thread.
class Shared {
 public:
  Shared(Log& l, const Clock& c, Random& r, metrics::Registry& m, const config::Store& s)
      : log(l), clock(c), random(r), metrics(m), capabilities(c), store(s, c, l) {}
  Log& log;
  const Clock& clock;
  Random& random;
  metrics::Registry& metrics;
  backend::CapabilityTable capabilities;
  store::Shared store;
  std::atomic<std::uint32_t> live_sessions{0};
};

/// One event loop on a thread of its own, with everything that its sessions use. Its functions are called by
/// the supervisor and act later, on the loop.
class Worker {
 public:
  Worker(Shared& shared, unsigned index);
  /// Stopped and joined before.
  ~Worker();

  void start();
  void join();

  /// Takes over a configuration: sockets that are new, and the keys of those to close.
  void apply(Services services, std::vector<ListeningSocket> opened, std::vector<std::string> closed);
  enum class Logins : std::uint8_t { refused, finished };
  /// Stops accepting; the thread ends when the last session has. What has not logged in ends, or may finish,
  /// because another process serves meanwhile. May be called once more, to refuse after all.
  void drain(Logins logins);
  /// Ends all sessions; those that are in UPDATE too, if told so.
  void end_sessions(bool updates_too);

  /// When the loop last ticked; for /healthz.
  TimePoint last_tick() const noexcept {
    return TimePoint(Duration(last_tick_.load(std::memory_order_relaxed)));
  }

 private:
  class Heartbeat;
  struct Parts;

  void run();
  void accept(const std::string& listener, net::Accepted accepted);
  coro::Task<void> stop_when_empty();

  Shared& shared_;
  unsigned index_;
  std::atomic<Duration::rep> last_tick_;
  std::unique_ptr<Parts> parts_;
  std::thread thread_;
};

}  // namespace postern::app
