#include "unit/metrics/exposition.hpp"

#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace postern::metrics {
namespace {

void take_labels(std::string_view series, ParsedFamily& family) {
  std::size_t at = series.find('{');
  while (at != std::string_view::npos && at + 1 < series.size()) {
    const std::size_t equals = series.find("=\"", at);
    if (equals == std::string_view::npos) break;
    const std::string label(series.substr(at + 1, equals - at - 1));
    if (label != "le") family.labels.insert(label);
    std::size_t end = equals + 2;
    while (end < series.size() && series[end] != '"') end += series[end] == '\\' ? 2 : 1;
    at = end + 1;  // a comma, or the closing brace
    if (at < series.size() && series[at] == '}') break;
  }
}

bool belongs(std::string_view series, const ParsedFamily& family) {
  std::string_view name = series.substr(0, series.find('{'));
  if (!name.starts_with(family.name)) return false;
  name.remove_prefix(family.name.size());
  if (family.type == "histogram") return name == "_bucket" || name == "_sum" || name == "_count";
  return name.empty();
}

void take_sample(const std::string& line, std::vector<ParsedFamily>& families) {
  const std::size_t space = line.rfind(' ');
  const std::string series = line.substr(0, space);
  if (space == std::string::npos || families.empty() || !belongs(series, families.back()))
    throw std::runtime_error("a sample without its family: " + line);
  char* end = nullptr;
  const double value = std::strtod(line.c_str() + space + 1, &end);
  if (*end != '\0') throw std::runtime_error("no number: " + line);
  if (!families.back().samples.emplace(series, value).second) throw std::runtime_error("twice: " + series);
  take_labels(series, families.back());
}

}  // namespace

std::vector<ParsedFamily> parse_exposition(std::string_view text) {
  if (text.empty() || text.back() != '\n') throw std::runtime_error("the last line has no end");
  std::vector<ParsedFamily> families;
  std::set<std::string> seen;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, kind, name;
    if (!line.starts_with("# ")) {
      take_sample(line, families);
      continue;
    }
    words >> hash >> kind >> name;
    if (kind == "HELP") {
      if (!seen.insert(name).second) throw std::runtime_error("a family twice: " + name);
      families.push_back({name, "", line.substr(std::min(line.size(), 8 + name.size())), {}, {}});
    } else if (kind == "TYPE" && !families.empty() && families.back().name == name &&
               families.back().type.empty()) {
      words >> families.back().type;
    } else {
      throw std::runtime_error("unexpected: " + line);
    }
  }
  return families;
}

bool has_series(const std::string& text, const std::string& series) {
  return ("\n" + text).find("\n" + series + " ") != std::string::npos;
}

double value_of(const std::string& text, const std::string& series) {
  const std::size_t at = ("\n" + text).find("\n" + series + " ");
  if (at == std::string::npos) throw std::out_of_range("no series " + series);
  return std::strtod(text.c_str() + at + series.size() + 1, nullptr);
}

}  // namespace postern::metrics
