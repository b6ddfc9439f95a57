#include "store/failure_counts.hpp"

#include "store/key_hash.hpp"

namespace postern::store {

std::size_t FailureCounts::Hash::operator()(const Message& message) const noexcept {
  const std::uint64_t number = std::uint64_t{message.uidvalidity} << 32 | message.uid;
  return mix_hash(KeyHash()(message.key), std::hash<std::uint64_t>()(number));
}

unsigned FailureCounts::of(const MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid) {
  const std::lock_guard lock(mutex_);
  forget_old(clock_.now());
  if (counts_.empty()) return 0;  // as nearly always
  const auto found = counts_.find(Message(key, uidvalidity, uid));
  return found == counts_.end() ? 0 : found->second.failures;
}

void FailureCounts::add(const MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid) {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.now();
  forget_old(now);
  const auto [entry, fresh] = counts_.try_emplace(Message(key, uidvalidity, uid));
  Count& count = entry->second;
  if (fresh) {
    count.place = order_.insert(order_.end(), &entry->first);
  } else {
    order_.splice(order_.end(), order_, count.place);
  }
  ++count.failures;
  count.last = now;
  if (counts_.size() > kMost) forget_first();
}

std::size_t FailureCounts::size() const {
  const std::lock_guard lock(mutex_);
  return counts_.size();
}

void FailureCounts::forget_old(TimePoint now) {
  while (!order_.empty() && now - counts_.find(*order_.front())->second.last >= kTimeToLive) forget_first();
}

void FailureCounts::forget_first() {
  const auto first = counts_.find(*order_.front());
  order_.pop_front();
  counts_.erase(first);
}

}  // namespace postern::store
