#include "postern/config/loader.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kEverything = R"(version: 1
runtime: {user: postern, seccomp: false, landlock: false, core_dumps: true, threads: 8, drain_timeout: 2m, update_timeout: 1h}
log: {format: json, level: debug, target: stderr}
admin:
  bind: ["127.0.0.1:9110", "[::1]:9110"]
  allow_from: [10.0.0.0/8, "2001:db8::/32", 192.0.2.7]
tls:
  profiles:
    default:
      certificates:
        - {cert: cert.pem, key: key.pem}
        - {cert: ./cert.pem, key: "key.pem"}
      min_version: TLS1.1
      max_version: TLS1.2
      ciphers: "HIGH:!aNULL"
      ciphersuites: TLS_AES_128_GCM_SHA256
      curves: X25519:P-256
    other_1: {certificates: [{cert: cert.pem, key: key.pem}], min_version: TLS1.3}
listeners:
  - {name: pop3s, bind: ["[::]:995", "192.0.2.1:995"], tls: implicit, profile: default}
  - {name: pop3, bind: "[::]:110", tls: starttls, profile: other_1, require_tls_for_auth: false}
  - {name: plain, bind: 127.0.0.1:1110, tls: none, require_tls_for_auth: false}
backends:
  - name: legacy
    protocol: pop3
    servers: [{host: pop.example.net, port: 1995}, {host: "2001:db8::1"}]
    tls:
      mode: starttls
      verify: none
      ca_file: ca.pem
      server_name: store.example.net
      pins_sha256: [AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBccccccccccccccccdddddddddddddddd]
      min_version: TLS1.0
    eol: exact
    connect_timeout: 500ms
    greeting_timeout: 5m
    login_timeout: 90s
    command_timeout: 10m
  - {name: modern, servers: [{host: pop.example.org}]}
routes:
  - {match: {user: Someone@Example.NET}, backend: modern}
  - {match: {domain: Example.NET}, backend: legacy}
  - {match: any, backend: modern}
limits:
  max_sessions: 1000000
  login_timeout: 1h
  idle_timeout: 10s
  write_timeout: 30s
  auth_failure_delay: 0s
  max_auth_failures: 1
  max_bad_commands: 1000
)";

class Everything : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(workspace_.problems(kEverything), "");
    config_ = workspace_.load(kEverything).value();
  }
  Workspace workspace_;
  Config config_;
};

TEST_F(Everything, OfTheProcessIsRead) {
  EXPECT_EQ(config_.file, "postern.yaml");
  EXPECT_EQ(config_.runtime.user, "postern");
  EXPECT_EQ(config_.runtime.user_mark.line, 2U);
  EXPECT_FALSE(config_.runtime.seccomp);
  EXPECT_FALSE(config_.runtime.landlock);
  EXPECT_TRUE(config_.runtime.core_dumps);
  EXPECT_EQ(config_.runtime.threads, 8U);
  EXPECT_EQ(config_.runtime.drain_timeout, seconds(120));
  EXPECT_EQ(config_.runtime.update_timeout, seconds(3600));
  EXPECT_EQ(config_.log.format, LogFormat::json);
  EXPECT_EQ(config_.log.level, LogLevel::debug);
  EXPECT_EQ(config_.log.target, LogTarget::err);
  ASSERT_EQ(config_.admin.bind.size(), 2U);
  EXPECT_EQ(config_.admin.bind[1].to_string(), "[::1]:9110");
  ASSERT_EQ(config_.admin.allow_from.size(), 3U);
  EXPECT_TRUE(config_.admin.allow_from[1].contains(*SocketAddress::parse("2001:db8::5", 1)));
  EXPECT_EQ(config_.admin.mark.line, 5U);
}

