#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "postern/base/clock.hpp"
#include "postern/pop3/reply.hpp"

namespace postern::backend {

/// What POP3 servers said they can do, so that not every login has to ask. Shared by all loops; safe on any
/// thread. Bounded by the servers of the configuration.
class CapabilityTable {
 public:
  explicit CapabilityTable(const Clock& clock) : clock_(clock) {}

  /// What was learned within the time to live. `server` names the server and the kind of its TLS: a server
  /// may say less in plaintext.
  std::optional<pop3::Capabilities> find(const std::string& server) const;
  void learn(const std::string& server, const pop3::Capabilities& capabilities);
  /// After a surprise: the next connection asks again.
  void forget(const std::string& server);

 private:
  struct Entry {
    pop3::Capabilities capabilities;
    TimePoint learned;
  };

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace postern::backend
