#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "postern/base/result.hpp"
#include "postern/config/loader.hpp"
#include "postern/config/served_uidls.hpp"
#include "postern/metrics/metrics.hpp"
#include "postern/session/session.hpp"
#include "postern/tls/tls.hpp"

namespace postern::app {

/// What one loop serves by one configuration: a service for each listener, by its name.
using Services = std::map<std::string, std::shared_ptr<const session::Service>>;

/// A configuration made ready for all loops: certificates are read, TLS contexts and cells exist.
class Assembly {
 public:
  std::shared_ptr<const config::Config> config;
  std::vector<Services> services;  ///< one for each loop
  std::vector<metrics::CertificateExpiry> certificates;
};

/// Reads what the configuration names and checks that it fits together. Blocks on the file system. The
/// mistakes that only show here (a key that does not fit its certificate, an unknown cipher) are problems
/// with their place in the file.
Result<Assembly, config::Problems> assemble(const std::shared_ptr<const config::Config>& config,
                                            metrics::Registry& registry,
                                            const std::shared_ptr<tls::TicketKeys>& ticket_keys);

/// The backends that would show other unique-ids than those `served` before, as problems.
config::Problems changed_uidls(const config::Config& config, const config::ServedUidls& served);

/// Tells the log of each.
void report(Log& log, const config::Problems& problems);

}  // namespace postern::app
