#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::config {

enum class Type : std::uint8_t {
  section,   ///< a mapping
  sections,  ///< a list of mappings; the path ends in "[]"
  named,     ///< a mapping from names to mappings; its one child is called "*"
  match,     ///< `any`, or a mapping with exactly one of the children
  text,
  name,
  profile,  ///< the name of a TLS profile
  backend,  ///< the name of a backend
  view,     ///< the name of a view
  host,
  domain,
  user,
  folder,     ///< of a mailbox
  folders,    ///< a list of them
  texts,      ///< a list of texts
  uidl,       ///< a template for unique-ids
  separator,  ///< of a user name and a folder
  file,       ///< the path of a file that has to be readable
  new_file,   ///< the path of a file that need not exist
  pins,       ///< a list of SHA-256 digests
  addresses,  ///< one address with port, or a list of them
  networks,   ///< a list of networks
  duration,
  whole_seconds,  ///< a duration in whole seconds
  size,           ///< a number of octets with its unit
  count,
  threads,  ///< a count or `auto`
  boolean,
  choice,
};

/// One setting. This table is the only place that knows the keys, types, ranges, choices and what they are
/// for: the reader checks with it, the JSON schema and the reference are made of it, and a test holds the
/// defaults in config.hpp against it.
struct Setting {
  std::string_view path;  ///< "limits.idle_timeout", "listeners[].bind", "tls.profiles.*.curves"
  Type type = Type::section;
  bool required = false;
  std::string_view fallback = {};  ///< the default as one would write it; empty where there is none
  std::string_view choices = {};   ///< "a|b|c", in the order of the enumerators
  std::int64_t least = 0;          ///< of counts, of durations in milliseconds, of sizes in octets
  std::int64_t most = 0;
  std::string_view description = {};  ///< what it is for, and why the default is what it is
};

std::span<const Setting> settings();

/// The settings directly inside of a path ("" is the file), in the order of the table.
std::vector<const Setting*> children(std::string_view path);
/// The last key of the path: "servers" of "backends[].servers[]".
std::string_view key_of(const Setting& setting);
bool is_section(Type type);
std::vector<std::string_view> choices_of(const Setting& setting);

/// "a duration from 10s to 24h (units ms, s, m and h)", "true or false": for messages and for the
/// reference.
std::string expectation(const Setting& setting);

}  // namespace postern::config
