#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace postern::metrics {

/// The text format 0.0.4, read back as a scraper would.
struct ParsedFamily {
  std::string name, type, help;
  std::map<std::string, double> samples;  ///< by series as written: name{labels}
  std::set<std::string> labels;           ///< names of labels, `le` left out
};

/// Throws std::runtime_error on anything that is not well-formed: a sample without HELP and TYPE before it, a
/// family or a series that stands twice.
std::vector<ParsedFamily> parse_exposition(std::string_view text);

/// The value of a series; throws std::out_of_range if it is not there.
double value_of(const std::string& text, const std::string& series);
bool has_series(const std::string& text, const std::string& series);

}  // namespace postern::metrics
