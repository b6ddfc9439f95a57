#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "postern/base/clock.hpp"

namespace postern::store {

/// Accounts that a server wants to be left alone for a while (Exchange names the time), for all loops: asking
/// meanwhile only makes it longer. Safe on any thread.
class Postponements {
 public:
  /// Where the server names no time.
  static constexpr std::chrono::seconds kUsual{60};
  /// A server is not obeyed for longer: one wrong answer would lock a user out.
  static constexpr std::chrono::minutes kLongest{15};
  /// Beyond it, those that end first are forgotten: so many at a time are a server that is ill as a whole.
  static constexpr std::size_t kMost = 10'000;

  explicit Postponements(const Clock& clock) noexcept : clock_(clock) {}

  /// Zero: for the usual time.
  void postpone(const std::string& backend, const std::string& user, Duration time);
  bool is_postponed(const std::string& backend, const std::string& user);
  std::size_t size() const;

 private:
  using Account = std::pair<std::string, std::string>;

  void forget_old(TimePoint now);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<Account, TimePoint> until_;
  std::multimap<TimePoint, Account> ends_;  // the same, by time
};

}  // namespace postern::store
