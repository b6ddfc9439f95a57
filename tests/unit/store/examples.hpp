#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "postern/store/snapshot.hpp"

namespace postern::store {

inline MailboxKey key_of(const std::string& user) {
  return {"main", user, "INBOX"};
}

/// UIDs 1, 2, 3 ... with sizes that tell them apart.
inline Snapshot snapshot_of(std::uint32_t messages, std::uint32_t uidvalidity = 7) {
  Snapshot snapshot;
  snapshot.uidvalidity = uidvalidity;
  snapshot.uidnext = messages + 1;
  snapshot.reserve(messages);
  for (std::uint32_t uid = 1; uid <= messages; ++uid) snapshot.append(uid, 1000 + uid);
  return snapshot;
}

inline std::shared_ptr<const Snapshot> shared_snapshot(std::uint32_t messages,
                                                       std::uint32_t uidvalidity = 7) {
  return std::make_shared<const Snapshot>(snapshot_of(messages, uidvalidity));
}

}  // namespace postern::store
