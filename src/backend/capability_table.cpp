#include "postern/backend/capability_table.hpp"

namespace postern::backend {
namespace {

/// A server that was upgraded is asked again within this time; one extra round trip an hour costs nothing.
constexpr std::chrono::hours kTimeToLive{1};

}  // namespace

std::optional<pop3::Capabilities> CapabilityTable::find(const std::string& server) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(server);
  if (found == entries_.end() || clock_.now() - found->second.learned > kTimeToLive) return std::nullopt;
  return found->second.capabilities;
}

void CapabilityTable::learn(const std::string& server, const pop3::Capabilities& capabilities) {
  const std::lock_guard lock(mutex_);
  entries_.insert_or_assign(server, Entry{capabilities, clock_.now()});
}

void CapabilityTable::forget(const std::string& server) {
  const std::lock_guard lock(mutex_);
  entries_.erase(server);
}

}  // namespace postern::backend
