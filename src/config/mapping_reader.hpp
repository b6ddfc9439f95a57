#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.hpp"
#include "config/report.hpp"
#include "config/settings_table.hpp"
#include "postern/base/address.hpp"
#include "postern/base/units.hpp"

namespace postern::config {

/// What the readers of the sections share while one file is read.
struct Context {
  Report& report;
  std::string folder;  ///< where relative paths start
  std::map<std::string, Position, std::less<>>
      profiles;  ///< names that were defined, even if the rest is wrong
  std::map<std::string, Position, std::less<>> views;
  std::map<std::string, Position, std::less<>> backends;
  std::set<std::string, std::less<>> pop3_backends;    ///< those of them that know no views
  std::map<std::string, Position, std::less<>> bound;  ///< addresses to listen on
  bool has_other_folders = false;                      ///< some view has a folder that is not INBOX
};

/// Reads the settings of one mapping, as the table of settings wants them. On construction it reports keys
/// that are unknown, written twice or missing. Each reading function leaves its target alone and answers
/// nullptr when the setting is not there or is wrong (which it reports), else the node it was read from.
class MappingReader {
 public:
  /// `path` is the mapping's in the table: "", "limits", "listeners[]".
  MappingReader(Context& context, const Node& node, std::string path);

  const Node* text(std::string_view key, std::string& out) const;
  const Node* count(std::string_view key, std::uint32_t& out) const;
  const Node* threads(std::string_view key, unsigned& out) const;
  const Node* size(std::string_view key, Bytes& out) const;
  const Node* boolean(std::string_view key, bool& out) const;
  const Node* duration(std::string_view key, std::chrono::milliseconds& out) const;
  const Node* duration(std::string_view key, std::chrono::seconds& out) const;
  template <class Enum>
  const Node* choice(std::string_view key, Enum& out) const {
    std::size_t index = 0;
    const Node* node = choice_index(key, index);
    if (node != nullptr) out = static_cast<Enum>(index);
    return node;
  }
  const Node* addresses(std::string_view key, std::vector<SocketAddress>& out) const;
  const Node* networks(std::string_view key, std::vector<Network>& out) const;
  const Node* pins(std::string_view key, std::vector<std::string>& out) const;
  const Node* texts(std::string_view key, std::vector<std::string>& out) const;

  /// Sections inside of this one: a mapping, the mappings of a list, the entries of a mapping with names as
  /// keys.
  std::optional<MappingReader> section(std::string_view key) const;
  std::vector<MappingReader> sections(std::string_view key) const;
  const std::vector<Entry>& entries() const { return node_->entries; }
  MappingReader named(const Entry& entry) const { return {*context_, entry.value, path_ + ".*"}; }

  bool is_mapping() const { return node_->kind == Node::Kind::mapping; }
  const Node* find(std::string_view key) const;
  const Setting& setting(std::string_view key) const;
  Context& context() const { return *context_; }
  Position position() const { return node_->position; }
  Mark mark() const { return context_->report.mark(position()); }
  const std::string& path() const { return path_; }

  void problem(Position position, std::string message) const {
    context_->report.add(position, std::move(message));
  }
  /// "limits.idle_timeout: found ..., expected ...".
  void unexpected(const Node& node, const Setting& setting, const std::string& hint = "") const;
  /// A word that is none of those known: "routes[].backend: found 'x', expected a, b or c; did you mean
  /// 'y'?".
  void unknown_word(const Node& node, const Setting& setting,
                    const std::vector<std::string_view>& known) const;

  /// The text of a scalar with the environment in it; a number or a boolean is no text unless it is in
  /// quotes.
  std::optional<std::string> text_of(const Node& node, const Setting& setting) const;

 private:
  void check_keys() const;
  bool check_writable_file(const Node& node, const Setting& setting, const std::string& path) const;
  const Node* choice_index(std::string_view key, std::size_t& out) const;
  const std::vector<Node>* list(const Node& node, const Setting& setting) const;
  bool check_text(const Node& node, const Setting& setting, std::string& text) const;
  bool add_address(const Node& node, const Setting& setting, std::vector<SocketAddress>& out) const;

  Context* context_;
  const Node* node_;
  std::string path_;
  std::vector<const Setting*> settings_;
};

}  // namespace postern::config
