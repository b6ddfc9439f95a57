#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "config/settings_table.hpp"
#include "config/values.hpp"
#include "postern/config/uidl_template.hpp"
#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

constexpr std::array kTlsVersions{"TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3"};

template <class Enum>
std::string word(Enum value, std::initializer_list<const char*> words) {
  return std::data(words)[static_cast<std::size_t>(value)];
}

std::string tls_version(TlsVersion version) {
  return kTlsVersions.at(static_cast<std::size_t>(version));
}

void add_process(const Config& config, std::map<std::string, std::string>& out) {
  out["runtime.seccomp"] = config.runtime.seccomp ? "true" : "false";
  out["runtime.landlock"] = config.runtime.landlock ? "true" : "false";
  out["runtime.core_dumps"] = config.runtime.core_dumps ? "true" : "false";
  out["runtime.threads"] = config.runtime.threads == 0 ? "auto" : std::to_string(config.runtime.threads);
  out["runtime.drain_timeout"] = format_duration(config.runtime.drain_timeout);
  out["runtime.update_timeout"] = format_duration(config.runtime.update_timeout);
  out["log.format"] = word(config.log.format, {"logfmt", "json"});
  out["log.level"] = word(config.log.level, {"debug", "info", "warn", "error"});
  out["log.target"] = word(config.log.target, {"stdout", "stderr"});
}

void add_limits(const Limits& limits, std::map<std::string, std::string>& out) {
  out["limits.max_sessions"] = std::to_string(limits.max_sessions);
  out["limits.login_timeout"] = format_duration(limits.login_timeout);
  out["limits.idle_timeout"] = format_duration(limits.idle_timeout);
  out["limits.write_timeout"] = format_duration(limits.write_timeout);
  out["limits.auth_failure_delay"] = format_duration(limits.auth_failure_delay);
  out["limits.max_auth_failures"] = std::to_string(limits.max_auth_failures);
  out["limits.max_bad_commands"] = std::to_string(limits.max_bad_commands);
}

void add_ends(const Config& config, std::map<std::string, std::string>& out) {
  const TlsProfile& profile = config.tls_profiles.at("default");
  out["tls.profiles.*.min_version"] = tls_version(profile.min_version);
  out["tls.profiles.*.max_version"] = tls_version(profile.max_version);
  const Listener& listener = config.listeners.at(0);
  out["listeners[].tls"] = word(listener.tls, {"implicit", "starttls", "none"});
  out["listeners[].require_tls_for_auth"] = listener.require_tls_for_auth ? "true" : "false";
  const Backend& backend = config.backends.at(0);
  out["backends[].protocol"] = word(backend.protocol, {"pop3", "imap"});
  out["backends[].tls.mode"] = word(backend.tls.mode, {"none", "starttls", "implicit"});
  out["backends[].tls.verify"] = word(backend.tls.verify, {"full", "none"});
  out["backends[].tls.min_version"] = tls_version(backend.tls.min_version);
  out["backends[].eol"] = word(backend.eol, {"safe", "exact"});
  out["backends[].connect_timeout"] = format_duration(backend.connect_timeout);
  out["backends[].greeting_timeout"] = format_duration(backend.greeting_timeout);
  out["backends[].login_timeout"] = format_duration(backend.login_timeout);
  out["backends[].command_timeout"] = format_duration(backend.command_timeout);
}

void add_imap(const Config& config, std::map<std::string, std::string>& out) {
  const Imap& imap = config.backends.at(0).imap;
  out["backends[].imap.profile"] = imap.profile == ImapProfile::automatic ? "auto" : "another";
  out["backends[].imap.uidl"] = imap.uidl.text;
  out["backends[].imap.sizes"] = word(imap.sizes, {"trust", "learn", "exact"});
  out["backends[].imap.mark_seen"] = word(imap.mark_seen, {"never", "quit"});
  out["backends[].imap.missing_inbox"] = word(imap.missing_inbox, {"error", "empty"});
  out["backends[].imap.deleted_messages"] = word(imap.deleted_messages, {"show", "hide"});
  out["backends[].imap.nul"] = word(imap.nul, {"replace", "pass"});
  out["backends[].imap.prefetch"] = imap.prefetch ? "true" : "false";
  out["backends[].imap.announce_client"] = imap.announce_client ? "true" : "false";
  out["backends[].imap.max_messages"] = std::to_string(imap.max_messages);
  out["backends[].imap.max_message"] = format_size(imap.max_message);
  out["backends[].imap.snapshot_timeout"] = format_duration(imap.snapshot_timeout);
  const View& view = config.views.at(0);
  out["views[].folders"] = view.folders.size() == 1 ? view.folders[0] : "";
  out["views[].without_uidplus"] = word(view.without_uidplus, {"protect", "flag_only", "move", "refuse"});
  out["store.memory"] = format_size(config.store.memory);
}

