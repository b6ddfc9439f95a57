#include "config/report.hpp"
#include "config/sections.hpp"
#include "postern/base/assert.hpp"

namespace postern::config {
namespace {

constexpr std::size_t kLongestSocketPath = 100;  // 107, and room for ".lock"

std::vector<Network> loopback() {
  std::vector<Network> networks;
  for (const std::string_view text : {"127.0.0.0/8", "::1"}) {
    const auto network = Network::parse(text);
    POSTERN_ASSERT(network.has_value());
    networks.push_back(*network);
  }
  return networks;
}

/// A path that the system takes for a socket (unix(7)), and that is the same one for whoever asks.
void read_control(const MappingReader& section, std::string& control) {
  const Node* node = section.text("control", control);
  if (node == nullptr) return;
  if (control.front() != '/' || control.size() > kLongestSocketPath) {
    section.problem(node->position, "runtime.control: found " + in_quotes(control) +
                                        ", expected an absolute path of " +
                                        std::to_string(kLongestSocketPath) + " octets at most");
  }
}

}  // namespace

void read_runtime(const MappingReader& file, Config& config) {
  config.runtime.user_mark = file.mark();
  const auto section = file.section("runtime");
  if (!section) return;
  const Node* user = section->text("user", config.runtime.user);
  config.runtime.user_mark =
      user != nullptr ? section->context().report.mark(user->position) : section->mark();
  read_control(*section, config.runtime.control);
  section->boolean("seccomp", config.runtime.seccomp);
  section->boolean("landlock", config.runtime.landlock);
  section->boolean("core_dumps", config.runtime.core_dumps);
  section->threads("threads", config.runtime.threads);
  section->duration("drain_timeout", config.runtime.drain_timeout);
  section->duration("update_timeout", config.runtime.update_timeout);
}

void read_log(const MappingReader& file, Config& config) {
  const auto section = file.section("log");
  if (!section) return;
  section->choice("format", config.log.format);
  section->choice("level", config.log.level);
  section->choice("target", config.log.target);
}

void read_admin(const MappingReader& file, Config& config) {
  config.admin.allow_from = loopback();
  const auto section = file.section("admin");
  if (!section) return;
  config.admin.mark = section->mark();
  section->addresses("bind", config.admin.bind);
  section->networks("allow_from", config.admin.allow_from);
}

void read_limits(const MappingReader& file, Config& config) {
  const auto section = file.section("limits");
  if (!section) return;
  Limits& limits = config.limits;
  section->count("max_sessions", limits.max_sessions);
  section->duration("login_timeout", limits.login_timeout);
  section->duration("idle_timeout", limits.idle_timeout);
  section->duration("write_timeout", limits.write_timeout);
  section->duration("auth_failure_delay", limits.auth_failure_delay);
  section->count("max_auth_failures", limits.max_auth_failures);
  section->count("max_bad_commands", limits.max_bad_commands);
}

}  // namespace postern::config
