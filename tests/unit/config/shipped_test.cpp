#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "postern/config/uidl_template.hpp"
#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

const std::filesystem::path kConf = std::filesystem::path(POSTERN_SOURCE_DIR) / "conf";
constexpr std::string_view kInstalled = "/etc/postern/tls/";
constexpr std::string_view kState = "/var/lib/postern/";
const std::string kPage = std::string(POSTERN_SOURCE_DIR) + "/docs/configuration.md";

/// The shipped files name certificates and databases where they are installed. The test has them in its own
/// folder instead: the paths become relative, and a file is made for each certificate.
std::string with_own_files(std::string text, const Workspace& workspace) {
  for (std::size_t at = text.find(kInstalled); at != std::string::npos; at = text.find(kInstalled, at)) {
    text.erase(at, kInstalled.size());
    workspace.write(text.substr(at, text.find_first_of(",} \n", at) - at), "PEM\n");
  }
  for (std::size_t at = 0; (at = text.find(kState, at)) != std::string::npos;) text.erase(at, kState.size());
  return text;
}

/// The lines from the one that begins with `first` on, as long as they are comments, without the marks.
std::string uncommented(std::string text, const std::string& first) {
  const std::string mark = first.substr(0, first.find('#') + 2);
  std::size_t at = text.find("\n" + first) + 1;
  EXPECT_NE(at, 0U) << first;
  while (text.compare(at, mark.size(), mark) == 0) {
    text.erase(at + mark.size() - 2, 2);
    at = text.find('\n', at) + 1;
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

TEST(Shipped, CommentedSectionsOfDefaultAreRight) {
  const Workspace workspace;
  std::string text = with_own_files(read_whole_file((kConf / "postern.yaml").string()), workspace);
  for (const char* first : {"  # - name: imapstore", "# views:", "# store:"}) text = uncommented(text, first);
  ASSERT_EQ(workspace.problems(text), "");
  const Config config = workspace.load(text).value();
  ASSERT_EQ(config.backends.size(), 2U);
  EXPECT_EQ(config.backends[1].protocol, Protocol::imap);
  EXPECT_EQ(config.backends[1].imap.uidl.pieces, Imap().uidl.pieces);
  EXPECT_EQ(config.backends[1].imap.max_message, Imap().max_message);
  EXPECT_EQ(config.backends[1].imap.snapshot_timeout, Imap().snapshot_timeout);
  ASSERT_EQ(config.views.size(), 1U);
  EXPECT_EQ(config.views[0].move_to, "Trash");
  EXPECT_EQ(config.store.memory, Store().memory);
  EXPECT_EQ(config.store.file, workspace.path("store.db"));
}

TEST(Shipped, ImapStoresGiveTelephonesTheirView) {
  const Workspace workspace;
  const Config config = load_shipped(workspace, "examples/imap-stores.yaml");
  ASSERT_EQ(config.listeners.size(), 2U);
  EXPECT_EQ(config.listeners[1].view, "phone");
  for (const Backend& backend : config.backends) EXPECT_EQ(backend.protocol, Protocol::imap) << backend.name;
}

TEST(Shipped, TemplatesInDocumentationAreRight) {
  std::istringstream page(read_whole_file(kPage));
  std::string line;
  while (std::getline(page, line) && !line.starts_with("| POP3 server before")) continue;
  int templates = 0;
  for (std::getline(page, line); std::getline(page, line) && line.starts_with("|");) {
    const std::size_t end = line.rfind('`');
    const std::size_t begin = line.rfind('`', end - 1) + 1;
    const std::string text = line.substr(begin, end - begin);
    if (end == std::string::npos || text.find("%{") == std::string::npos) continue;
    ++templates;
    EXPECT_TRUE(parse_uidl_template(text, kUidlFolderPrefix).has_value()) << text;
  }
  EXPECT_EQ(templates, 10);
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
  const std::string page = read_whole_file(kPage);
  const std::size_t begin = page.find("```yaml\n") + 8;
  EXPECT_EQ(workspace.problems(page.substr(begin, page.find("```", begin) - begin)), "");
}

}  // namespace
}  // namespace postern::config
