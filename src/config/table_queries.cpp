#include <chrono>

#include "config/settings_table.hpp"
#include "config/suggest.hpp"
#include "config/values.hpp"

namespace postern::config {
namespace {

std::string range_of(const Setting& setting) {
  const auto text = [&](std::int64_t value) {
    const bool counts = setting.type == Type::count || setting.type == Type::threads;
    if (setting.type == Type::size) return format_size(static_cast<Bytes>(value));
    return counts ? std::to_string(value) : format_duration(std::chrono::milliseconds(value));
  };
  return " from " + text(setting.least) + " to " + text(setting.most);
}

}  // namespace

std::vector<const Setting*> children(std::string_view path) {
  std::vector<const Setting*> found;
  for (const Setting& setting : settings()) {
    const std::size_t dot = setting.path.rfind('.');
    const std::string_view parent = dot == std::string_view::npos ? "" : setting.path.substr(0, dot);
    if (parent == path) found.push_back(&setting);
  }
  return found;
}

std::string_view key_of(const Setting& setting) {
  const std::string_view last = setting.path.substr(setting.path.rfind('.') + 1);
  return last.substr(0, last.find("[]"));
}

bool is_section(Type type) {
  return type == Type::section || type == Type::sections || type == Type::named || type == Type::match;
}

std::vector<std::string_view> choices_of(const Setting& setting) {
  std::vector<std::string_view> choices;
  std::string_view rest = setting.choices;
  while (!rest.empty()) {
    const std::size_t bar = rest.find('|');
    choices.push_back(rest.substr(0, bar));
    rest = bar == std::string_view::npos ? "" : rest.substr(bar + 1);
  }
  return choices;
}

std::string expectation(const Setting& setting) {
  switch (setting.type) {
    case Type::section:
    case Type::named:
      return "a mapping";
    case Type::sections:
      return "a list of mappings";
    case Type::match:
      return "'any', or a mapping with one of 'domain' and 'user'";
    case Type::text:
      return "text";
    case Type::name:
      return "a name of 1 to 32 of a-z, 0-9, '_' and '-'";
    case Type::profile:
      return "the name of a TLS profile";
    case Type::backend:
      return "the name of a backend";
    case Type::view:
      return "the name of a view";
    case Type::folder:
      return "a folder of 1 to 255 octets in UTF-8";
    case Type::folders:
      return "a list of folders of 1 to 255 octets in UTF-8";
    case Type::texts:
      return "a list of texts of 1 to 255 octets in UTF-8";
    case Type::uidl:
      return "a template such as %{uid:08x}%{uidvalidity:08x}";
    case Type::separator:
      return "1 to 4 of ! $ % & * + , / : ; = ? ^ | ~";
    case Type::host:
      return "a host name or an address without brackets";
    case Type::domain:
      return "a domain such as example.net";
    case Type::user:
      return "a user name without spaces";
    case Type::file:
      return "the path of a readable file";
    case Type::new_file:
      return "the path of a file that can be written, in a folder that can be";
    case Type::pins:
      return "a list of SHA-256 digests, 64 hex digits each";
    case Type::addresses:
      return "an address with a port such as 192.0.2.1:995 or \"[::]:995\", or a list of them";
    case Type::networks:
      return "a list of networks such as 10.0.0.0/8 or \"::1\"";
    case Type::duration:
      return "a duration" + range_of(setting) + " (units ms, s, m and h)";
    case Type::whole_seconds:
      return "a duration" + range_of(setting) + " in whole seconds (units ms, s, m and h)";
    case Type::size:
      return "a size" + range_of(setting) + " (units B, KiB, MiB and GiB)";
    case Type::count:
      return setting.least == setting.most ? std::to_string(setting.least)
                                           : "a whole number" + range_of(setting);
    case Type::threads:
      return "'auto' or a whole number" + range_of(setting);
    case Type::boolean:
      return "true or false";
    case Type::choice:
      return enumerate(choices_of(setting), "or");
  }
  return {};
}

}  // namespace postern::config
