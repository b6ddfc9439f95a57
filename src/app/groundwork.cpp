#include "app/groundwork.hpp"

#include <openssl/crypto.h>
#include <sys/resource.h>

#include <utility>

#include "app/cpus.hpp"
#include "app/exit_status.hpp"
#include "app/rights.hpp"
#include "app/version.hpp"
#include "postern/loop/loop.hpp"

namespace postern::app {
namespace {

/// A session has two sockets; what else is open is little beside it.
constexpr rlim_t kDescriptorsPerSession = 2;
constexpr rlim_t kOtherDescriptors = 256;

/// Raises the limit of descriptors as far as it goes; false when that is not enough for the sessions that are
/// allowed.
bool raise_descriptor_limit(const config::Config& config) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur >= config.limits.max_sessions * kDescriptorsPerSession + kOtherDescriptors;
}

metrics::BuildInfo build_info() {
  metrics::BuildInfo info;
  info.version = kVersion;
  info.openssl = OpenSSL_version(OPENSSL_VERSION_STRING);
  info.libuv = loop::libuv_version();
  return info;
}

int cannot_start(Log& log, const std::string& why) {
  LogLine(log, LogLevel::error, "start_failed", "cannot listen").field("detail", why);
  return kExitUnavailable;
}

}  // namespace

Result<Groundwork, int> lay_groundwork(const std::shared_ptr<const config::Config>& config,
                                       Handover* handover, Log& log) {
  if (const config::Problems problems = check_user(*config); !problems.empty()) {
    report(log, problems);
    return kExitConfig;
  }
  Groundwork ground;
  ground.metrics = std::make_unique<metrics::Registry>(event_loops(*config), build_info());
  ground.ticket_keys = std::make_shared<tls::TicketKeys>(system_clock(), system_random());
  const std::string& control = config->runtime.control;
  if (handover != nullptr) {
    ground.ticket_keys->restore(handover->ticket_keys.view());
    ground.control = std::move(handover->control);
    ground.control_lock = std::move(handover->lock);
  } else if (!control.empty()) {
    auto lock = lock_control(control);
    if (!lock) return cannot_start(log, lock.error());
    ground.control_lock = std::move(*lock);
    auto opened = open_control(control);
    if (!opened) return cannot_start(log, opened.error());
    ground.control = std::move(*opened);
  }
  auto assembly = assemble(config, *ground.metrics, ground.ticket_keys);
  if (!assembly) {
    report(log, assembly.error());
    return kExitConfig;
  }
  ground.assembly = std::move(*assembly);
  if (!raise_descriptor_limit(*config)) {
    LogLine(log, LogLevel::warn, "limits", "the descriptor limit is too low for limits.max_sessions");
  }
  std::vector<ListeningSocket> given;
  if (handover != nullptr) given = std::move(handover->sockets);
  auto sockets = open_sockets(*config, ground.metrics->loops(), given, log);
  if (!sockets) return cannot_start(log, sockets.error());
  ground.sockets = std::move(*sockets);
  auto admin_sockets = open_admin_sockets(*config, given, log);
  if (!admin_sockets) return cannot_start(log, admin_sockets.error());
  ground.admin_sockets = std::move(*admin_sockets);
  return ground;
}

}  // namespace postern::app
