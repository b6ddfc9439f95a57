#include "simulation/unreliable_store.hpp"

#include "postern/coro/event.hpp"

namespace postern::sim {

coro::Task<std::shared_ptr<const store::Snapshot>> UnreliableStore::load(const store::MailboxKey& key,
                                                                         coro::Deadline deadline,
                                                                         coro::CancelSource& scope) {
  if (dice_.chance(faults_.takes_time)) {
    const auto time = std::chrono::milliseconds(dice_.somewhere(4096));
    const coro::Deadline until = earlier(deadline, coro::Deadline(scheduler_->now() + time));
    coro::Event never(*scheduler_, scope);
    const coro::WaitResult waited = co_await never.wait(until);
    if (waited == coro::WaitResult::cancelled || scheduler_->now() >= deadline.when()) co_return nullptr;
  }
  std::shared_ptr<const store::Snapshot> found = co_await real_->load(key, deadline, scope);
  if (dice_.chance(faults_.forgets)) co_return nullptr;
  const auto old = old_.find(key);
  if (dice_.chance(faults_.is_stale) && old != old_.end())
    found = old->second[dice_.below(old->second.size())];
  if (found && dice_.chance(faults_.lies)) found = lie(*found);
  co_return found;
}

void UnreliableStore::save(store::MailboxKey key, std::shared_ptr<const store::Snapshot> snapshot) {
  if (faults_.is_stale != 0) old_[key].push_back(snapshot);
  if (dice_.chance(faults_.drops_saves)) return;
  real_->save(std::move(key), std::move(snapshot));
}

std::shared_ptr<const store::Snapshot> UnreliableStore::lie(const store::Snapshot& snapshot) {
  auto lied = std::make_shared<store::Snapshot>(snapshot);
  for (std::size_t i = 0; i < lied->count(); ++i) {
    if (dice_.chance(50)) lied->set_size(i, dice_.somewhere(lied->size(i) * 2 + 16));
  }
  return lied;
}

}  // namespace postern::sim
