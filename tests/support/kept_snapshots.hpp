#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "postern/store/store.hpp"

namespace postern::test {

/// A store that keeps everything, at once, until a test makes it forget.
class KeptSnapshots final : public store::Store {
 public:
  using Snapshots = std::map<store::MailboxKey, std::shared_ptr<const store::Snapshot>>;

  coro::Task<std::shared_ptr<const store::Snapshot>> load(const store::MailboxKey& key,
                                                          coro::Deadline /*deadline*/,
                                                          coro::CancelSource& /*scope*/) override {
    const auto found = snapshots.find(key);
    co_return found == snapshots.end() ? nullptr : found->second;
  }
  void save(store::MailboxKey key, std::shared_ptr<const store::Snapshot> snapshot) override {
    ++saves;
    snapshots.insert_or_assign(std::move(key), std::move(snapshot));
  }
  unsigned failures(const store::MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid) override {
    const auto found = failed.find({key, uidvalidity, uid});
    return found == failed.end() ? 0 : found->second;
  }
  void count_failure(const store::MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid) override {
    ++failed[{key, uidvalidity, uid}];
  }
  void postpone(const std::string& backend, const std::string& user, Duration time) override {
    postponed[{backend, user}] = time;
  }
  bool is_postponed(const std::string& backend, const std::string& user) override {
    return postponed.contains({backend, user});
  }

  Snapshots snapshots;
  std::size_t saves = 0;
  std::map<std::tuple<store::MailboxKey, std::uint32_t, std::uint32_t>, unsigned> failed;
  std::map<std::pair<std::string, std::string>, Duration> postponed;  ///< until a test forgets it
};

}  // namespace postern::test
