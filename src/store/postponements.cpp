#include "store/postponements.hpp"

#include <algorithm>

namespace postern::store {

void Postponements::postpone(const std::string& backend, const std::string& user, Duration time) {
  const Duration wanted = time == Duration::zero() ? Duration(kUsual) : time;
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.now();
  forget_old(now);
  const TimePoint until = now + std::min<Duration>(wanted, kLongest);
  const auto [entry, is_new] = until_.try_emplace(Account(backend, user), until);
  if (!is_new && entry->second >= until) return;
  entry->second = until;
  ends_.emplace(until, entry->first);  // an earlier end of the same account finds nothing to do
  if (until_.size() > kMost) forget_old(ends_.begin()->first);
}

bool Postponements::is_postponed(const std::string& backend, const std::string& user) {
  const std::lock_guard lock(mutex_);
  if (until_.empty()) return false;  // as nearly always
  forget_old(clock_.now());
  return until_.contains(Account(backend, user));
}

std::size_t Postponements::size() const {
  const std::lock_guard lock(mutex_);
  return until_.size();
}

void Postponements::forget_old(TimePoint now) {
  while (!ends_.empty() && ends_.begin()->first <= now) {
    const auto account = until_.find(ends_.begin()->second);
    if (account != until_.end() && account->second <= now) until_.erase(account);
    ends_.erase(ends_.begin());
  }
}

}  // namespace postern::store