/// A default as the file would spell it, in the unit that format_duration chooses.
std::string spelled(const Setting& setting) {
  const auto duration = parse_duration(setting.fallback);
  return duration ? format_duration(*duration) : std::string(setting.fallback);
}

TEST(Defaults, OfConfigAreThoseOfTheTable) {
  const Workspace workspace;
  const auto config = workspace.load(kMinimal);
  ASSERT_TRUE(config.has_value());
  std::map<std::string, std::string> actual;
  add_process(*config, actual);
  add_limits(config->limits, actual);
  add_ends(*config, actual);
  add_imap(*config, actual);

  std::map<std::string, std::string> wanted;
  for (const Setting& setting : settings()) {
    if (!setting.fallback.empty() && setting.type != Type::networks)
      wanted[std::string(setting.path)] = spelled(setting);
  }
  EXPECT_EQ(actual, wanted);
}

TEST(Defaults, AdminIsOffAndForLoopback) {
  const Workspace workspace;
  const auto config = workspace.load(kMinimal);
  ASSERT_TRUE(config.has_value());
  EXPECT_TRUE(config->admin.bind.empty());
  ASSERT_EQ(config->admin.allow_from.size(), 2U);
  EXPECT_TRUE(config->admin.allow_from[0].contains(*SocketAddress::parse("127.255.255.255", 1)));
  EXPECT_FALSE(config->admin.allow_from[0].contains(*SocketAddress::parse("128.0.0.1", 1)));
  EXPECT_TRUE(config->admin.allow_from[1].contains(*SocketAddress::parse("::1", 1)));
  EXPECT_FALSE(config->admin.allow_from[1].contains(*SocketAddress::parse("::2", 1)));
}

TEST(Defaults, AreNothingWhereTheTableHasNone) {
  const Workspace workspace;
  const auto config = workspace.load(kMinimal);
  ASSERT_TRUE(config.has_value());
  const TlsProfile& profile = config->tls_profiles.at("default");
  EXPECT_EQ(profile.ciphers + profile.ciphersuites + profile.curves, "");
  const BackendTls& tls = config->backends.at(0).tls;
  EXPECT_EQ(tls.ca_file + tls.server_name, "");
  EXPECT_TRUE(tls.pins_sha256.empty());
  const Imap& imap = config->backends.at(0).imap;
  EXPECT_EQ(imap.login_separator, "");
  EXPECT_TRUE(imap.not_credentials.empty());
  EXPECT_EQ(config->store.file + config->routes.at(0).view + config->listeners.at(0).view, "");
}

TEST(Defaults, OfUidlAreThePiecesOfItsText) {
  const auto uidl = parse_uidl_template(Imap().uidl.text, kUidlFolderPrefix);
  ASSERT_TRUE(uidl.has_value());
  EXPECT_EQ(uidl->pieces, Imap().uidl.pieces);
}

TEST(Defaults, HaveOneViewThatShowsTheWholeInbox) {
  const Workspace workspace;
  const auto config = workspace.load(kMinimal);
  ASSERT_TRUE(config.has_value());
  ASSERT_EQ(config->views.size(), 1U);
  const View& view = config->views[0];
  EXPECT_EQ(view.name, "default");
  EXPECT_EQ(view.folders, std::vector<std::string>{"INBOX"});
  EXPECT_EQ(view.newest + view.days + view.keep_days, 0U);
  EXPECT_EQ(view.remove, std::nullopt);
  EXPECT_EQ(view.move_to, "");
}

TEST(Defaults, PortFollowsProtocol) {
  const Workspace workspace;
  for (const auto& [mode, port] :
       std::map<std::string, int>{{"implicit", 993}, {"starttls", 143}, {"none", 143}}) {
    const auto config =
        workspace.load(replaced(kImapMinimal, "    servers:", "    tls: {mode: " + mode + "}\n    servers:"));
    ASSERT_TRUE(config.has_value()) << mode;
    EXPECT_EQ(config->backends.at(0).servers.at(0).port, port) << mode;
  }
}

TEST(Defaults, PortFollowsTlsMode) {
  const Workspace workspace;
  for (const auto& [mode, port] :
       std::map<std::string, int>{{"implicit", 995}, {"starttls", 110}, {"none", 110}}) {
    const auto config =
        workspace.load(replaced(kMinimal, "    servers:", "    tls: {mode: " + mode + "}\n    servers:"));
    ASSERT_TRUE(config.has_value()) << mode;
    EXPECT_EQ(config->backends.at(0).servers.at(0).port, port) << mode;
  }
}

}  // namespace
}  // namespace postern::config
