#include <string>
#include <string_view>
#include <vector>

#include "config/settings_table.hpp"
#include "postern/config/settings.hpp"

namespace postern::config {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string default_cell(const Setting& setting) {
  if (setting.required) return "*required*";
  return setting.fallback.empty() ? "–" : "`" + cell(setting.fallback) + "`";
}

std::string row(const Setting& setting) {
  return "| `" + std::string(key_of(setting)) + "` | " + cell(expectation(setting)) + " | " +
         default_cell(setting) + " | " + cell(setting.description) + " |\n";
}

std::string table(const std::vector<const Setting*>& rows) {
  std::string out = "| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const Setting* setting : rows) out += row(*setting);
  return out;
}

/// A mapping of names has nothing to tell but the mapping of each name.
bool has_own_table(const Setting& setting) {
  return is_section(setting.type) && setting.type != Type::named;
}

}  // namespace

std::string reference_markdown() {
  std::string out = "### Top level\n\n" + table(children(""));
  for (const Setting& setting : settings()) {
    if (!has_own_table(setting)) continue;
    out += "\n### `" + std::string(setting.path) + "`\n\n" + std::string(setting.description) + "\n\n";
    out += table(children(setting.path));
  }
  return out;
}

}  // namespace postern::config
