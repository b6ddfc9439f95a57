#pragma once

#include <memory>
#include <string>

#include "postern/base/clock.hpp"
#include "postern/base/log.hpp"
#include "postern/base/result.hpp"
#include "postern/config/config.hpp"
#include "postern/config/served_uidls.hpp"
#include "postern/coro/offload.hpp"
#include "postern/metrics/metrics.hpp"
#include "postern/store/store.hpp"

namespace postern::store {

/// What the stores of all loops share: the snapshots in memory, the file if there is one, the counts. Made
/// once, outlives them; safe on any thread.
class Shared {
 public:
  /// Opens the file, and blocks meanwhile. One that cannot be opened is a line in the log, and memory works
  /// alone until it can.
  Shared(const config::Store& settings, const Clock& clock, Log& log);
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared();

  /// The templates by which those backends made unique-ids when they served last, as far as the file knows.
  /// Blocks. A trouble is a line in the log, and nothing is known.
  config::ServedUidls served_uidls(const config::ServedUidls& asked);
  /// They serve by these now. Blocks; a trouble is a line in the log.
  void keep(config::ServedUidls served);

  struct Parts;
  Parts& parts() noexcept { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

/// What Shared::served_uidls() would say, from a file that is neither made nor changed, for a process without
/// a Shared. Blocks. The error is why it cannot be read.
Result<config::ServedUidls, std::string> read_served_uidls(const std::string& file,
                                                           const config::ServedUidls& asked);

/// A loop's store, in the hands of who made it.
class LoopStore : public Store {
 public:
  /// To be awaited once, when the last session has gone, before the store is destroyed: writes what is
  /// pending, until the deadline. What is saved later stays in memory. A thread may still be at work: see
  /// coro::Offload::idle().
  virtual coro::Task<void> close(coro::Deadline deadline) = 0;
};

/// Without an `offload` the file is not used. The cells are the loop's.
std::unique_ptr<LoopStore> make_store(Shared& shared, coro::Scheduler& scheduler, coro::Offload* offload,
                                      Log& log, metrics::StoreMetrics& cells);

}  // namespace postern::store
