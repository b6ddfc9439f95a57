#include "store/backoff.hpp"

namespace postern::store {

bool Backoff::is_resting() const noexcept {
  return troubles_.load(std::memory_order_acquire) >= kTroubles &&
         clock_.now().time_since_epoch().count() < until_.load(std::memory_order_relaxed);
}

void Backoff::fail() noexcept {
  const Duration until = clock_.now().time_since_epoch() + kRest;
  until_.store(until.count(), std::memory_order_relaxed);  // before it counts
  troubles_.fetch_add(1, std::memory_order_release);
}

}  // namespace postern::store