TEST_F(Everything, OfTlsIsRead) {
  ASSERT_EQ(config_.tls_profiles.size(), 2U);
  const TlsProfile& profile = config_.tls_profiles.at("default");
  EXPECT_EQ(profile.name, "default");
  ASSERT_EQ(profile.certificates.size(), 2U);
  EXPECT_EQ(profile.certificates[0].cert_file, workspace_.path("cert.pem"));
  EXPECT_EQ(profile.certificates[1].key_file, workspace_.path("key.pem"));
  EXPECT_EQ(profile.certificates[1].mark.line, 12U);
  EXPECT_EQ(profile.certificates[1].mark.column, 11U);
  EXPECT_EQ(profile.min_version, TlsVersion::tls1_1);
  EXPECT_EQ(profile.max_version, TlsVersion::tls1_2);
  EXPECT_EQ(profile.ciphers, "HIGH:!aNULL");
  EXPECT_EQ(profile.ciphersuites, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(profile.curves, "X25519:P-256");
  EXPECT_EQ(config_.tls_profiles.at("other_1").min_version, TlsVersion::tls1_3);
}

TEST_F(Everything, OfListenersIsRead) {
  ASSERT_EQ(config_.listeners.size(), 3U);
  const Listener& first = config_.listeners[0];
  EXPECT_EQ(first.name, "pop3s");
  ASSERT_EQ(first.bind.size(), 2U);
  EXPECT_EQ(first.bind[1].to_string(), "192.0.2.1:995");
  EXPECT_EQ(first.tls, ListenerTls::implicit);
  EXPECT_EQ(first.profile, "default");
  EXPECT_TRUE(first.require_tls_for_auth);
  EXPECT_EQ(config_.listeners[1].tls, ListenerTls::starttls);
  EXPECT_FALSE(config_.listeners[1].require_tls_for_auth);
  EXPECT_EQ(config_.listeners[2].tls, ListenerTls::none);
  EXPECT_EQ(config_.listeners[2].profile, "");
  EXPECT_EQ(config_.listeners[2].mark.file, "postern.yaml");
}

TEST_F(Everything, OfBackendsIsRead) {
  ASSERT_EQ(config_.backends.size(), 2U);
  const Backend& backend = config_.backends[0];
  EXPECT_EQ(backend.name, "legacy");
  ASSERT_EQ(backend.servers.size(), 2U);
  EXPECT_EQ(backend.servers[0].host, "pop.example.net");
  EXPECT_EQ(backend.servers[0].port, 1995);
  EXPECT_EQ(backend.servers[1].port, 110);
  EXPECT_EQ(backend.eol, Eol::exact);
  EXPECT_EQ(backend.connect_timeout, milliseconds(500));
  EXPECT_EQ(backend.greeting_timeout, seconds(300));
  EXPECT_EQ(backend.login_timeout, seconds(90));
  EXPECT_EQ(backend.command_timeout, seconds(600));
}

TEST_F(Everything, OfTlsTowardsBackendsIsRead) {
  const BackendTls& tls = config_.backends.at(0).tls;
  EXPECT_EQ(tls.mode, BackendTlsMode::starttls);
  EXPECT_EQ(tls.verify, Verify::none);
  EXPECT_EQ(tls.ca_file, workspace_.path("ca.pem"));
  EXPECT_EQ(tls.server_name, "store.example.net");
  EXPECT_EQ(tls.min_version, TlsVersion::tls1_0);
  ASSERT_EQ(tls.pins_sha256.size(), 1U);
  EXPECT_EQ(tls.pins_sha256[0], "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd");
}

TEST_F(Everything, OfRoutesAndLimitsIsRead) {
  ASSERT_EQ(config_.routes.size(), 3U);
  EXPECT_EQ(config_.routes[0].match, Route::Match::user);
  EXPECT_EQ(config_.routes[0].value, "someone@example.net");
  EXPECT_EQ(config_.routes[1].match, Route::Match::domain);
  EXPECT_EQ(config_.routes[1].value, "example.net");
  EXPECT_EQ(config_.routes[2].match, Route::Match::any);
  EXPECT_EQ(config_.routes[2].backend, "modern");
  EXPECT_EQ(config_.limits.max_sessions, 1'000'000U);
  EXPECT_EQ(config_.limits.login_timeout, seconds(3600));
  EXPECT_EQ(config_.limits.idle_timeout, seconds(10));
  EXPECT_EQ(config_.limits.write_timeout, seconds(30));
  EXPECT_EQ(config_.limits.auth_failure_delay, seconds(0));
  EXPECT_EQ(config_.limits.max_auth_failures, 1U);
  EXPECT_EQ(config_.limits.max_bad_commands, 1000U);
}

TEST(Loader, ReadsEachWordOfEachChoice) {
  const Workspace workspace;
  const char* levels[] = {"debug", "info", "warn", "error"};
  for (std::size_t i = 0; i < std::size(levels); ++i) {
    const auto config = workspace.load(std::string(kMinimal) + "log: {level: " + levels[i] + "}\n");
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(config->log.level, static_cast<LogLevel>(i));
  }
  const char* versions[] = {"TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3"};
  for (std::size_t i = 0; i < std::size(versions); ++i) {
    const std::string text = replaced(
        kMinimal, "    servers:", std::string("    tls: {min_version: ") + versions[i] + "}\n    servers:");
    const auto config = workspace.load(text);
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(config->backends[0].tls.min_version, static_cast<TlsVersion>(i));
  }
}

TEST(Loader, TakesTextFromEnvironment) {
  const Workspace workspace;
  ::setenv("POSTERN_TEST_FOLDER", workspace.folder().c_str(), 1);
  ::setenv("POSTERN_TEST_ADDRESS", "192.0.2.1", 1);
  std::string text = replaced(kMinimal, "cert: cert.pem", "cert: ${env:POSTERN_TEST_FOLDER}/cert.pem");
  text = replaced(text, "\"[::]:995\"", "${env:POSTERN_TEST_ADDRESS}:995");
  const auto config = load_text(text, "postern.yaml", "");
  ASSERT_FALSE(config.has_value());  // the key is relative to no folder
  const auto absolute =
      load_text(replaced(text, "key: key.pem", "key: ${env:POSTERN_TEST_FOLDER}/key.pem"), "f", "");
  ASSERT_TRUE(absolute.has_value());
  EXPECT_EQ(absolute->tls_profiles.at("default").certificates[0].cert_file, workspace.path("cert.pem"));
  EXPECT_EQ(absolute->listeners[0].bind[0].to_string(), "192.0.2.1:995");
}

TEST(Loader, TakesPortThatTheSystemChoosesSeveralTimes) {
  const Workspace workspace;
  const auto config = workspace.load(replaced(kMinimal, "\"[::]:995\"", "[127.0.0.1:0, 127.0.0.1:0]"));
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->listeners[0].bind.size(), 2U);
}

