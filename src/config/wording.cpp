#include "config/wording.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

#include "config/report.hpp"
#include "config/suggest.hpp"
#include "config/values.hpp"

namespace postern::config {
namespace {

// Of a number in a message.
constexpr std::size_t kLongestNumber = 40;

/// Words that a setting may have, apart from those of a choice.
std::vector<std::string_view> words_of(Type type) {
  switch (type) {
    case Type::boolean:
      return {"true", "false"};
    case Type::threads:
      return {"auto"};
    case Type::match:
      return {"any"};
    default:
      return {};
  }
}

bool has_leading_zero(std::string_view text) {
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

}  // namespace

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::nothing:
      return "nothing";
    case Node::Kind::list:
      return node.items.empty() ? "an empty list" : "a list";
    case Node::Kind::mapping:
      return "a mapping";
    case Node::Kind::scalar:
      break;
  }
  const bool is_plain_number = !node.quoted && is_number(node.text);
  return is_plain_number ? "the number " + node.text.substr(0, kLongestNumber) : in_quotes(node.text);
}

std::string hint_for(const Node& node, const Setting& setting) {
  if (node.kind != Node::Kind::scalar) return {};
  const bool is_counted = setting.type == Type::count || setting.type == Type::threads;
  const bool is_duration = setting.type == Type::duration || setting.type == Type::whole_seconds;
  if ((is_counted || is_duration || setting.type == Type::size) && has_leading_zero(node.text))
    return "; leave out the leading zeros";
  const bool is_quoted_number = node.quoted && is_counted && is_number(node.text);
  const bool is_quoted_boolean = node.quoted && setting.type == Type::boolean && is_boolean(node.text);
  if (is_quoted_number || is_quoted_boolean) return "; leave out the quotes";
  return did_you_mean(node.text, words_of(setting.type));
}

bool may_be_number(Type type) {
  return type != Type::addresses && type != Type::networks && type != Type::host;
}

}  // namespace postern::config
