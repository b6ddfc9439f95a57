#include <unordered_map>
#include <utility>

#include "config/sections.hpp"

namespace postern::config {
namespace {

constexpr std::string_view kAny = "any";

/// Reads `match`; answers whether it was read.
bool read_match(const MappingReader& reader, Route& route) {
  const Node* node = reader.find("match");
  if (node == nullptr) return false;
  if (node->kind == Node::Kind::scalar && node->text == kAny) {
    route.match = Route::Match::any;
    return true;
  }
  if (node->kind != Node::Kind::mapping) {
    reader.unexpected(*node, reader.setting("match"));
    return false;
  }
  const auto match = reader.section("match");
  const Node* domain = match->find("domain");
  const Node* user = match->find("user");
  if ((domain == nullptr) == (user == nullptr)) {
    const bool both = domain != nullptr;
    // Other keys have been reported, with what they should be.
    if (both || node->entries.empty())
      reader.problem(node->position, std::string("routes[].match: found ") +
                                         (both ? "'domain' and 'user'" : "neither 'domain' nor 'user'") +
                                         ", expected exactly one of them");
    return false;
  }
  route.match = domain != nullptr ? Route::Match::domain : Route::Match::user;
  return match->text(domain != nullptr ? "domain" : "user", route.value) != nullptr;
}

void read_backend_name(const MappingReader& reader, Route& route) {
  const Node* node = reader.text("backend", route.backend);
  const auto& backends = reader.context().backends;
  // Without any backend that is the mistake, and it has been told.
  if (node != nullptr && !backends.empty() && !backends.contains(route.backend))
    reader.unknown_word(*node, reader.setting("backend"), names_of(backends));
}

void read_view(const MappingReader& reader, Route& route) {
  const Node* node = reader.find("view");
  if (node != nullptr && reader.context().pop3_backends.contains(route.backend)) {
    reader.problem(node->position, "routes[].view: found a view with the backend " +
                                       in_quotes(route.backend) + ", which speaks POP3, expected none");
  } else {
    read_view_name(reader, route.view);
  }
}

/// Finds routes that a route before them leaves nothing to.
class Shadows {
 public:
  void check(const MappingReader& reader, const Route& route) {
    const Position position = reader.find("match")->position;
    if (const Seen* before = find(route); before != nullptr) {
      reader.problem(position, "routes[]: this route never matches, because " + before->text + " in line " +
                                   std::to_string(before->line) + " does, expected it before that one");
      return;
    }
    const std::string key = key_of_route(route);
    seen_.emplace(key,
                  Seen{route.match == Route::Match::any ? "'match: any'" : in_quotes(key), position.line});
  }

 private:
  struct Seen {
    std::string text;
    unsigned line;
  };

  static std::string key_of_route(const Route& route) {
    switch (route.match) {
      case Route::Match::any:
        return std::string(kAny);
      case Route::Match::domain:
        return "domain: " + route.value;
      case Route::Match::user:
        return "user: " + route.value;
    }
    return {};
  }

  const Seen* find(const std::string& key) const {
    const auto found = seen_.find(key);
    return found == seen_.end() ? nullptr : &found->second;
  }

  const Seen* find(const Route& route) const {
    if (const Seen* any = find(std::string(kAny)); any != nullptr) return any;
    if (const Seen* same = find(key_of_route(route)); same != nullptr) return same;
    const std::size_t at = route.value.rfind('@');
    if (route.match != Route::Match::user || at == std::string::npos) return nullptr;
    return find("domain: " + route.value.substr(at + 1));
  }

  std::unordered_map<std::string, Seen> seen_;
};

}  // namespace

void read_routes(const MappingReader& file, Config& config) {
  Shadows shadows;
  for (const MappingReader& item : file.sections("routes")) {
    Route route;
    route.mark = item.mark();
    if (read_match(item, route)) shadows.check(item, route);
    read_backend_name(item, route);
    read_view(item, route);
    config.routes.push_back(std::move(route));
  }
}

}  // namespace postern::config
