#include "store/snapshot_cache.hpp"

#include <iterator>
#include <limits>
#include <utility>

namespace postern::store {
namespace {

Bytes octets_of(const MailboxKey& key, const Snapshot& snapshot) noexcept {
  return SnapshotCache::kEntry + key.backend.size() + key.user.size() + key.mailbox.size() +
         snapshot.memory();
}

}  // namespace

void SnapshotCache::touch(Part& part, Entries::iterator entry) noexcept {
  entry->used = tick();
  part.entries.splice(part.entries.begin(), part.entries, entry);
}

SnapshotCache::Entries SnapshotCache::take_out(Part& part, Entries::iterator entry) noexcept {
  part.index.erase(entry->key);
  octets_.fetch_sub(entry->octets, std::memory_order_relaxed);
  Entries taken;
  taken.splice(taken.begin(), part.entries, entry);
  return taken;
}

void SnapshotCache::insert(Part& part, const MailboxKey& key, std::shared_ptr<const Snapshot> snapshot,
                           Bytes octets) {
  part.entries.emplace_front(key, std::move(snapshot), octets, tick());
  part.index.emplace(part.entries.front().key, part.entries.begin());
  octets_.fetch_add(octets, std::memory_order_relaxed);
}

std::shared_ptr<const Snapshot> SnapshotCache::find(const MailboxKey& key) {
  Part& part = part_of(key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.index.find(key);
  if (found == part.index.end()) return nullptr;
  touch(part, found->second);
  return found->second->snapshot;
}

void SnapshotCache::put(const MailboxKey& key, std::shared_ptr<const Snapshot> snapshot) {
  const Bytes octets = octets_of(key, *snapshot);
  Part& part = part_of(key);
  Entries old;  // destroyed behind the lock: a large one takes its time
  {
    const std::lock_guard lock(part.mutex);
    const auto found = part.index.find(key);
    if (found != part.index.end()) old = take_out(part, found->second);
    if (octets <= capacity_) insert(part, key, std::move(snapshot), octets);
  }
  trim();
}

std::shared_ptr<const Snapshot> SnapshotCache::add(const MailboxKey& key,
                                                   std::shared_ptr<const Snapshot> snapshot) {
  const Bytes octets = octets_of(key, *snapshot);
  Part& part = part_of(key);
  {
    const std::lock_guard lock(part.mutex);
    const auto found = part.index.find(key);
    if (found != part.index.end()) {
      touch(part, found->second);
      return found->second->snapshot;
    }
    if (octets <= capacity_) insert(part, key, snapshot, octets);
  }
  trim();
  return snapshot;
}

/// Of all parts, one lock at a time: with others at work the choice may be a little off.
bool SnapshotCache::drop_oldest() {
  Part* oldest = nullptr;
  std::uint64_t used = std::numeric_limits<std::uint64_t>::max();
  for (Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    if (part.entries.empty() || part.entries.back().used >= used) continue;
    used = part.entries.back().used;
    oldest = &part;
  }
  if (oldest == nullptr) return false;
  Entries dropped;  // before the lock: destroyed behind it
  const std::lock_guard lock(oldest->mutex);
  if (!oldest->entries.empty()) dropped = take_out(*oldest, std::prev(oldest->entries.end()));
  return true;
}

void SnapshotCache::trim() {
  while (octets() > capacity_ && drop_oldest()) continue;
}

}  // namespace postern::store
