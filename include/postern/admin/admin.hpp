#pragma once

#include <functional>
#include <string>
#include <vector>

#include "postern/base/address.hpp"
#include "postern/http/server.hpp"
#include "postern/metrics/metrics.hpp"

namespace postern::admin {

/// What the admin listener answers: /metrics (Prometheus text format), /healthz (the loops tick), /readyz
/// (listening and not draining), and a short list of these at /. Peers outside `allow_from` get 403 and learn
/// nothing.
class Sources {
 public:
  std::vector<Network> allow_from;
  const metrics::Registry* metrics = nullptr;
  /// An empty text is well; otherwise the reason, which goes into a 503.
  std::function<std::string()> unhealthy;
  std::function<std::string()> unready;
};

/// All sources are set, and outlive the handler.
http::Handler make_handler(const Sources& sources);

}  // namespace postern::admin
