#include <map>
#include <utility>

#include "config/mapping_reader.hpp"
#include "config/values.hpp"
#include "postern/base/ascii.hpp"

namespace postern::config {
namespace {

// Each folder is one more SELECT before a login is answered, each text one more search in a refusal.
constexpr std::size_t kMostTexts = 64;

}  // namespace

const std::vector<Node>* MappingReader::list(const Node& node, const Setting& setting) const {
  if (node.kind == Node::Kind::list && !node.items.empty()) return &node.items;
  unexpected(node, setting);
  return nullptr;
}

bool MappingReader::add_address(const Node& node, const Setting& setting,
                                std::vector<SocketAddress>& out) const {
  const auto text = text_of(node, setting);
  if (!text) return false;
  const auto address = parse_bind_address(*text);
  if (!address) {
    unexpected(node, setting);
    return false;
  }
  const auto [first, is_new] = context_->bound.emplace(address->to_string(), node.position);
  if (!is_new && address->port() != 0) {  // every port 0 is another one
    problem(node.position, std::string(setting.path) + ": found " + in_quotes(first->first) +
                               ", expected an address that is not taken; line " +
                               std::to_string(first->second.line) + " has it");
    return false;
  }
  out.push_back(*address);
  return true;
}

const Node* MappingReader::addresses(std::string_view key, std::vector<SocketAddress>& out) const {
  const Node* node = find(key);
  if (node == nullptr) return nullptr;
  const Setting& rule = setting(key);
  if (node->kind == Node::Kind::scalar) return add_address(*node, rule, out) ? node : nullptr;
  const auto* items = list(*node, rule);
  if (items == nullptr) return nullptr;
  bool good = true;
  for (const Node& item : *items) good = add_address(item, rule, out) && good;
  return good ? node : nullptr;
}

const Node* MappingReader::networks(std::string_view key, std::vector<Network>& out) const {
  const Node* node = find(key);
  const auto* items = node == nullptr ? nullptr : list(*node, setting(key));
  if (items == nullptr) return nullptr;
  std::vector<Network> found;
  for (const Node& item : *items) {
    const auto text = text_of(item, setting(key));
    if (!text) continue;
    const auto network = Network::parse(*text);
    if (network) {
      found.push_back(*network);
    } else {
      unexpected(item, setting(key));
    }
  }
  if (found.size() != items->size()) return nullptr;
  out = std::move(found);
  return node;
}

const Node* MappingReader::pins(std::string_view key, std::vector<std::string>& out) const {
  const Node* node = find(key);
  const auto* items = node == nullptr ? nullptr : list(*node, setting(key));
  if (items == nullptr) return nullptr;
  std::vector<std::string> found;
  for (const Node& item : *items) {
    const auto text = text_of(item, setting(key));
    if (!text) continue;
    if (is_sha256(*text)) {
      found.push_back(ascii::to_lower(*text));
    } else {
      unexpected(item, setting(key));
    }
  }
  if (found.size() != items->size()) return nullptr;
  out = std::move(found);
  return node;
}

const Node* MappingReader::texts(std::string_view key, std::vector<std::string>& out) const {
  const Node* node = find(key);
  const auto* items = node == nullptr ? nullptr : list(*node, setting(key));
  if (items == nullptr) return nullptr;
  const Setting& rule = setting(key);
  if (items->size() > kMostTexts) {
    problem(node->position, std::string(rule.path) + ": found " + std::to_string(items->size()) +
                                " of them, expected " + std::to_string(kMostTexts) + " at most");
    return nullptr;
  }
  std::vector<std::string> found;
  std::map<std::string, Position> seen;
  for (const Node& item : *items) {
    auto text = text_of(item, rule);
    if (!text || !check_text(item, rule, *text)) continue;
    // What a server says is compared without regard to capital letters, the name of a folder with it.
    const auto [first, is_new] =
        seen.emplace(rule.type == Type::texts ? ascii::to_lower(*text) : *text, item.position);
    if (is_new) {
      found.push_back(*std::move(text));
    } else {
      problem(item.position, std::string(rule.path) + ": found " + in_quotes(*text) +
                                 " a second time, expected it once; line " +
                                 std::to_string(first->second.line) + " has it");
    }
  }
  if (found.size() != items->size()) return nullptr;
  out = std::move(found);
  return node;
}

}  // namespace postern::config
