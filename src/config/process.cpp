#include "config/sections.hpp"
#include "postern/base/assert.hpp"

namespace postern::config {
namespace {

std::vector<Network> loopback() {
  std::vector<Network> networks;
  for (const std::string_view text : {"127.0.0.0/8", "::1"}) {
    const auto network = Network::parse(text);
    POSTERN_ASSERT(network.has_value());
    networks.push_back(*network);
  }
  return networks;
}

}  // namespace

void read_runtime(const MappingReader& file, Config& config) {
  const auto section = file.section("runtime");
  if (!section) return;
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
