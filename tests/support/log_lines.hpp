#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postern/base/log.hpp"

namespace postern::test {

/// A log that is kept, in logfmt.
class LogLines final : public LogSink {
 public:
  void write(LogLevel, std::string_view line) noexcept override { lines_.emplace_back(line); }
  std::uint64_t dropped() const noexcept override { return 0; }

  const std::vector<std::string>& lines() const noexcept { return lines_; }
  /// The lines of an event, in the order they were written.
  std::vector<std::string> of(std::string_view event) const;
  /// Whether these octets stand anywhere.
  bool mention(std::string_view octets) const;

  /// The value of a field, without its quotes; empty if there is none.
  static std::string field(std::string_view line, std::string_view key);

 private:
  std::vector<std::string> lines_;
};

}  // namespace postern::test
