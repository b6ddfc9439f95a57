#include "config/mapping_reader.hpp"

#include <algorithm>
#include <utility>

#include "config/files.hpp"
#include "config/suggest.hpp"
#include "config/values.hpp"
#include "config/wording.hpp"
#include "postern/base/ascii.hpp"
#include "postern/base/assert.hpp"

namespace postern::config {
namespace {

// A file full of wrong references is answered in time: candidates are compared for the first ones only.
constexpr std::size_t kMostSuggestions = 500;

std::string name_of(std::string_view path) {
  return path.empty() ? "the file" : std::string(path);
}

bool is_plain(const Node& node) {
  return node.kind == Node::Kind::scalar && !node.quoted;
}

}  // namespace

MappingReader::MappingReader(Context& context, const Node& node, std::string path)
    : context_(&context), node_(&node), path_(std::move(path)), settings_(children(path_)) {
  if (node.kind == Node::Kind::mapping) {
    check_keys();
  } else {
    problem(node.position, name_of(path_) + ": found " + describe(node) + ", expected a mapping");
  }
}

void MappingReader::check_keys() const {
  std::vector<std::string_view> known;
  known.reserve(settings_.size());
  for (const Setting* setting : settings_) known.push_back(key_of(*setting));
  const bool takes_any = known == std::vector<std::string_view>{"*"};
  std::map<std::string_view, Position> seen;
  for (const Entry& entry : node_->entries) {
    const auto [first, is_new] = seen.emplace(entry.key, entry.position);
    if (!is_new) {
      problem(entry.position, "duplicate key " + in_quotes(entry.key) + " in " + name_of(path_) +
                                  "; it stands in line " + std::to_string(first->second.line) + " already");
    } else if (!takes_any && std::find(known.begin(), known.end(), entry.key) == known.end()) {
      const std::string hint =
          entry.key == "<<" ? "; merge keys are not supported" : did_you_mean(entry.key, known);
      problem(entry.position, "unknown key " + in_quotes(entry.key) + " in " + name_of(path_) +
                                  ", expected " + enumerate(known, "or") + hint);
    }
  }
  for (const Setting* setting : settings_) {
    if (setting->required && seen.find(key_of(*setting)) == seen.end())
      problem(node_->position, "missing key '" + std::string(key_of(*setting)) + "' in " + name_of(path_) +
                                   ", expected " + expectation(*setting));
  }
}

const Node* MappingReader::find(std::string_view key) const {
  for (const Entry& entry : node_->entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

const Setting& MappingReader::setting(std::string_view key) const {
  const auto found =
      std::find_if(settings_.begin(), settings_.end(), [&](const Setting* s) { return key_of(*s) == key; });
  POSTERN_ASSERT(found != settings_.end());  // the readers ask for keys of the table only
  return **found;
}

void MappingReader::unexpected(const Node& node, const Setting& setting, const std::string& hint) const {
  problem(node.position, std::string(setting.path) + ": found " + describe(node) + ", expected " +
                             expectation(setting) + (hint.empty() ? hint_for(node, setting) : hint));
}

void MappingReader::unknown_word(const Node& node, const Setting& setting,
                                 const std::vector<std::string_view>& known) const {
  const bool suggests = context_->report.size() < kMostSuggestions;
  problem(node.position, std::string(setting.path) + ": found " + describe(node) + ", expected " +
                             enumerate(known, "or") + (suggests ? did_you_mean(node.text, known) : ""));
}

std::optional<std::string> MappingReader::text_of(const Node& node, const Setting& setting) const {
  const bool typed = is_plain(node) && (is_number(node.text) || is_boolean(node.text));
  if (node.kind != Node::Kind::scalar || node.text.empty() || typed) {
    unexpected(node, setting,
               typed && may_be_number(setting.type) ? "; put it in quotes if it is meant as text" : "");
    return std::nullopt;
  }
  auto expanded = expand_environment(node.text);
  if (expanded) return std::move(expanded).value();
  problem(node.position, std::string(setting.path) + ": " + expanded.error().message);
  return std::nullopt;
}

/// The rules of the kinds of text; `text` becomes what the configuration holds.
bool MappingReader::check_text(const Node& node, const Setting& setting, std::string& text) const {
  const auto expect = [&](bool holds, const std::string& hint = "") {
    if (!holds) unexpected(node, setting, hint);
    return holds;
  };
  switch (setting.type) {
    case Type::name:
      return expect(is_name(text));
    case Type::host:
      return expect(is_host(text));
    case Type::domain:
      text = ascii::to_lower(text);
      return expect(is_domain(text), text.starts_with('@') ? "; leave out the '@'" : "");
    case Type::user:
      text = ascii::to_lower(text);
      return expect(is_user(text));
    case Type::file: {
      text = resolve(context_->folder, text);
      const auto readable = check_readable(text);
      if (!readable)
        problem(node.position, std::string(setting.path) + ": cannot read " + in_quotes(text) + ": " +
                                   readable.error().message + ", expected " + expectation(setting));
      return readable.has_value();
    }
    case Type::new_file:
      text = resolve(context_->folder, text);
      return check_writable_file(node, setting, text);
    case Type::folder:
    case Type::folders:
      if (ascii::equal(text, "INBOX")) text = "INBOX";  // RFC 9051 §5.1: in any case of letters
      return expect(is_line(text));
    case Type::texts:
      return expect(is_line(text));
    case Type::separator:
      return expect(is_separator(text));
    default:
      return expect(!text.empty());
  }
}

bool MappingReader::check_writable_file(const Node& node, const Setting& setting,
                                        const std::string& path) const {
  const auto writable = check_writable(path);
  if (!writable)
    problem(node.position, std::string(setting.path) + ": cannot write " + in_quotes(path) + ": " +
                               writable.error().message + ", expected " + expectation(setting));
  return writable.has_value();
}

const Node* MappingReader::text(std::string_view key, std::string& out) const {
  const Node* node = find(key);
  if (node == nullptr) return nullptr;
  auto text = text_of(*node, setting(key));
  if (!text || !check_text(*node, setting(key), *text)) return nullptr;
  out = *std::move(text);
  return node;
}

const Node* MappingReader::count(std::string_view key, std::uint32_t& out) const {
  const Node* node = find(key);
  if (node == nullptr) return nullptr;
  const Setting& rule = setting(key);
  const auto count = is_plain(*node) ? parse_count(node->text) : std::nullopt;
  if (!count || *count < rule.least || *count > rule.most) {
    unexpected(*node, rule);
    return nullptr;
  }
  out = static_cast<std::uint32_t>(*count);
  return node;
}

const Node* MappingReader::threads(std::string_view key, unsigned& out) const {
  const Node* node = find(key);
  if (node == nullptr || node->kind != Node::Kind::scalar || node->text != "auto") return count(key, out);
  out = 0;
  return node;
}

const Node* MappingReader::boolean(std::string_view key, bool& out) const {
  const Node* node = find(key);
  if (node == nullptr) return nullptr;
  if (!is_plain(*node) || (node->text != "true" && node->text != "false")) {
    unexpected(*node, setting(key));
    return nullptr;
  }
  out = node->text == "true";
  return node;
}

const Node* MappingReader::duration(std::string_view key, std::chrono::milliseconds& out) const {
  const Node* node = find(key);
  if (node == nullptr) return nullptr;
  const Setting& rule = setting(key);
  const auto duration = node->kind == Node::Kind::scalar ? parse_duration(node->text) : std::nullopt;
  if (!duration || duration->count() < rule.least || duration->count() > rule.most ||
      (rule.type == Type::whole_seconds && duration->count() % 1000 != 0)) {
    unexpected(*node, rule);
    return nullptr;
  }
  out = *duration;
  return node;
}

const Node* MappingReader::duration(std::string_view key, std::chrono::seconds& out) const {
  POSTERN_ASSERT(setting(key).type == Type::whole_seconds);
  std::chrono::milliseconds value = out;
  const Node* node = duration(key, value);
  out = std::chrono::duration_cast<std::chrono::seconds>(value);
  return node;
}

const Node* MappingReader::size(std::string_view key, Bytes& out) const {
  const Node* node = find(key);
  if (node == nullptr) return nullptr;
  const Setting& rule = setting(key);
  const auto size = node->kind == Node::Kind::scalar ? parse_size(node->text) : std::nullopt;
  if (!size || *size < static_cast<Bytes>(rule.least) || *size > static_cast<Bytes>(rule.most)) {
    unexpected(*node, rule);
    return nullptr;
  }
  out = *size;
  return node;
}

const Node* MappingReader::choice_index(std::string_view key, std::size_t& out) const {
  const Node* node = find(key);
  if (node == nullptr) return nullptr;
  const auto choices = choices_of(setting(key));
  const auto found = std::find(choices.begin(), choices.end(), node->text);
  if (node->kind != Node::Kind::scalar || found == choices.end()) {
    unknown_word(*node, setting(key), choices);
    return nullptr;
  }
  out = static_cast<std::size_t>(found - choices.begin());
  return node;
}

std::optional<MappingReader> MappingReader::section(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  return MappingReader(*context_, *node, std::string(setting(key).path));
}

std::vector<MappingReader> MappingReader::sections(std::string_view key) const {
  std::vector<MappingReader> found;
  const Node* node = find(key);
  const auto* items = node == nullptr ? nullptr : list(*node, setting(key));
  if (items == nullptr) return found;
  for (const Node& item : *items) found.emplace_back(*context_, item, std::string(setting(key).path));
  return found;
}

}  // namespace postern::config
