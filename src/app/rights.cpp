#include "app/rights.hpp"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>

#include "app/exit_status.hpp"
#include "app/identity.hpp"
#include "app/sandbox.hpp"

namespace postern::app {
namespace {

constexpr const char* kPath = "runtime.user: ";

bool is_root() {
  return geteuid() == 0;
}

/// Loads the file once more, as a reload would. A pipe can be read only once, and no reload reads it.
config::Problems load_again(const config::Config& config) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(config.file, error)) return {};
  auto loaded = config::load_file(config.file);
  return loaded ? config::Problems() : loaded.error();
}

int failed(Log& log, const char* what) {
  LogLine(log, LogLevel::error, "start_failed", what).field("detail", std::generic_category().message(errno));
  return kExitUnavailable;
}

}  // namespace

config::Problems check_user(const config::Config& config) {
  const config::Runtime& runtime = config.runtime;
  if (runtime.user.empty()) {
    if (!is_root()) return {};
    return {{runtime.user_mark, std::string(kPath) +
                                    "found none, expected the user that postern becomes when it is "
                                    "started as root, or root where it has to stay that"}};
  }
  const auto identity = Identity::find(runtime.user);
  if (identity) return {};
  return {{runtime.user_mark, kPath + identity.error()}};
}

config::Problems check_access(const config::Config& config) {
  const auto identity = Identity::find(config.runtime.user);
  if (!is_root() || !identity || identity->user == 0) return {};
  const BorrowedIdentity borrowed(*identity);
  return borrowed.held() ? load_again(config) : config::Problems();
}

Result<void, int> give_up_rights(const config::Config& config, Log& log) {
  const config::Runtime& runtime = config.runtime;
  const Folders folders = folders_for(config);
  if (!runtime.user.empty()) {
    const auto identity = Identity::find(runtime.user);
    if (!identity || !identity->assume()) return failed(log, "the rights of the start could not be given up");
  }
  set_core_dumps(runtime.core_dumps);
  const Confinement confinement = confine(runtime, folders);
  if (confinement.failed) return failed(log, "no_new_privs could not be set");
  LogLine(log, LogLevel::info, "confined", "the rights of the start are given up")
      .field("uid", geteuid())
      .field("gid", getegid())
      .field("seccomp", confinement.seccomp)
      .field("landlock", confinement.landlock)
      .field("core_dumps", runtime.core_dumps ? "on" : "off");
  if (!is_root()) {
    for (const config::Problem& problem : load_again(config)) {
      LogLine(log, LogLevel::warn, "reload_will_fail", "a file cannot be read with the rights that are left")
          .field("detail", problem.to_string());
    }
  }
  return {};
}

}  // namespace postern::app
