#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "postern/base/clock.hpp"
#include "postern/base/result.hpp"
#include "postern/config/served_uidls.hpp"
#include "postern/store/snapshot.hpp"
#include "store/backoff.hpp"
#include "store/trouble.hpp"

namespace postern::store {

/// A snapshot on its way to the file.
class Saved {
 public:
  Saved(MailboxKey k, std::shared_ptr<const Snapshot> s) : key(std::move(k)), snapshot(std::move(s)) {}
  MailboxKey key;
  std::shared_ptr<const Snapshot> snapshot;
};

/// A snapshot that came from the file; null if there was none.
class Loaded {
 public:
  Loaded() = default;
  Loaded(std::shared_ptr<const Snapshot> s, bool unused) : snapshot(std::move(s)), is_long_unused(unused) {}
  std::shared_ptr<const Snapshot> snapshot;
  bool is_long_unused = false;  ///< it wants to be saved again, so that it is not the next to be removed
};

/// Snapshots in an SQLite file, which other processes may use at the same time. Everything but
/// is_resting() and late() blocks, for a bounded time: to be used through coro::Offload. Safe on any thread.
///
/// Whatever happens to the file is a trouble or a miss, never a wrong answer. A file that is no database any
/// more is moved aside and a new one is begun; one of somebody else is left alone. The file is opened again
/// whenever it is not open, so a disk that comes back is used again. One object for a file in a process.
class SnapshotFile {
 public:
  class Limits {
   public:
    /// In use, before those that nobody asked for the longest are removed: about 800,000 mailboxes of 300
    /// messages.
    Bytes octets = 1024_MiB;
    /// The whole file. The largest record fits between the two.
    Bytes most_octets = 1280_MiB;
    /// Who does not come for so long will not mind a slow login.
    std::chrono::seconds age = std::chrono::hours(90 * 24);
    /// How long a thread waits for another one, or for another process.
    std::chrono::milliseconds patience{250};
  };

  SnapshotFile(std::string path, const Clock& clock, Limits limits);
  ~SnapshotFile();

  /// Opens the file and makes what is missing.
  Result<void, Trouble> open();
  Result<Loaded, Trouble> load(const MailboxKey& key);
  /// All of them or none, but for records that are too large. How many were written.
  Result<std::size_t, Trouble> save(std::span<const Saved> snapshots);

  /// The templates that those backends served when keep() was told last, by whatever process; nothing of
  /// backends that never did.
  Result<config::ServedUidls, Trouble> served(const config::ServedUidls& asked);
  /// The same from a file that is there, without changing anything; not for a process that has it open.
  static Result<config::ServedUidls, Trouble> served_untouched(const std::string& path,
                                                               const config::ServedUidls& asked);
  /// They are also written into every file that has to be begun anew later.
  Result<void, Trouble> keep(config::ServedUidls served);

  /// After several troubles in a row: for a while there is no use in asking.
  bool reads_rest() const noexcept { return reads_.is_resting(); }
  bool writes_rest() const noexcept { return writes_.is_resting(); }
  /// A load took longer than its caller waited.
  void late() noexcept { reads_.fail(); }
  const std::string& path() const noexcept { return path_; }

 private:
  struct Connection;
  class Row;
  using Lock = std::unique_lock<std::timed_mutex>;

  Result<Lock, Trouble> lock(std::chrono::milliseconds patience);
  Result<Connection*, Trouble> connection();
  Result<Row, Trouble> read(const MailboxKey& key);
  Result<void, Trouble> write(std::span<const Row> rows);
  Result<void, Trouble> write_all(Connection& connection, std::span<const Row> rows);
  Result<void, Trouble> make_room(Connection& connection);
  Trouble after(Trouble trouble);
  std::string move_aside() const;
  std::int64_t seconds_now() const noexcept;

  const std::string path_;
  const Clock& clock_;
  const Limits limits_;
  Backoff reads_;
  Backoff writes_;
  std::timed_mutex mutex_;  // guards all below
  std::unique_ptr<Connection> connection_;
  config::ServedUidls served_;
  unsigned unchecked_saves_ = 0;  // since old entries were looked for
};

}  // namespace postern::store