TEST(Loader, TakesAliases) {
  const Workspace workspace;
  std::string text = replaced(kMinimal, "    default:\n", "    default: &profile\n");
  text = replaced(text, "listeners:\n", "    copy: *profile\nlisteners:\n");
  EXPECT_EQ(workspace.problems(text), "");
  EXPECT_EQ(workspace.load(text)->tls_profiles.at("copy").certificates.size(), 1U);
}

TEST(Loader, TellsMistakeBehindAnchorOnce) {
  const Workspace workspace;
  std::string text = replaced(kMinimal, "    default:\n", "    default: &profile\n");
  text = replaced(text, "listeners:\n", "    copy: *profile\nlisteners:\n");
  text = replaced(text, "key: key.pem", "kex: key.pem");
  EXPECT_EQ(
      workspace.problems(text),
      "postern.yaml:6:11: missing key 'key' in tls.profiles.*.certificates[], expected the path of a "
      "readable file\n"
      "postern.yaml:7:11: unknown key 'kex' in tls.profiles.*.certificates[], expected cert or key; did you "
      "mean "
      "'key'?\n");
}

constexpr std::string_view kAllMistakes = R"(postern.yaml:1:1: missing key 'version' in the file, expected 1
postern.yaml:1:24: limits.idle_timeout: found the number 600, expected a duration from 10s to 24h (units ms, s, m and h)
postern.yaml:3:27: routes[].backend: found 'stroe', expected store; did you mean 'store'?
postern.yaml:5:36: backends[].servers[].host: found 'pop example', expected a host name or an address without brackets
postern.yaml:5:58: backends[].eol: found 'save', expected safe or exact; did you mean 'safe'?
postern.yaml:7:12: listeners[].name: found 'Pop', expected a name of 1 to 32 of a-z, 0-9, '_' and '-'
postern.yaml:7:23: listeners[].bind: found '192.0.2.1', expected an address with a port such as 192.0.2.1:995 or "[::]:995", or a list of them
postern.yaml:7:54: listeners[].profile: found a TLS profile with 'tls: none', expected none
postern.yaml:8:1: unknown key 'verison' in the file, expected version, runtime, log, admin, tls, listeners, backends, views, routes, store or limits; did you mean 'version'?
)";

TEST(Loader, TellsAllMistakesInOrderOfFile) {
  const Workspace workspace;
  const std::string text = R"(limits: {idle_timeout: 600}
routes:
  - {match: any, backend: stroe}
backends:
  - {name: store, servers: [{host: "pop example"}], eol: save}
listeners:
  - {name: Pop, bind: 192.0.2.1, tls: none, profile: x, require_tls_for_auth: false}
verison: 1
)";
  EXPECT_EQ(workspace.problems(text), kAllMistakes);
}

TEST(Loader, ReadsFileWithPathsRelativeToIt) {
  const Workspace workspace;
  workspace.write("postern.yaml", kMinimal);
  const auto config = load_file(workspace.path("postern.yaml"));
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->file, workspace.path("postern.yaml"));
  EXPECT_EQ(config->tls_profiles.at("default").certificates[0].cert_file, workspace.path("cert.pem"));
}

TEST(Loader, TellsWhenFileCannotBeRead) {
  const Workspace workspace;
  const std::string missing = workspace.path("none.yaml");
  const auto result = load_file(missing);
  ASSERT_FALSE(result.has_value());
  ASSERT_EQ(result.error().size(), 1U);
  EXPECT_EQ(result.error()[0].mark.line, 0U);
  EXPECT_EQ(result.error()[0].to_string(), missing + ": cannot read the file: No such file or directory");
  EXPECT_EQ(load_file(workspace.folder()).error().at(0).to_string(),
            workspace.folder() + ": cannot read the file: Is a directory");
}

TEST(Loader, RefusesHugeInput) {
  const Workspace workspace;
  const std::string huge(16 * 1024 * 1024 + 1, '#');
  EXPECT_EQ(workspace.problems(huge),
            "postern.yaml:1:1: found more than 16 MiB, expected a configuration file\n");
  workspace.write("huge.yaml", huge);
  EXPECT_EQ(load_file(workspace.path("huge.yaml")).error().at(0).message,
            "cannot read the file: more than 16777216 octets");
  EXPECT_FALSE(load_file("/dev/zero").has_value());
}

TEST(Loader, ReadsManyRoutes) {
  const Workspace workspace;
  std::string routes = "routes:\n";
  for (int i = 0; i < 20'000; ++i)
    routes += "  - {match: {user: u" + std::to_string(i) + "@example.net}, backend: store}\n";
  const auto config = workspace.load(replaced(kMinimal, "routes:\n", routes));
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->routes.size(), 20'001U);
}

}  // namespace
}  // namespace postern::config
