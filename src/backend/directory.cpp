#include "postern/backend/directory.hpp"

#include <algorithm>

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

const config::Route* Directory::find_route(std::string_view user) const {
  const std::string name = ascii::to_lower(user);
  const std::size_t at = name.rfind('@');
  const std::string domain = at == std::string::npos ? std::string() : name.substr(at + 1);
  const auto found = std::find_if(config_->routes.begin(), config_->routes.end(),
                                  [&](const auto& route) { return matches(route, name, domain); });
  return found == config_->routes.end() ? nullptr : &*found;
}

Result<Routed> Directory::route(std::string_view user, const RouteHints& hints) const {
  if (hints.backend) {
    const auto found = by_name_.find(*hints.backend);
    if (found == by_name_.end()) return Error(FailureKind::route_failed, "unknown backend " + *hints.backend);
    return Routed(found->second, std::string());
  }
  const config::Route* route = find_route(user);
  if (route == nullptr) return Error(FailureKind::no_route, "no route matches the user");
  return Routed(by_name_.at(route->backend), route->view);  // the loader checked the reference
}

LoginName Directory::take_apart(std::string_view name) const {
  LoginName whole;
  whole.user = std::string(name);
  const config::Route* route = find_route(name);
  if (route == nullptr) return whole;
  const std::string& separator = by_name_.at(route->backend)->settings().imap.login_separator;
  const std::string_view local = name.substr(0, name.rfind('@'));
  const std::size_t at = separator.empty() ? std::string_view::npos : local.find(separator);
  if (at == std::string_view::npos || at == 0) return whole;
  std::string_view suffix = local.substr(at + separator.size());
  LoginName parts;
  parts.user = std::string(local.substr(0, at)) + std::string(name.substr(local.size()));
  if (const std::size_t hash = suffix.rfind('#'); hash != std::string_view::npos) {
    parts.view = std::string(suffix.substr(hash + 1));
    suffix = suffix.substr(0, hash);
  }
  if (!suffix.empty()) parts.folder = std::string(suffix);
  return parts;
}

const config::View* Directory::find_view(std::string_view name) const noexcept {
  const auto found = std::find_if(config_->views.begin(), config_->views.end(),
                                  [name](const config::View& view) { return view.name == name; });
  return found == config_->views.end() ? nullptr : &*found;
}

}  // namespace postern::backend
