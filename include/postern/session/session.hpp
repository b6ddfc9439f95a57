#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "postern/auth/authenticator.hpp"
#include "postern/backend/directory.hpp"
#include "postern/base/log.hpp"
#include "postern/base/random.hpp"
#include "postern/config/config.hpp"
#include "postern/coro/gate.hpp"
#include "postern/coro/task.hpp"
#include "postern/maildrop/opener.hpp"
#include "postern/metrics/metrics.hpp"
#include "postern/net/chunk_pool.hpp"
#include "postern/net/socket.hpp"
#include "postern/tls/tls.hpp"

namespace postern::session {

/// Something that runs on a loop and can be told to end: it wakes with the reason, later.
class Member {
 public:
  virtual void end(FailureKind reason) = 0;
  /// The process is about to go: what has not logged in ends, what has may go on for a while.
  virtual void drain() = 0;

 protected:
  virtual ~Member() = default;

 private:
  friend class Members;
  std::size_t place_ = 0;
};

/// What runs on one loop: sessions, and the updates that go on after theirs.
class Members {
 public:
  void add(Member& member) {
    member.place_ = members_.size();
    members_.push_back(&member);
  }
  /// The last one takes its place: their order means nothing, and there may be many.
  void remove(Member& member) noexcept {
    members_[member.place_] = members_.back();
    members_.back()->place_ = member.place_;
    members_.pop_back();
  }
  std::size_t size() const noexcept { return members_.size(); }
  // Ending only wakes: nobody leaves meanwhile.
  void end_all(FailureKind reason) {
    for (Member* member : members_) member->end(reason);
  }
  void drain_all() {
    for (Member* member : members_) member->drain();
  }

 private:
  std::vector<Member*> members_;
};

/// What every session of a loop uses. Outlives them; one loop, except for what says otherwise.
class Environment {
 public:
  Environment(coro::Scheduler& s, net::ChunkPool& p, coro::Gate& g, maildrop::Opener& o, Log& l,
              const Clock& c, Random& r, std::atomic<std::uint32_t>& live)
      : scheduler(s), pool(p), gate(g), opener(o), log(l), clock(c), random(r), live_sessions(live) {}

  coro::Scheduler& scheduler;
  net::ChunkPool& pool;
  coro::Gate& gate;
  maildrop::Opener& opener;
  Log& log;
  const Clock& clock;
  Random& random;
  std::atomic<std::uint32_t>& live_sessions;  ///< of the process
  Members sessions;
  Members updates;
  bool draining = false;  ///< no new logins: the process is about to end
};

/// What a listener offers, by one configuration, on one loop. Sessions hold it, so it outlives a reload.
class Service {
 public:
  std::shared_ptr<const config::Config> config;  ///< owns what the two references below refer to
  const config::Listener* listener = nullptr;
  std::shared_ptr<tls::ServerContext> tls;  ///< null without TLS
  std::shared_ptr<metrics::ListenerMetrics> metrics;
  std::shared_ptr<backend::Directory> directory;
  std::shared_ptr<auth::Authenticator> authenticator;

  const config::Limits& limits() const noexcept { return config->limits; }
};

/// A POP3 session, from the accepted connection to its end (RFC 1939). Writes one line `session_end` when all
/// is over.
coro::Task<void> serve(Environment& environment, std::shared_ptr<const Service> service,
                       net::Accepted accepted);

}  // namespace postern::session
