#include "postern/store/loop_store.hpp"

#include <algorithm>
#include <deque>
#include <exception>
#include <functional>
#include <utility>
#include <vector>

#include "postern/coro/gate.hpp"
#include "store/shared.hpp"

namespace postern::store {
namespace {

using Found = std::shared_ptr<const Snapshot>;
using LoadResult = Result<Loaded, Trouble>;
using SaveResult = Result<std::size_t, Trouble>;

/// A file that has not answered by then is no faster than the mail server, and the login has other things to
/// do before its own deadline.
constexpr std::chrono::seconds kLoadPatience{2};
/// What may wait for a thread, of one loop. Behind so many nothing comes in time.
constexpr std::size_t kMostRunning = 64;
/// What may wait to be written, of one loop: a burst of logins. Beyond it, writing is slower than they come.
constexpr std::size_t kMostPending = 256;
constexpr Bytes kMostPendingOctets = 32_MiB;
/// One transaction: many small ones cost little more than one, and nobody waits long behind it.
constexpr std::size_t kBatch = 16;
constexpr Bytes kBatchOctets = 8_MiB;

class FileStore final : public LoopStore {
 public:
  FileStore(Shared::Parts& parts, coro::Scheduler& scheduler, coro::Offload* offload, Log& log,
            metrics::StoreMetrics& cells)
      : parts_(parts),
        scheduler_(scheduler),
        offload_(parts.file ? offload : nullptr),
        cells_(cells),
        gate_(scheduler, [&log](const char* what) {
          LogLine(log, LogLevel::error, "bug", "writing to the store ended with an exception")
              .field("detail", what);
        }) {
    for (std::size_t kind = 0; kind < parts.uncounted.size(); ++kind) {
      cells.troubles[kind].add(parts.uncounted[kind].exchange(0, std::memory_order_relaxed));
    }
  }

  coro::Task<Found> load(const MailboxKey& key, coro::Deadline deadline, coro::CancelSource& scope) override;
  void save(MailboxKey key, Found snapshot) override;
  unsigned failures(const MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid) override {
    return parts_.failures.of(key, uidvalidity, uid);
  }
  void count_failure(const MailboxKey& key, std::uint32_t uidvalidity, std::uint32_t uid) override {
    parts_.failures.add(key, uidvalidity, uid);
  }
  void postpone(const std::string& backend, const std::string& user, Duration time) override {
    parts_.postponements.postpone(backend, user, time);
  }
  bool is_postponed(const std::string& backend, const std::string& user) override {
    return parts_.postponements.is_postponed(backend, user);
  }
  coro::Task<void> close(coro::Deadline deadline) override;

 private:
  using Pending = std::deque<Saved>;

  Found from_memory(const MailboxKey& key);
  bool may_read(coro::Deadline deadline);
  Found from_file(const MailboxKey& key, Result<LoadResult, coro::WaitResult> outcome);
  Pending::iterator pending(const MailboxKey& key);
  bool may_write(const Snapshot& snapshot) const;
  void write_later(MailboxKey key, Found snapshot);
  std::vector<Saved> take_batch();
  coro::Task<void> write_pending();
  void note_written(std::size_t count, Result<SaveResult, coro::WaitResult> outcome);
  void note(const Trouble& trouble);

