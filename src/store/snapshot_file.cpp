#include "store/snapshot_file.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "store/served_uidls.hpp"
#include "store/snapshot_codec.hpp"
#include "store/sqlite.hpp"

namespace postern::store {
namespace {

using metrics::StoreTrouble;
using sqlite::Database;
using sqlite::Rewind;
using sqlite::Statement;

/// In the file's header (offset 68), so that a file is known for ours: "pstr".
constexpr std::int32_t kApplication = 0x70737472;
constexpr std::size_t kApplicationOffset = 68;
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr int kSchema = 1;
/// What a row may hold beside its record: its key.
constexpr Bytes kRowRest = 64_KiB;
/// Rows that one save removes at most, several times what it writes: so room is made without a long wait.
constexpr int kRemovedAtOnce = 64;
/// Looking for entries that are too old costs a look at an index: now and then is enough.
constexpr unsigned kSavesBetweenChecks = 64;
/// Nobody waits for a writer, so it waits longer for the writers of other loops than a login does.
constexpr int kWriterPatience = 8;
/// An entry that is in use is marked so once a day, or every login would write.
constexpr std::int64_t kMarkAfterSeconds = 24 * 3600;

constexpr const char* kCreateSnapshots =
    "CREATE TABLE IF NOT EXISTS snapshots (id INTEGER PRIMARY KEY, backend TEXT NOT NULL, user TEXT NOT NULL,"
    " mailbox TEXT NOT NULL, used INTEGER NOT NULL, record BLOB NOT NULL,"
    " UNIQUE (backend, user, mailbox)) STRICT;"
    "CREATE INDEX IF NOT EXISTS snapshots_used ON snapshots (used);";
constexpr std::string_view kFind =
    "SELECT record, used FROM snapshots WHERE backend = ?1 AND user = ?2 AND mailbox = ?3";
constexpr std::string_view kReplace =
    "INSERT INTO snapshots (backend, user, mailbox, used, record) VALUES (?1, ?2, ?3, ?4, ?5)"
    " ON CONFLICT (backend, user, mailbox) DO UPDATE SET used = excluded.used, record = excluded.record";
constexpr std::string_view kRemove =
    "DELETE FROM snapshots WHERE id IN (SELECT id FROM snapshots WHERE used < ?1 ORDER BY used LIMIT ?2)";
constexpr std::string_view kPagesInUse =
    "SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count";

/// The beginning of the file, as far as it tells whose it is. Closing any descriptor of a file drops SQLite's
/// locks on it: only to be asked while it is not open.
std::string head_of(const std::string& path) {
  std::string head(kApplicationOffset + sizeof(kApplication), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

/// Zeros are what a disk leaves that lost a block.
bool is_zeros(std::string_view head) {
  return head.substr(0, kMagic.size()).find_first_not_of('\0') == std::string_view::npos;
}

/// Whether SQLite may have a look. It would play a journal that lies beside into a file that is not its own.
bool may_be_database(const std::string& path) {
  const std::string head = head_of(path);
  return head.starts_with(kMagic) || is_zeros(head);
}

/// Whether what SQLite cannot read was ours once.
bool was_written_by_us(const std::string& path) {
  const std::string head = head_of(path);
  return is_zeros(head) ||
         (head.starts_with(kMagic) && head.compare(kApplicationOffset, std::string::npos, "pstr") == 0);
}

/// Copies of wrecks of which one is enough: NAME.corrupt-DIGITS, with or without SQLite's -wal.
void remove_older_wrecks(const std::filesystem::path& path) {
  const std::string prefix = path.filename().string() + ".corrupt-";
  std::error_code error;
  std::filesystem::directory_iterator entry(path.parent_path() / ".", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    std::string_view rest = std::string_view(name).substr(prefix.size());
    if (rest.ends_with("-wal")) rest.remove_suffix(4);
    if (rest.empty() || rest.find_first_not_of("0123456789") != std::string_view::npos) continue;
    std::error_code ignored;
    std::filesystem::remove(entry->path(), ignored);
  }
}

/// Whether the file is ours, or else empty; an error when it is somebody else's.
Result<bool, Trouble> has_schema(Database& database) {
  const auto application = database.number("PRAGMA application_id");
  if (!application) return application.error();
  const auto schema = database.number("PRAGMA user_version");
  if (!schema) return schema.error();
  if (*application == kApplication && *schema == kSchema) return true;
  const auto tables = database.number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  if (*application != 0 || *schema != 0 || *tables != 0) {
    return Trouble(StoreTrouble::foreign,
                   *application == kApplication ? "of another version of postern" : "not a store of postern");
  }
  return false;
}

/// Makes the tables in an empty file.
Result<void, Trouble> ensure_schema(Database& database, const config::ServedUidls& served) {
  const auto has = has_schema(database);
  if (!has) return has.error();
  if (*has) return {};
  // Before WAL: the header that says so is in the file itself from the beginning.
  const std::string create = kCreateSnapshots + std::string(kCreateServedUidls) +
                             "PRAGMA application_id = " + std::to_string(kApplication) +
                             ";PRAGMA user_version = " + std::to_string(kSchema);
  return database.transaction([&]() -> Result<void, Trouble> {
    if (auto made = database.execute(create); !made) return made;
    return write_served_uidls(database, served);
  });
}

/// WAL: readers do not wait for a writer, and nothing is synced but at checkpoints; after a power cut the
/// last saves may be missing. Memory mapping is off, because a file that somebody truncates would kill us.
std::string settings(Bytes most_octets, std::int64_t page_size) {
  return "PRAGMA synchronous = NORMAL;PRAGMA mmap_size = 0;PRAGMA cell_size_check = ON;PRAGMA temp_store = "
         "MEMORY;"
         "PRAGMA journal_size_limit = 67108864;PRAGMA max_page_count = " +
         std::to_string(static_cast<std::int64_t>(most_octets) / page_size);
}

}  // namespace

/// What is written, or was read.
class SnapshotFile::Row {
 public:
  Row() = default;
  Row(const MailboxKey* k, std::string r) : key(k), record(std::move(r)) {}
  const MailboxKey* key = nullptr;
  std::string record;  ///< empty: there was none
  bool is_long_unused = false;
};

struct SnapshotFile::Connection {
  explicit Connection(Database d) : database(std::move(d)) {}

  static Result<std::unique_ptr<Connection>, Trouble> make(const std::string& path, const Limits& limits,
                                                           const config::ServedUidls& served);
  Result<void, Trouble> prepare(const Limits& limits, const config::ServedUidls& served);

  Database database;
  Statement find, replace, remove, pages_in_use;
  std::int64_t page_size = 0;
};

Result<std::unique_ptr<SnapshotFile::Connection>, Trouble> SnapshotFile::Connection::make(
    const std::string& path, const Limits& limits, const config::ServedUidls& served) {
  if (!may_be_database(path)) return Trouble(StoreTrouble::foreign, "not a database");
  auto database = Database::open(path, limits.patience, kMaxRecord + kRowRest);
  if (!database) return std::move(database).error();
  auto made = std::make_unique<Connection>(std::move(*database));
  if (auto ready = made->prepare(limits, served); !ready) return std::move(ready).error();
  return made;
}

Result<void, Trouble> SnapshotFile::Connection::prepare(const Limits& limits,
                                                        const config::ServedUidls& served) {
  if (auto schema = ensure_schema(database, served); !schema) return schema;
  const auto size = database.number("PRAGMA page_size");
  if (!size) return size.error();
  page_size = *size;
  if (!database.is_read_only()) {
    if (auto wal = database.execute("PRAGMA journal_mode = WAL"); !wal) return wal;
  }
  if (auto set = database.execute(settings(limits.most_octets, page_size)); !set) return set;
  const std::array<std::pair<Statement*, std::string_view>, 4> statements = {
      {{&find, kFind}, {&replace, kReplace}, {&remove, kRemove}, {&pages_in_use, kPagesInUse}}};
  for (const auto& [statement, text] : statements) {
    auto prepared = database.prepare(text);
    if (!prepared) return std::move(prepared).error();
    *statement = std::move(*prepared);
  }
  return {};
}

SnapshotFile::SnapshotFile(std::string path, const Clock& clock, Limits limits)
    : path_(std::move(path)), clock_(clock), limits_(limits), reads_(clock), writes_(clock) {}

SnapshotFile::~SnapshotFile() = default;

std::int64_t SnapshotFile::seconds_now() const noexcept {
  return std::chrono::duration_cast<std::chrono::seconds>(clock_.wall_now().time_since_epoch()).count();
}

Result<SnapshotFile::Lock, Trouble> SnapshotFile::lock(std::chrono::milliseconds patience) {
  Lock held(mutex_, patience);
  if (!held.owns_lock()) return Trouble(StoreTrouble::busy, "other logins are at it");
  return held;
}

Result<SnapshotFile::Connection*, Trouble> SnapshotFile::connection() {
  if (connection_ && connection_->database.has_moved()) {
    connection_.reset();  // removed or replaced, by an operator or by another process that found it corrupt
  }
  if (!connection_) {
    auto made = Connection::make(path_, limits_, served_);
    if (!made) return after(std::move(made).error());
    connection_ = std::move(*made);
  }
  return connection_.get();
}

Result<void, Trouble> SnapshotFile::open() {
  auto held = lock(limits_.patience);
  if (!held) return std::move(held).error();
  auto opened = connection();
  if (!opened) return std::move(opened).error();
  return {};
}

/// What is to be done about a trouble; the trouble, with what was done.
Trouble SnapshotFile::after(Trouble trouble) {
  switch (trouble.kind) {
    case StoreTrouble::busy:
    case StoreTrouble::damaged:
    case StoreTrouble::full:
      return trouble;  // passes, or concerns one row
    default:
      break;
  }
  const bool has_moved = connection_ && connection_->database.has_moved();
  connection_.reset();  // the next one opens it again
  if (trouble.kind != StoreTrouble::corrupt || has_moved) return trouble;
  if (!was_written_by_us(path_)) {
    return {StoreTrouble::foreign, "not a store of postern, and " + trouble.detail};
  }
  trouble.detail += "; " + move_aside();
  return trouble;
}

/// The journal first: what is left of it must never meet a new file.
std::string SnapshotFile::move_aside() const {
  remove_older_wrecks(path_);
  const std::string wreck = path_ + ".corrupt-" + std::to_string(seconds_now());
  std::error_code error;
  std::filesystem::rename(path_ + "-wal", wreck + "-wal", error);
  if (error && error != std::errc::no_such_file_or_directory) return "cannot be moved: " + error.message();
  std::filesystem::remove(path_ + "-shm", error);
  std::filesystem::rename(path_, wreck, error);
  return error ? "cannot be moved: " + error.message() : "moved to " + wreck;
}

Result<Loaded, Trouble> SnapshotFile::load(const MailboxKey& key) {
  auto row = read(key);
  if (!row) {
    reads_.fail();
    return std::move(row).error();
  }
  reads_.succeed();
  if (row->record.empty()) return Loaded();
  auto snapshot = decode_record(row->record, key);
  if (!snapshot) return Trouble(StoreTrouble::damaged, std::string(label(snapshot.error())));
  return Loaded(std::make_shared<const Snapshot>(std::move(*snapshot)), row->is_long_unused);
}

Result<config::ServedUidls, Trouble> SnapshotFile::served(const config::ServedUidls& asked) {
  auto held = lock(limits_.patience);
  if (!held) return std::move(held).error();
  auto opened = connection();
  if (!opened) return std::move(opened).error();
  auto served = read_served_uidls((*opened)->database, asked);
  if (!served) return after(std::move(served).error());
  return served;
}

Result<config::ServedUidls, Trouble> SnapshotFile::served_untouched(const std::string& path,
                                                                    const config::ServedUidls& asked) {
  if (!may_be_database(path)) return Trouble(StoreTrouble::foreign, "not a database");
  auto database = Database::open_untouched(path, Limits().patience, kMaxRecord + kRowRest);
  if (!database) return std::move(database).error();
  const auto has = has_schema(*database);
  if (!has) return has.error();
  if (!*has) return config::ServedUidls();
  return read_served_uidls(*database, asked);
}

Result<void, Trouble> SnapshotFile::keep(config::ServedUidls served) {
  auto held = lock(limits_.patience * kWriterPatience);
  if (!held) return std::move(held).error();
  served_ = std::move(served);
  auto opened = connection();
  if (!opened) return std::move(opened).error();
  Database& database = (*opened)->database;
  const auto known = read_served_uidls(database, served_);
  if (known && *known == served_) return {};  // a file that cannot be written is no trouble then
  auto done = database.transaction([&] { return write_served_uidls(database, served_); });
  if (!done) return after(std::move(done).error());
  return {};
}

Result<SnapshotFile::Row, Trouble> SnapshotFile::read(const MailboxKey& key) {
  auto held = lock(limits_.patience);
  if (!held) return std::move(held).error();
  auto opened = connection();
  if (!opened) return std::move(opened).error();
  Row row;
  Result<bool, Trouble> found = false;
  {
    Statement& find = (*opened)->find;
    const Rewind rewind(find);
    found = find.bind(1, key.backend).bind(2, key.user).bind(3, key.mailbox).step();
    if (found && *found) {
      row.record = find.blob(0);
      row.is_long_unused = seconds_now() - find.number(1) > kMarkAfterSeconds;
    }
  }
  if (!found) return after(std::move(found).error());
  return row;
}

Result<std::size_t, Trouble> SnapshotFile::save(std::span<const Saved> snapshots) {
  std::vector<Row> rows;
  for (const Saved& saved : snapshots) {
    Row row(&saved.key, encode_record(saved.key, *saved.snapshot));
    if (row.record.size() <= kMaxRecord) rows.push_back(std::move(row));
  }
  auto written = write(rows);
  if (!written) {
    writes_.fail();
    return std::move(written).error();
  }
  writes_.succeed();
  return rows.size();
}

Result<void, Trouble> SnapshotFile::write(std::span<const Row> rows) {
  auto held = lock(limits_.patience * kWriterPatience);
  if (!held) return std::move(held).error();
  auto opened = connection();
  if (!opened) return std::move(opened).error();
  Connection& open = **opened;
  auto done = make_room(open);
  if (done) done = write_all(open, rows);
  if (!done) return after(std::move(done).error());
  return {};
}

Result<void, Trouble> SnapshotFile::write_all(Connection& connection, std::span<const Row> rows) {
  return connection.database.transaction([&]() -> Result<void, Trouble> {
    for (const Row& row : rows) {
      const Rewind rewind(connection.replace);
      connection.replace.bind(1, row.key->backend).bind(2, row.key->user).bind(3, row.key->mailbox);
      const auto step = connection.replace.bind(4, seconds_now()).bind_blob(5, row.record).step();
      if (!step) return step.error();
    }
    return {};
  });
}

Result<void, Trouble> SnapshotFile::make_room(Connection& connection) {
  if (connection.database.is_read_only()) return Trouble(StoreTrouble::read_only, "the file is read-only");
  std::int64_t pages = 0;
  {
    const Rewind rewind(connection.pages_in_use);
    const auto row = connection.pages_in_use.step();
    if (!row) return row.error();
    pages = connection.pages_in_use.number(0);
  }
  const bool crowded = static_cast<Bytes>(pages) * static_cast<Bytes>(connection.page_size) > limits_.octets;
  if (!crowded && ++unchecked_saves_ < kSavesBetweenChecks) return {};
  unchecked_saves_ = 0;
  const Rewind rewind(connection.remove);
  const std::int64_t before =
      crowded ? std::numeric_limits<std::int64_t>::max() : seconds_now() - limits_.age.count();
  const auto removed = connection.remove.bind(1, before).bind(2, std::int64_t{kRemovedAtOnce}).step();
  if (!removed) return removed.error();
  return {};
}

}  // namespace postern::store
