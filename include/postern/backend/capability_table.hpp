#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "postern/base/clock.hpp"
#include "postern/imap/capabilities.hpp"
#include "postern/pop3/reply.hpp"

namespace postern::backend {

/// What servers of one protocol said they can do. Safe on any thread. Bounded by the servers of the
/// configuration.
template <class Capabilities>
class Learned {
 public:
  explicit Learned(const Clock& clock) : clock_(clock) {}

  /// What was learned within the time to live. `server` names the server and the kind of its TLS: a server
  /// may say less in plaintext.
  std::optional<Capabilities> find(const std::string& server) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(server);
    if (found == entries_.end() || clock_.now() - found->second.learned > kTimeToLive) return std::nullopt;
    return found->second.capabilities;
  }
  void learn(const std::string& server, const Capabilities& capabilities) {
    const std::lock_guard lock(mutex_);
    entries_.insert_or_assign(server, Entry{capabilities, clock_.now()});
  }
  /// After a surprise: the next connection asks again.
  void forget(const std::string& server) {
    const std::lock_guard lock(mutex_);
    entries_.erase(server);
  }

 private:
  /// A server that was upgraded is asked again within this time; one extra round trip an hour costs nothing.
  static constexpr std::chrono::hours kTimeToLive{1};

  struct Entry {
    Capabilities capabilities;
    TimePoint learned;
  };

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

/// What servers said they can do, so that not every login has to ask. Shared by all loops.
struct CapabilityTable {
  explicit CapabilityTable(const Clock& clock) : pop3(clock), imap(clock), imap_after_login(clock) {}

  Learned<pop3::Capabilities> pop3;
  Learned<imap::Capabilities> imap;
  Learned<imap::Capabilities> imap_after_login;  ///< servers can do more, or say less, then
};

}  // namespace postern::backend