  Shared::Parts& parts_;
  coro::Scheduler& scheduler_;
  coro::Offload* const offload_;  // null without a file
  metrics::StoreMetrics& cells_;
  coro::CancelSource scope_;  // of writing
  Pending pending_;
  Bytes pending_octets_ = 0;
  bool writing_ = false;
  bool closed_ = false;
  coro::Event* written_ = nullptr;  // while closing
  coro::Gate gate_;
};

coro::Task<Found> FileStore::load(const MailboxKey& key, coro::Deadline deadline, coro::CancelSource& scope) {
  Found found = from_memory(key);
  if (found) co_return found;
  if (!may_read(deadline)) {
    cells_.misses.add();
    co_return nullptr;
  }
  std::function<LoadResult()> work = [file = parts_.file, key]() -> LoadResult {
    try {
      return file->load(key);
    } catch (const std::exception& e) {  // memory: a large record costs a cold start and not the session
      return Trouble(metrics::StoreTrouble::io, e.what());
    }
  };
  const coro::Deadline limit = earlier(deadline, coro::Deadline(scheduler_.now() + kLoadPatience));
  auto outcome = co_await coro::offload(*offload_, scheduler_, scope, limit, std::move(work));
  found = from_file(key, std::move(outcome));
  (found ? cells_.from_file : cells_.misses).add();
  co_return found;
}

Found FileStore::from_memory(const MailboxKey& key) {
  Found found = parts_.cache.find(key);
  if (const auto waiting = pending(key); !found && waiting != pending_.end()) found = waiting->snapshot;
  if (found) cells_.from_memory.add();
  return found;
}

bool FileStore::may_read(coro::Deadline deadline) {
  if (offload_ == nullptr || parts_.file->reads_rest() || deadline.when() <= scheduler_.now()) return false;
  if (offload_->running() < kMostRunning) return true;
  note(Trouble(metrics::StoreTrouble::busy, "too many logins wait for the file"));
  return false;
}

Found FileStore::from_file(const MailboxKey& key, Result<LoadResult, coro::WaitResult> outcome) {
  if (!outcome) {
    if (outcome.error() == coro::WaitResult::timed_out) {
      parts_.file->late();
      note(Trouble(metrics::StoreTrouble::late, "the file did not answer in time"));
    }
    return nullptr;
  }
  LoadResult& loaded = *outcome;
  if (!loaded) {
    note(loaded.error());
    return nullptr;
  }
  if (!loaded->snapshot) return nullptr;
  const Found kept = parts_.cache.add(key, loaded->snapshot);
  if (loaded->is_long_unused) write_later(key, kept);
  return kept;
}

void FileStore::save(MailboxKey key, Found snapshot) {
  parts_.cache.put(key, snapshot);
  write_later(std::move(key), std::move(snapshot));
}

FileStore::Pending::iterator FileStore::pending(const MailboxKey& key) {
  return std::find_if(pending_.begin(), pending_.end(), [&](const Saved& saved) { return saved.key == key; });
}

bool FileStore::may_write(const Snapshot& snapshot) const {
  if (closed_ || parts_.file->writes_rest()) return false;
  if (pending_.empty()) return true;
  return pending_.size() < kMostPending && pending_octets_ + snapshot.memory() <= kMostPendingOctets;
}

void FileStore::write_later(MailboxKey key, Found snapshot) {
  if (offload_ == nullptr) return;
  if (const auto older = pending(key); older != pending_.end()) {
    pending_octets_ -= older->snapshot->memory();
    pending_.erase(older);
  }
  if (!may_write(*snapshot)) {
    cells_.dropped.add();
    return;
  }
  pending_octets_ += snapshot->memory();
  pending_.emplace_back(std::move(key), std::move(snapshot));
  if (std::exchange(writing_, true)) return;
  gate_.spawn(write_pending());
}

std::vector<Saved> FileStore::take_batch() {
  std::vector<Saved> batch;
  Bytes octets = 0;
  while (!pending_.empty() && batch.size() < kBatch && octets < kBatchOctets) {
    octets += pending_.front().snapshot->memory();
    batch.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  pending_octets_ -= octets;
  return batch;
}

coro::Task<void> FileStore::write_pending() {
  while (!pending_.empty()) {
    std::vector<Saved> batch = take_batch();
    const std::size_t count = batch.size();
    std::function<SaveResult()> work = [file = parts_.file, batch = std::move(batch)]() -> SaveResult {
      try {
        return file->save(batch);
      } catch (const std::exception& e) {  // memory: these are not written
        return Trouble(metrics::StoreTrouble::io, e.what());
      }
    };
    auto outcome =
        co_await coro::offload(*offload_, scheduler_, scope_, coro::Deadline::never(), std::move(work));
    note_written(count, std::move(outcome));
  }
  writing_ = false;
  if (written_ != nullptr) written_->set();
}

void FileStore::note_written(std::size_t count, Result<SaveResult, coro::WaitResult> outcome) {
  std::size_t written = 0;
  if (outcome && *outcome) written = **outcome;
  if (outcome && !*outcome) note(outcome->error());
  cells_.writes.add(written);
  cells_.dropped.add(count - written);
}

void FileStore::note(const Trouble& trouble) {
  cells_.troubles[trouble.index()].add();
  parts_.troubles.write(trouble);
}

coro::Task<void> FileStore::close(coro::Deadline deadline) {
  closed_ = true;
  coro::CancelSource nobody;
  coro::Event written(scheduler_, nobody);
  if (writing_) {
    written_ = &written;
    const coro::WaitResult result = co_await written.wait(deadline);
    written_ = nullptr;
    if (result != coro::WaitResult::ready) {
      cells_.dropped.add(pending_.size());
      pending_.clear();
      scope_.cancel(FailureKind::draining);
    }
  }
  co_await gate_.closed();
}

}  // namespace

std::unique_ptr<LoopStore> make_store(Shared& shared, coro::Scheduler& scheduler, coro::Offload* offload,
                                      Log& log, metrics::StoreMetrics& cells) {
  return std::make_unique<FileStore>(shared.parts(), scheduler, offload, log, cells);
}

}  // namespace postern::store
