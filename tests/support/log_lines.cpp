#include "support/log_lines.hpp"

#include <algorithm>

namespace postern::test {

std::vector<std::string> LogLines::of(std::string_view event) const {
  std::vector<std::string> found;
  for (const std::string& line : lines_) {
    if (field(line, "event") == event) found.push_back(line);
  }
  return found;
}

bool LogLines::mention(std::string_view octets) const {
  return std::any_of(lines_.begin(), lines_.end(),
                     [octets](const std::string& line) { return line.find(octets) != std::string::npos; });
}

std::string LogLines::field(std::string_view line, std::string_view key) {
  const std::string start = " " + std::string(key) + "=";
  const std::size_t at = line.find(start);
  if (at == std::string_view::npos) return {};
  std::string_view value = line.substr(at + start.size());
  if (!value.starts_with('"')) return std::string(value.substr(0, value.find(' ')));
  std::string text;
  for (std::size_t i = 1; i < value.size() && value[i] != '"'; ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    text += value[i];
  }
  return text;
}

}  // namespace postern::test
