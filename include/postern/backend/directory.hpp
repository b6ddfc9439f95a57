#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "postern/backend/backend.hpp"
#include "postern/backend/credentials.hpp"
#include "postern/base/result.hpp"

namespace postern::backend {

/// A login's name, taken apart: "user+Folder#view" of a backend that takes such logins, or the user alone.
class LoginName {
 public:
  LoginName() = default;
  std::string user;
  std::optional<std::string> folder;
  std::optional<std::string> view;
};

/// Where a user's mail is, and how it is to be seen.
class Routed {
 public:
  Routed(std::shared_ptr<Backend> b, std::string v) : backend(std::move(b)), view(std::move(v)) {}
  std::shared_ptr<Backend> backend;
  std::string view;  ///< of the route; empty if it names none
};

/// Where a user's mail is: the routes of one configuration, for one loop.
class Directory {
 public:
  Directory(std::shared_ptr<const config::Config> config, std::vector<std::shared_ptr<Backend>> backends);

  /// The backend that the hints name, else that of the first route that matches the user; users and domains
  /// without regard to case. `no_route` if there is none, `route_failed` if the hints name one that does not
  /// exist: it fails closed.
  Result<Routed> route(std::string_view user, const RouteHints& hints) const;

  /// Takes a name apart, if the backend that it leads to has a separator for it. The user keeps his domain:
  /// "user+Junk@example.net" is user@example.net's Junk.
  LoginName take_apart(std::string_view name) const;
  /// A view of the configuration; null if there is none of that name.
  const config::View* find_view(std::string_view name) const noexcept;

  const std::vector<std::shared_ptr<Backend>>& backends() const noexcept { return backends_; }

 private:
  const config::Route* find_route(std::string_view user) const;

  std::shared_ptr<const config::Config> config_;
  std::vector<std::shared_ptr<Backend>> backends_;
  std::unordered_map<std::string, std::shared_ptr<Backend>> by_name_;
};

}  // namespace postern::backend
