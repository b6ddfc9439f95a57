#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/report.hpp"

namespace postern::config {

struct Entry;

/// A value of the file as it was written. The tree is our own and not yaml-cpp's, because that one takes the
/// first of two equal keys silently, reports an alias at its anchor, and looks a key up by walking over all
/// of them.
struct Node {
  enum class Kind : std::uint8_t { nothing, scalar, list, mapping };

  Kind kind = Kind::nothing;
  bool quoted = false;         ///< scalars: written in quotes or as a block, so never a number or a boolean
  Position position;           ///< of the value; of an alias, where the alias stands
  std::string text;            ///< scalars
  std::vector<Node> items;     ///< lists
  std::vector<Entry> entries;  ///< mappings, in the order of the file and with equal keys
};

struct Entry {
  std::string key;
  Position position;
  Node value;
};

/// Reads one YAML document. Aliases are replaced by what they stand for, within a limit. What is wrong is
/// reported; nothing comes back when the text cannot be read on. Throws nothing but std::bad_alloc.
std::optional<Node> parse_document(std::string_view text, Report& report);

}  // namespace postern::config
