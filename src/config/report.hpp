#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "postern/config/loader.hpp"

namespace postern::config {

/// A place in the file; from 1, counted in octets.
struct Position {
  unsigned line = 0;
  unsigned column = 0;
};

/// Collects the mistakes found in one file.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  void add(Position position, std::string message) {
    problems_.emplace(std::pair(position.line, position.column), std::move(message));
  }
  Mark mark(Position position) const { return {file_, position.line, position.column}; }
  std::size_t size() const noexcept { return problems_.size(); }

  /// The problems in the order of the file. What stands behind an anchor is read once for each alias; equal
  /// problems are told once.
  Problems take();

 private:
  std::string file_;
  std::multimap<std::pair<unsigned, unsigned>, std::string> problems_;  ///< by line and column
};

/// Text of the file for a message: in quotes, cut, without octets that could confuse a terminal or a log.
std::string in_quotes(std::string_view text);

}  // namespace postern::config
