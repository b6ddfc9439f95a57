#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "postern/base/clock.hpp"
#include "postern/base/failure.hpp"

namespace postern {

enum class LogFormat : std::uint8_t { logfmt, json };

/// Where finished lines go. Takes a line without its line end and returns at once, whatever happens to it: a
/// full or blocked target drops lines and counts them. Safe on any thread.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view line) noexcept = 0;
  /// Lines lost so far.
  virtual std::uint64_t dropped() const noexcept = 0;
};

/// The log of a process: level, format and sink. Safe on any thread; outlives whoever holds a reference to
/// it.
class Log {
 public:
  Log(LogSink& sink, const Clock& clock, LogFormat format, LogLevel level) noexcept
      : sink_(sink), clock_(clock), format_(format), level_(level) {}

  bool enabled(LogLevel level) const noexcept { return level >= level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) noexcept { level_.store(level, std::memory_order_relaxed); }
  LogFormat format() const noexcept { return format_; }
  const Clock& clock() const noexcept { return clock_; }
  LogSink& sink() noexcept { return sink_; }

  /// Whether a line of a rate-limited failure may be written now: at most one a second for each kind.
  bool admits(FailureKind kind) noexcept;

 private:
  LogSink& sink_;
  const Clock& clock_;
  LogFormat format_;
  std::atomic<LogLevel> level_;
  std::atomic<std::int64_t> last_second_[kFailureKinds] = {};
};

/// One line, built field by field and written when it goes out of scope:
///
///   LogLine(log, LogLevel::info, "session_end", "session ended").field("client", address).field("retr",
///   12U);
///
/// Values may hold anything a peer sent: control octets, quotes and invalid UTF-8 are escaped, and a value is
/// cut at 256 octets. Keys are ours and are written as they are. Nothing is built when the level is off.
class LogLine {
 public:
  LogLine(Log& log, LogLevel level, std::string_view event, std::string_view message);
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;
  ~LogLine();

  LogLine& field(std::string_view key, std::string_view value);
  LogLine& field(std::string_view key, const char* value) { return field(key, std::string_view(value)); }
  LogLine& field(std::string_view key, bool value);
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  LogLine& field(std::string_view key, T value) {
    return number(key, std::uint64_t{value});
  }
  /// In milliseconds with three digits behind the point; the key should end in `_ms`.
  LogLine& field(std::string_view key, Duration value);

 private:
  void key(std::string_view key);
  LogLine& number(std::string_view key, std::uint64_t value);

  Log& log_;
  LogLevel level_;
  bool enabled_;
  std::string text_;
};

}  // namespace postern
