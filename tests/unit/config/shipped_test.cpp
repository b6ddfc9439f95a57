#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

const std::filesystem::path kConf = std::filesystem::path(POSTERN_SOURCE_DIR) / "conf";
constexpr std::string_view kInstalled = "/etc/postern/tls/";

/// The shipped files name certificates where they are installed. The test has them in its own folder instead:
/// the paths become relative, and a file is made for each.
std::string with_own_files(std::string text, const Workspace& workspace) {
  for (std::size_t at = text.find(kInstalled); at != std::string::npos; at = text.find(kInstalled, at)) {
    text.erase(at, kInstalled.size());
    workspace.write(text.substr(at, text.find_first_of(",} \n", at) - at), "PEM\n");
  }
  return text;
}

std::vector<std::string> shipped_files() {
  std::vector<std::string> files;
  for (const auto& folder : {kConf, kConf / "examples"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
    }
  }
  return files;
}

Config load_shipped(const Workspace& workspace, const std::string& name) {
  const std::string text = with_own_files(read_whole_file((kConf / name).string()), workspace);
  EXPECT_EQ(workspace.problems(text), "") << name;
  auto config = workspace.load(text);
  return config ? *std::move(config) : Config();
}

TEST(Shipped, FilesHaveNoMistakes) {
  const auto files = shipped_files();
  EXPECT_GE(files.size(), 3U);
  for (const std::string& file : files) {
    const Workspace workspace;
    EXPECT_EQ(workspace.problems(with_own_files(read_whole_file(file), workspace)), "") << file;
  }
}

TEST(Shipped, DefaultListensForBothKindsOfTls) {
  const Workspace workspace;
  const Config config = load_shipped(workspace, "postern.yaml");
  ASSERT_EQ(config.listeners.size(), 2U);
  EXPECT_EQ(config.listeners[0].tls, ListenerTls::implicit);
  EXPECT_EQ(config.listeners[0].bind.at(0).port(), 995);
  EXPECT_EQ(config.listeners[1].tls, ListenerTls::starttls);
  EXPECT_EQ(config.listeners[1].bind.at(0).port(), 110);
  EXPECT_TRUE(config.listeners[1].require_tls_for_auth);
  ASSERT_EQ(config.admin.bind.size(), 1U);
  EXPECT_EQ(config.admin.bind[0].ip(), "127.0.0.1");
  EXPECT_EQ(config.backends.size(), 1U);
  EXPECT_EQ(config.routes.size(), 1U);
}

/// What is written out in the default file is the default, so that commenting it out changes nothing.
TEST(Shipped, DefaultWritesDefaults) {
  const Workspace workspace;
  const Config config = load_shipped(workspace, "postern.yaml");
  EXPECT_EQ(config.runtime.threads, Runtime().threads);
  EXPECT_EQ(config.runtime.drain_timeout, Runtime().drain_timeout);
  EXPECT_EQ(config.runtime.update_timeout, Runtime().update_timeout);
  EXPECT_EQ(config.limits.max_sessions, Limits().max_sessions);
  EXPECT_EQ(config.limits.login_timeout, Limits().login_timeout);
  EXPECT_EQ(config.limits.idle_timeout, Limits().idle_timeout);
  EXPECT_EQ(config.limits.write_timeout, Limits().write_timeout);
  EXPECT_EQ(config.limits.auth_failure_delay, Limits().auth_failure_delay);
  EXPECT_EQ(config.limits.max_auth_failures, Limits().max_auth_failures);
  EXPECT_EQ(config.limits.max_bad_commands, Limits().max_bad_commands);
}

TEST(Shipped, OnlyTheWarnedListenerTakesPlaintextPasswords) {
  const Workspace workspace;
  for (const Listener& listener : load_shipped(workspace, "examples/legacy-plaintext.yaml").listeners) {
    EXPECT_EQ(listener.require_tls_for_auth, listener.name != "devices") << listener.name;
    EXPECT_EQ(listener.tls == ListenerTls::none, listener.name == "devices") << listener.name;
  }
}

TEST(Shipped, TwoStoresRoutesSingleUserFirst) {
  const Workspace workspace;
  const Config config = load_shipped(workspace, "examples/two-stores.yaml");
  ASSERT_EQ(config.routes.size(), 3U);
  EXPECT_EQ(config.routes[0].match, Route::Match::user);
  EXPECT_EQ(config.routes[1].match, Route::Match::domain);
  EXPECT_EQ(config.routes[1].backend, "legacy");
}

/// The example in the documentation is one that works.
TEST(Shipped, ExampleInDocumentationIsRight) {
  const Workspace workspace;
  workspace.write("tls.crt", "PEM\n");
  workspace.write("tls.key", "PEM\n");
  const std::string page = read_whole_file(std::string(POSTERN_SOURCE_DIR) + "/docs/configuration.md");
  const std::size_t begin = page.find("```yaml\n") + 8;
  EXPECT_EQ(workspace.problems(page.substr(begin, page.find("```", begin) - begin)), "");
}

}  // namespace
}  // namespace postern::config
