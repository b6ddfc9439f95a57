#pragma once

#include <memory>
#include <string>

#include "postern/base/clock.hpp"
#include "postern/coro/cancel.hpp"
#include "postern/coro/deadline.hpp"
#include "postern/coro/task.hpp"
#include "postern/store/snapshot.hpp"

namespace postern::store {

/// What outlives a session, as one loop sees it. Losing any of it costs time and never changes what a client
/// sees: every trouble is a metric, a log line and a cold start.
class Store {
 public:
  virtual ~Store() = default;

  /// What was saved last under that key; null if there is none, it is damaged, or the deadline has passed.
  virtual coro::Task<std::shared_ptr<const Snapshot>> load(const MailboxKey& key, coro::Deadline deadline,
                                                           coro::CancelSource& scope) = 0;
  /// Does not wait. At some time, or, when there is trouble, never.
  virtual void save(MailboxKey key, std::shared_ptr<const Snapshot> snapshot) = 0;

  /// How often the backend's connection died inside that message. Counts are forgotten after a day, or when
  /// there are too many.
  virtual unsigned failures(const MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid) = 0;
  virtual void count_failure(const MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid) = 0;

  /// A server wants to be left alone by that user for a while; zero: it did not say how long.
  virtual void postpone(const std::string& backend, const std::string& user, Duration time) = 0;
  virtual bool is_postponed(const std::string& backend, const std::string& user) = 0;
};

}  // namespace postern::store
