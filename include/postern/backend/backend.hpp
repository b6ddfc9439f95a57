#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postern/base/clock.hpp"
#include "postern/config/config.hpp"
#include "postern/metrics/metrics.hpp"
#include "postern/tls/tls.hpp"

namespace postern::backend {

/// A server of a backend, with what this loop remembers of it.
class Server {
 public:
  explicit Server(config::Server settings);

  const config::Server& settings() const noexcept { return settings_; }
  const std::string& name() const noexcept { return name_; }  ///< "host:port"

  /// A server that failed is tried last for a while.
  void failed(TimePoint now) noexcept;
  void worked() noexcept { avoid_until_ = TimePoint(); }
  bool is_avoided(TimePoint now) const noexcept { return now < avoid_until_; }

 private:
  config::Server settings_;
  std::string name_;
  TimePoint avoid_until_;
};

/// A backend as one loop sees it: the settings, its TLS context, its cells. Held by the sessions that use it,
/// so it outlives a reload that changes or removes it.
class Backend {
 public:
  /// `tls` is null for a plaintext backend.
  Backend(std::shared_ptr<const config::Config> config, const config::Backend& settings,
          std::unique_ptr<tls::ClientContext> tls, std::shared_ptr<metrics::BackendMetrics> metrics);

  const config::Backend& settings() const noexcept { return settings_; }
  const std::string& name() const noexcept { return settings_.name; }
  tls::ClientContext* tls() const noexcept { return tls_.get(); }
  const std::shared_ptr<metrics::BackendMetrics>& metrics() const noexcept { return metrics_; }

  /// The servers in the order to try them: each in its turn first, those that failed lately last.
  std::vector<Server*> order(TimePoint now);

 private:
  std::shared_ptr<const config::Config> config_;  // owns settings_
  const config::Backend& settings_;
  std::unique_ptr<tls::ClientContext> tls_;
  std::shared_ptr<metrics::BackendMetrics> metrics_;
  std::vector<Server> servers_;
  std::size_t next_ = 0;
};

}  // namespace postern::backend
