#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "postern/backend/backend.hpp"
#include "postern/backend/credentials.hpp"
#include "postern/base/result.hpp"

namespace postern::backend {

/// Where a user's mail is: the routes of one configuration, for one loop.
class Directory {
 public:
  Directory(std::shared_ptr<const config::Config> config, std::vector<std::shared_ptr<Backend>> backends);

  /// The backend that the hints name, else that of the first route that matches the user; users and domains
  /// without regard to case. `no_route` if there is none, `route_failed` if the hints name one that does not
  /// exist: it fails closed.
  Result<std::shared_ptr<Backend>> route(std::string_view user, const RouteHints& hints) const;

  const std::vector<std::shared_ptr<Backend>>& backends() const noexcept { return backends_; }

 private:
  std::shared_ptr<const config::Config> config_;
  std::vector<std::shared_ptr<Backend>> backends_;
  std::unordered_map<std::string, std::shared_ptr<Backend>> by_name_;
};

}  // namespace postern::backend
