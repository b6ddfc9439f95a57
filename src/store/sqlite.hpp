#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "postern/base/result.hpp"
#include "postern/base/units.hpp"
#include "store/trouble.hpp"

struct sqlite3;
struct sqlite3_stmt;

/// SQLite, as far as the store needs it: handles that close themselves, and troubles instead of numbers. All
/// of it blocks; one thread at a time for a database and its statements.
namespace postern::store::sqlite {

struct Close {
  void operator()(sqlite3* database) const noexcept;
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const noexcept;
};

/// A prepared statement; destroyed before its database. Texts and blobs that are bound have to outlive the
/// steps.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) noexcept : statement_(statement) {}

  /// Parameters are counted from 1.
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, std::int64_t number);
  Statement& bind_blob(int parameter, std::string_view octets);

  /// Whether there is a row. To be rewound after the last step.
  Result<bool, Trouble> step();
  /// The columns of the row, counted from 0; views hold until the next step.
  std::string_view blob(int column) const;
  std::int64_t number(int column) const;
  void rewind() noexcept;

 private:
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Rewinds a statement at the end of a scope, so that it holds no lock on the file.
class Rewind {
 public:
  explicit Rewind(Statement& statement) noexcept : statement_(statement) {}
  Rewind(const Rewind&) = delete;
  Rewind& operator=(const Rewind&) = delete;
  ~Rewind() { statement_.rewind(); }

 private:
  Statement& statement_;
};

class Database {
 public:
  /// Opens or creates the file, for its owner only. Whoever finds it locked waits for `patience` at most;
  /// `longest` limits what a row may hold, whatever the file says.
  static Result<Database, Trouble> open(const std::string& path, std::chrono::milliseconds patience,
                                        Bytes longest);
  /// Opens a file that is there, to read. Neither changes it nor makes anything beside it, also while other
  /// processes use it.
  static Result<Database, Trouble> open_untouched(const std::string& path, std::chrono::milliseconds patience,
                                                  Bytes longest);

  /// One statement or several, without parameters.
  Result<void, Trouble> execute(const std::string& statements);
  /// What `work` does, or, when it fails, nothing.
  Result<void, Trouble> transaction(const std::function<Result<void, Trouble>()>& work);
  /// The first column of the first row.
  Result<std::int64_t, Trouble> number(std::string_view query);
  /// For many uses.
  Result<Statement, Trouble> prepare(std::string_view query);

  bool is_read_only() const noexcept;
  /// Whether the path no longer leads to the file that is open.
  bool has_moved() const noexcept;

 private:
  explicit Database(sqlite3* database) noexcept : database_(database) {}
  static Result<Database, Trouble> open(const std::string& name, int flags,
                                        std::chrono::milliseconds patience, Bytes longest);

  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace postern::store::sqlite
