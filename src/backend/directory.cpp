#include "postern/backend/directory.hpp"

#include "postern/base/ascii.hpp"

namespace postern::backend {
namespace {

bool matches(const config::Route& route, std::string_view user, std::string_view domain) {
  switch (route.match) {
    case config::Route::Match::any:
      return true;
    case config::Route::Match::domain:
      return route.value == domain;
    case config::Route::Match::user:
      return route.value == user;
  }
  return false;
}

}  // namespace

Directory::Directory(std::shared_ptr<const config::Config> config,
                     std::vector<std::shared_ptr<Backend>> backends)
    : config_(std::move(config)), backends_(std::move(backends)) {
  for (const auto& backend : backends_) by_name_.emplace(backend->name(), backend);
}

Result<std::shared_ptr<Backend>> Directory::route(std::string_view user, const RouteHints& hints) const {
  if (hints.backend) {
    const auto found = by_name_.find(*hints.backend);
    if (found == by_name_.end()) return Error(FailureKind::route_failed, "unknown backend " + *hints.backend);
    return found->second;
  }
  const std::string name = ascii::to_lower(user);
  const std::size_t at = name.rfind('@');
  const std::string domain = at == std::string::npos ? std::string() : name.substr(at + 1);
  for (const config::Route& route : config_->routes) {
    if (matches(route, name, domain)) return by_name_.at(route.backend);  // the loader checked the reference
  }
  return Error(FailureKind::no_route, "no route matches the user");
}

}  // namespace postern::backend
