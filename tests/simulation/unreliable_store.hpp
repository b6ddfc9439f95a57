#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "postern/coro/scheduler.hpp"
#include "postern/store/store.hpp"
#include "simulation/dice.hpp"

namespace postern::sim {

/// What is wrong with a store. Chances in percent.
struct StoreFaults {
  unsigned forgets = 0;     ///< a snapshot that was saved
  unsigned is_stale = 0;    ///< gives one that was saved before the last
  unsigned lies = 0;        ///< plausibly: some sizes are others
  unsigned takes_time = 0;  ///< up to what the deadline allows, and beyond
  unsigned drops_saves = 0;
};

/// The real store, and what may go wrong with one that is far away, old, or was put back from a backup.
class UnreliableStore final : public store::Store {
 public:
  explicit UnreliableStore(Dice dice) : dice_(dice) {}

  void stand_over(store::Store& real, coro::Scheduler& scheduler, const StoreFaults& faults) {
    real_ = &real;
    scheduler_ = &scheduler;
    faults_ = faults;
  }

  coro::Task<std::shared_ptr<const store::Snapshot>> load(const store::MailboxKey& key,
                                                          coro::Deadline deadline,
                                                          coro::CancelSource& scope) override;
  void save(store::MailboxKey key, std::shared_ptr<const store::Snapshot> snapshot) override;
  unsigned failures(const store::MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid) override {
    return real_->failures(key, uidvalidity, uid);
  }
  void count_failure(const store::MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid) override {
    real_->count_failure(key, uidvalidity, uid);
  }
  void postpone(const std::string& backend, const std::string& user, Duration time) override {
    real_->postpone(backend, user, time);
  }
  bool is_postponed(const std::string& backend, const std::string& user) override {
    return real_->is_postponed(backend, user);
  }

 private:
  std::shared_ptr<const store::Snapshot> lie(const store::Snapshot& snapshot);

  store::Store* real_ = nullptr;
  coro::Scheduler* scheduler_ = nullptr;
  StoreFaults faults_;
  Dice dice_;
  std::map<store::MailboxKey, std::vector<std::shared_ptr<const store::Snapshot>>> old_;
};

}  // namespace postern::sim
