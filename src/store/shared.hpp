#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "postern/store/loop_store.hpp"
#include "store/failure_counts.hpp"
#include "store/postponements.hpp"
#include "store/snapshot_cache.hpp"
#include "store/snapshot_file.hpp"
#include "store/trouble.hpp"

namespace postern::store {

/// Tells the log about troubles: one line a second for each kind, from all loops. Safe on any thread.
class TroubleLog {
 public:
  TroubleLog(Log& log, std::string file) : log_(log), file_(std::move(file)) {}
  void write(const Trouble& trouble);

 private:
  Log& log_;
  const std::string file_;
  std::array<std::atomic<std::int64_t>, metrics::kStoreTroubles.size()> last_second_{};
};

struct Shared::Parts {
  Parts(const config::Store& settings, const Clock& clock, Log& log);

  /// A trouble of the start: logged, and counted by the first loop when there is one.
  void note(const Trouble& trouble);

  SnapshotCache cache;
  std::shared_ptr<SnapshotFile> file;  ///< null without; shared with work on threads
  FailureCounts failures;
  Postponements postponements;
  TroubleLog troubles;
  /// Troubles that were noted.
  std::array<std::atomic<std::uint64_t>, metrics::kStoreTroubles.size()> uncounted{};
};

}  // namespace postern::store
