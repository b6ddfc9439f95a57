#include "postern/backend/backend.hpp"

namespace postern::backend {
namespace {

/// How long a server that failed is tried last. Long enough that a rush of logins does not wait for it again
/// and again, short enough that one that is back is soon used.
constexpr std::chrono::seconds kAvoid{10};

std::string server_name(const config::Server& server) {
  const bool is_v6 = server.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

}  // namespace

Server::Server(config::Server settings) : settings_(std::move(settings)), name_(server_name(settings_)) {}

void Server::failed(TimePoint now) noexcept {
  avoid_until_ = now + kAvoid;
}

Backend::Backend(std::shared_ptr<const config::Config> config, const config::Backend& settings,
                 std::unique_ptr<tls::ClientContext> tls, std::shared_ptr<metrics::BackendMetrics> metrics)
    : config_(std::move(config)), settings_(settings), tls_(std::move(tls)), metrics_(std::move(metrics)) {
  servers_.reserve(settings.servers.size());
  for (const config::Server& server : settings.servers) servers_.emplace_back(server);
}

std::vector<Server*> Backend::order(TimePoint now) {
  std::vector<Server*> order;
  order.reserve(servers_.size());
  for (const bool avoided : {false, true}) {
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      Server& server = servers_[(next_ + i) % servers_.size()];
      if (server.is_avoided(now) == avoided) order.push_back(&server);
    }
  }
  next_ = (next_ + 1) % servers_.size();
  return order;
}

}  // namespace postern::backend
