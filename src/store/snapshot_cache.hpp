#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "postern/store/snapshot.hpp"
#include "store/key_hash.hpp"

namespace postern::store {

/// Snapshots in memory, for all loops. Holds at most so many octets; beyond it, those that nobody asked for
/// the longest are dropped. Safe on any thread: it has parts with locks of their own, none of which is held
/// for longer than it takes to look something up.
class SnapshotCache {
 public:
  /// What an entry takes beside its key and its snapshot: nodes of a list and a table, the control block.
  static constexpr Bytes kEntry = 256;

  explicit SnapshotCache(Bytes capacity) noexcept : capacity_(capacity) {}
  SnapshotCache(const SnapshotCache&) = delete;
  SnapshotCache& operator=(const SnapshotCache&) = delete;

  /// Null if it is not there.
  std::shared_ptr<const Snapshot> find(const MailboxKey& key);
  /// Keeps it, instead of an older one. One that is larger than the whole capacity is not kept.
  void put(const MailboxKey& key, std::shared_ptr<const Snapshot> snapshot);
  /// Keeps it unless there is one: what was saved is newer than what was loaded. What is kept now.
  std::shared_ptr<const Snapshot> add(const MailboxKey& key, std::shared_ptr<const Snapshot> snapshot);

  /// At most the capacity, when nobody is just putting something in.
  Bytes octets() const noexcept { return octets_.load(std::memory_order_relaxed); }

 private:
  class Entry {
   public:
    Entry(MailboxKey k, std::shared_ptr<const Snapshot> s, Bytes o, std::uint64_t t)
        : key(std::move(k)), snapshot(std::move(s)), octets(o), used(t) {}
    MailboxKey key;
    std::shared_ptr<const Snapshot> snapshot;
    Bytes octets;
    std::uint64_t used;
  };
  using Entries = std::list<Entry>;
  using KeyRef = std::reference_wrapper<const MailboxKey>;
  struct SameKey {
    bool operator()(KeyRef a, KeyRef b) const noexcept { return a.get() == b.get(); }
  };

  struct Part {
    std::mutex mutex;
    Entries entries;  // the one that was used last first
    std::unordered_map<KeyRef, Entries::iterator, KeyHash, SameKey> index;
  };

  /// Loops seldom meet in one of so many, and looking at all of them for the oldest entry costs nothing.
  static constexpr std::size_t kParts = 16;

  Part& part_of(const MailboxKey& key) noexcept { return parts_[KeyHash()(key) % kParts]; }
  std::uint64_t tick() noexcept { return tick_.fetch_add(1, std::memory_order_relaxed) + 1; }
  void touch(Part& part, Entries::iterator entry) noexcept;
  /// Takes it out of the part; whoever called destroys it, without the lock.
  Entries take_out(Part& part, Entries::iterator entry) noexcept;
  void insert(Part& part, const MailboxKey& key, std::shared_ptr<const Snapshot> snapshot, Bytes octets);
  bool drop_oldest();
  void trim();

  const Bytes capacity_;
  std::atomic<Bytes> octets_{0};
  std::atomic<std::uint64_t> tick_{0};
  std::array<Part, kParts> parts_;
};

}  // namespace postern::store
