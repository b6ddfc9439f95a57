#include "store/sqlite.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "postern/base/assert.hpp"

namespace postern::store::sqlite {
namespace {

using metrics::StoreTrouble;

constexpr mode_t kOwnerOnly = 0600;  // it tells who has mail here
constexpr int kFlags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

StoreTrouble kind_of(int code) noexcept {
  switch (code & 0xFF) {  // the extended codes are kinds of these
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:  // the locks of WAL, after many tries
      return StoreTrouble::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StoreTrouble::corrupt;
    case SQLITE_FULL:
      return StoreTrouble::full;
    case SQLITE_READONLY:
      return StoreTrouble::read_only;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return StoreTrouble::unavailable;
    case SQLITE_ERROR:  // no such table, no such column
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return StoreTrouble::foreign;
    case SQLITE_TOOBIG:
      return StoreTrouble::damaged;
    default:
      return StoreTrouble::io;
  }
}

Trouble trouble(sqlite3* database, int code) {
  return {kind_of(code), database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code)};
}

/// SQLite would make a file that everybody may read.
Result<void, Trouble> create_private(const std::string& path) {
  const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
  if (made >= 0) {
    ::close(made);
  } else if (errno != EEXIST) {
    const StoreTrouble kind = errno == ENOSPC || errno == EDQUOT ? StoreTrouble::full
                              : errno == EROFS                   ? StoreTrouble::read_only
                                                                 : StoreTrouble::unavailable;
    return Trouble(kind, std::generic_category().message(errno));
  }
  return {};
}

/// SQLite's options stand behind the file's name: all of it is escaped, so that it is a name and no more.
std::string uri(std::string_view path) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "file:";
  for (const char character : path) {
    const auto octet = static_cast<unsigned char>(character);
    out += {'%', kDigits[octet >> 4], kDigits[octet & 15]};
  }
  return out;
}

}  // namespace

void Close::operator()(sqlite3* database) const noexcept {
  sqlite3_close_v2(database);
}

void Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

// Binding fails when a value is too long (step() then finds no such row, or inserts NULL, which the table
// refuses) or for want of memory.

Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), parameter, text.data() != nullptr ? text.data() : "", text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(int parameter, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), parameter, number);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view octets) {
  sqlite3_bind_blob64(statement_.get(), parameter, octets.data(), octets.size(), SQLITE_STATIC);
  return *this;
}

Result<bool, Trouble> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW || code == SQLITE_DONE) return code == SQLITE_ROW;
  return trouble(sqlite3_db_handle(statement_.get()), code);
}

std::string_view Statement::blob(int column) const {
  const void* octets = sqlite3_column_blob(statement_.get(), column);  // before its length is asked
  if (octets == nullptr) return {};
  return {static_cast<const char*>(octets),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

void Statement::rewind() noexcept {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

Result<Database, Trouble> Database::open(const std::string& path, std::chrono::milliseconds patience,
                                         Bytes longest) {
  if (auto made = create_private(path); !made) return std::move(made).error();
  return open(path, kFlags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, patience, longest);
}

Result<Database, Trouble> Database::open_untouched(const std::string& path,
                                                   std::chrono::milliseconds patience, Bytes longest) {
  // In WAL mode SQLite would make the files of the journal to read. Where there is none nobody uses the file
  // and it holds everything; where there is one, so is the index that those who use it have made.
  std::error_code ignored;
  const bool is_used = std::filesystem::exists(path + "-wal", ignored);
  return open(uri(path) + (is_used ? "?readonly_shm=1" : "?immutable=1"),
              kFlags | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, patience, longest);
}

Result<Database, Trouble> Database::open(const std::string& name, int flags,
                                         std::chrono::milliseconds patience, Bytes longest) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
  Database database(handle);  // there is one even after an error
  if (code != SQLITE_OK) return trouble(handle, code);
  sqlite3_busy_timeout(handle, static_cast<int>(patience.count()));
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, static_cast<int>(longest));
  // Nothing that somebody else wrote into the file is executed.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return database;
}

Result<void, Trouble> Database::execute(const std::string& statements) {
  const int code = sqlite3_exec(database_.get(), statements.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return trouble(database_.get(), code);
  return {};
}

Result<void, Trouble> Database::transaction(const std::function<Result<void, Trouble>()>& work) {
  if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
  auto done = work();
  if (done) done = execute("COMMIT");
  // After some errors SQLite has done so itself, and says that there is nothing to roll back.
  if (!done) static_cast<void>(execute("ROLLBACK"));
  return done;
}

Result<std::int64_t, Trouble> Database::number(std::string_view query) {
  auto statement = prepare(query);
  if (!statement) return std::move(statement).error();
  const auto row = statement->step();
  if (!row) return trouble(database_.get(), sqlite3_extended_errcode(database_.get()));
  return *row ? statement->number(0) : 0;
}

Result<Statement, Trouble> Database::prepare(std::string_view query) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), query.data(), static_cast<int>(query.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return trouble(database_.get(), code);
  return Statement(statement);
}

bool Database::is_read_only() const noexcept {
  return sqlite3_db_readonly(database_.get(), "main") != 0;
}

bool Database::has_moved() const noexcept {
  int moved = 0;
  const int code = sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return code == SQLITE_OK && moved != 0;
}

}  // namespace postern::store::sqlite
