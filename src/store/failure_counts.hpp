#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>

#include "postern/base/clock.hpp"
#include "postern/store/snapshot.hpp"

namespace postern::store {

/// How often a backend's connection died inside a message, for all loops (a server that falls over one of
/// them would otherwise do so at each of a client's polls). Safe on any thread.
class FailureCounts {
 public:
  /// Counts are forgotten so long after the last failure: the server may have been mended.
  static constexpr std::chrono::hours kTimeToLive{24};
  /// Beyond it, the oldest are forgotten. So many ill messages at a time are a server that is ill as a whole;
  /// with their keys they take some 3 MB.
  static constexpr std::size_t kMost = 10'000;

  explicit FailureCounts(const Clock& clock) noexcept : clock_(clock) {}

  unsigned of(const MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid);
  void add(const MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid);
  std::size_t size() const;

 private:
  class Message {
   public:
    Message(MailboxKey k, std::uint32_t v, std::uint32_t u) : key(std::move(k)), uidvalidity(v), uid(u) {}
    MailboxKey key;
    std::uint32_t uidvalidity;
    std::uint32_t uid;
    bool operator==(const Message&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Message& message) const noexcept;
  };
  struct Count {
    unsigned failures = 0;
    TimePoint last;
    std::list<const Message*>::iterator place;
  };

  void forget_old(TimePoint now);
  void forget_first();

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<Message, Count, Hash> counts_;
  std::list<const Message*> order_;  // by the time of the last failure, oldest first; the map's own keys
};

}  // namespace postern::store
