#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings_table.hpp"
#include "postern/config/settings.hpp"

namespace postern::config {
namespace {

constexpr std::string_view kDialect = "https://json-schema.org/draft/2020-12/schema";

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// A JSON value under construction: indented, members in the order of the calls.
class JsonObject {
 public:
  explicit JsonObject(std::size_t depth) : depth_(depth) {}

  /// `json` is a finished value.
  JsonObject& member(std::string_view key, const std::string& json) {
    text_ +=
        (text_.empty() ? "\n" : ",\n") + std::string(2 * (depth_ + 1), ' ') + json_text(key) + ": " + json;
    return *this;
  }
  JsonObject& text(std::string_view key, std::string_view value) { return member(key, json_text(value)); }
  std::size_t depth() const { return depth_; }
  std::string finish() const {
    return text_.empty() ? "{}" : "{" + text_ + "\n" + std::string(2 * depth_, ' ') + "}";
  }

 private:
  std::size_t depth_;
  std::string text_;
};

std::string json_list(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& value : values) out += (out.size() > 1 ? ", " : "") + value;
  return out + "]";
}

// Any text may come from the environment instead.
std::string pattern(const std::string& literal) {
  return "^" + literal + "$|[$][{]env:";
}

std::string pattern_of(Type type) {
  switch (type) {
    case Type::name:
    case Type::profile:
    case Type::backend:
    case Type::view:
      return pattern("[a-z0-9_-]{1,32}");
    case Type::uidl:
      return pattern("[!-~]+");
    case Type::separator:
      return pattern("[!$%&*+,/:;=?^|~]{1,4}");
    case Type::host:
      return pattern("[A-Za-z0-9._:-]{1,253}");
    case Type::domain:
      return pattern("[A-Za-z0-9._-]{1,253}");
    case Type::user:
      return pattern("[^\\s]{1,320}");
    case Type::pins:
      return pattern("[0-9A-Fa-f]{64}");
    case Type::addresses:
      return pattern("([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):(0|[1-9][0-9]{0,4})");
    case Type::networks:
      return pattern("[0-9A-Fa-f:.]+(/[0-9]{1,3})?");
    case Type::size:
      return "^(0|[1-9][0-9]*)(B|KiB|MiB|GiB)$";
    case Type::duration:
      return "^(0|[1-9][0-9]*)(ms|s|m|h)$";
    case Type::whole_seconds:
      return "^((0|[1-9][0-9]*)(s|m|h)|(0|[1-9][0-9]*000)ms)$";
    default:
      return "";
  }
}

void add_string(JsonObject& out, Type type) {
  out.text("type", "string");
  const std::string rule = pattern_of(type);
  if (rule.empty()) {
    out.member("minLength", "1");
  } else {
    out.text("pattern", rule);
  }
}

std::string string_schema(Type type, std::size_t depth) {
  JsonObject out(depth);
  add_string(out, type);
  return out.finish();
}

std::string list_of(const std::string& item, std::size_t depth) {
  return JsonObject(depth).text("type", "array").member("minItems", "1").member("items", item).finish();
}

void add_range(JsonObject& out, const Setting& setting) {
  out.member("minimum", std::to_string(setting.least)).member("maximum", std::to_string(setting.most));
}

std::string default_of(const Setting& setting) {
  std::string text(setting.fallback);
  if (setting.type == Type::count || setting.type == Type::boolean) return text;
  if (setting.type != Type::networks && setting.type != Type::folders) return json_text(text);
  std::vector<std::string> items;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(", ", begin), text.size());
    items.push_back(json_text(text.substr(begin, end - begin)));
    begin = end + 2;
  }
  return json_list(items);
}

void add_object(JsonObject& out, std::string_view path);

std::string object_schema(std::string_view path, std::size_t depth) {
  JsonObject out(depth);
  add_object(out, path);
  return out.finish();
}

/// The keywords that say what a value looks like.
void add_type(JsonObject& out, const Setting& setting) {
  const std::size_t inner = out.depth() + 1;
  switch (setting.type) {
    case Type::section:
    case Type::named:
      return add_object(out, setting.path);
    case Type::sections:
      out.text("type", "array").member("minItems", "1").member("items", object_schema(setting.path, inner));
      return;
    case Type::match: {
      JsonObject one(inner);
      add_object(one, setting.path);
      one.member("minProperties", "1").member("maxProperties", "1");
      out.member("oneOf",
                 json_list({JsonObject(inner).text("const", setting.choices).finish(), one.finish()}));
      return;
    }
    case Type::boolean:
      out.text("type", "boolean");
      return;
    case Type::count:
      out.text("type", "integer");
      return add_range(out, setting);
    case Type::threads: {
      JsonObject number(inner);
      number.text("type", "integer");
      add_range(number, setting);
      out.member("oneOf", json_list({JsonObject(inner).text("const", "auto").finish(), number.finish()}));
      return;
    }
    case Type::choice: {
      std::vector<std::string> words;
      for (const std::string_view word : choices_of(setting)) words.push_back(json_text(word));
      out.member("enum", json_list(words));
      return;
    }
    case Type::addresses: {
      const std::string one = string_schema(setting.type, inner);
      out.member("oneOf", json_list({one, list_of(string_schema(setting.type, inner + 1), inner)}));
      return;
    }
    case Type::networks:
    case Type::pins:
    case Type::folders:
    case Type::texts:
      out.text("type", "array").member("minItems", "1").member("items", string_schema(setting.type, inner));
      return;
    default:
      return add_string(out, setting.type);
  }
}

std::string setting_schema(const Setting& setting, std::size_t depth) {
  JsonObject out(depth);
  out.text("description", setting.description);
  add_type(out, setting);
  if (!setting.fallback.empty()) out.member("default", default_of(setting));
  return out.finish();
}

void add_object(JsonObject& out, std::string_view path) {
  out.text("type", "object");
  const auto settings = children(path);
  if (settings.size() == 1 && key_of(*settings.front()) == "*") {
    JsonObject names(out.depth() + 1);
    names.text("pattern", "^[a-z0-9_-]{1,32}$");
    out.member("propertyNames", names.finish());
    out.member("additionalProperties", setting_schema(*settings.front(), out.depth() + 1));
    return;
  }
  JsonObject properties(out.depth() + 1);
  std::vector<std::string> required;
  for (const Setting* setting : settings) {
    properties.member(key_of(*setting), setting_schema(*setting, out.depth() + 2));
    if (setting->required) required.push_back(json_text(key_of(*setting)));
  }
  out.member("properties", properties.finish());
  if (!required.empty()) out.member("required", json_list(required));
  out.member("additionalProperties", "false");
}

}  // namespace

std::string json_schema() {
  JsonObject out(0);
  out.text("$schema", kDialect).text("title", "postern configuration");
  out.text("description",
           "Generated from the table of settings. Editors and other tools find most mistakes with it; "
           "`postern check` finds them all.");
  add_object(out, "");
  return out.finish() + "\n";
}

}  // namespace postern::config
