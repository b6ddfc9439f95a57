#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "postern/config/uidl_template.hpp"
#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

using std::chrono::seconds;

constexpr std::string_view kEverything = R"(version: 1
tls:
  profiles:
    default: {certificates: [{cert: cert.pem, key: key.pem}]}
listeners:
  - {name: pop3s, bind: "[::]:995", profile: default, view: phone}
views:
  - name: phone
    folders: [inbox, "Entwürfe", Lists/2024]
    newest: 500
    days: 30
    delete: keep
    keep_days: 14
  - {name: careful, delete: move, move_to: Trash, without_uidplus: refuse}
  - {name: old, without_uidplus: move, move_to: inbox, folders: [Junk]}
backends:
  - name: store
    protocol: imap
    servers: [{host: imap.example.net}, {host: imap.example.net, port: 1993}]
    imap:
      profile: old
      uidl: "%{uidvalidity}.%{uid}"
      sizes: exact
      mark_seen: never
      missing_inbox: empty
      deleted_messages: hide
      nul: pass
      prefetch: false
      announce_client: true
      not_credentials: [over quota, "try again: later"]
      login_separator: "+|"
      max_messages: 1000
      max_message: 25MiB
      snapshot_timeout: 30s
  - {name: pop, servers: [{host: pop.example.net}]}
routes:
  - {match: {domain: example.net}, backend: store, view: careful}
  - {match: {domain: example.org}, backend: store, view: default}
  - {match: any, backend: pop}
store:
  memory: 1GiB
  file: store.db
)";

class EverythingOfImap : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(workspace_.problems(kEverything), "");
    config_ = workspace_.load(kEverything).value();
  }
  Workspace workspace_;
  Config config_;
};

TEST_F(EverythingOfImap, InBackendsIsRead) {
  const Backend& backend = config_.backends.at(0);
  EXPECT_EQ(backend.protocol, Protocol::imap);
  EXPECT_EQ(backend.servers.at(0).port, 993);
  EXPECT_EQ(backend.servers.at(1).port, 1993);
  const Imap& imap = backend.imap;
  EXPECT_EQ(imap.profile, ImapProfile::old);
  EXPECT_EQ(imap.uidl.text, "%{uidvalidity}.%{uid}");
  EXPECT_EQ(imap.uidl.pieces.size(), 3U);
  EXPECT_EQ(imap.sizes, Sizes::exact);
  EXPECT_EQ(imap.mark_seen, MarkSeen::never);
  EXPECT_EQ(imap.missing_inbox, MissingInbox::empty);
  EXPECT_EQ(imap.deleted_messages, DeletedMessages::hide);
  EXPECT_EQ(imap.nul, Nul::pass);
  EXPECT_FALSE(imap.prefetch);
  EXPECT_TRUE(imap.announce_client);
  EXPECT_EQ(imap.not_credentials, (std::vector<std::string>{"over quota", "try again: later"}));
  EXPECT_EQ(imap.login_separator, "+|");
  EXPECT_EQ(imap.max_messages, 1000U);
  EXPECT_EQ(imap.max_message, Bytes{25} << 20);
  EXPECT_EQ(imap.snapshot_timeout, seconds(30));
  EXPECT_EQ(config_.backends.at(1).protocol, Protocol::pop3);
}

TEST_F(EverythingOfImap, InViewsIsRead) {
  ASSERT_EQ(config_.views.size(), 4U);
  const View& phone = config_.views[1];
  EXPECT_EQ(phone.name, "phone");
  EXPECT_EQ(phone.folders, (std::vector<std::string>{"INBOX", "Entw\xc3\xbcrfe", "Lists/2024"}));
  EXPECT_EQ(phone.newest, 500U);
  EXPECT_EQ(phone.days, 30U);
  EXPECT_EQ(phone.remove, DeletePolicy::keep);
  EXPECT_EQ(phone.keep_days, 14U);
  EXPECT_EQ(phone.mark.line, 8U);
  EXPECT_EQ(config_.views[2].remove, DeletePolicy::move);
  EXPECT_EQ(config_.views[2].move_to, "Trash");
  EXPECT_EQ(config_.views[2].without_uidplus, WithoutUidplus::refuse);
  EXPECT_EQ(config_.views[3].remove, std::nullopt);
  EXPECT_EQ(config_.views[3].without_uidplus, WithoutUidplus::move);
  EXPECT_EQ(config_.views[3].move_to, "INBOX");
}

TEST_F(EverythingOfImap, InRoutesListenersAndStoreIsRead) {
  EXPECT_EQ(config_.listeners.at(0).view, "phone");
  EXPECT_EQ(config_.routes.at(0).view, "careful");
  EXPECT_EQ(config_.routes.at(1).view, "default");
  EXPECT_EQ(config_.routes.at(2).view, "");
  EXPECT_EQ(config_.store.memory, Bytes{1} << 30);
  EXPECT_EQ(config_.store.file, workspace_.path("store.db"));
  EXPECT_EQ(config_.store.mark.line, 41U);
}

/// The default view that was not written stands before the others.
TEST_F(EverythingOfImap, HasADefaultViewAllTheSame) {
  EXPECT_EQ(config_.views.at(0).name, "default");
  EXPECT_EQ(config_.views.at(0).folders, std::vector<std::string>{"INBOX"});
  EXPECT_EQ(config_.views.at(0).mark.line, 0U);
}

TEST(Views, TakeAnotherDefault) {
  const Workspace workspace;
  const auto config = workspace.load(replaced(
      kImapMinimal, "version: 1\n", "version: 1\nviews: [{name: a}, {name: default, delete: flag}]\n"));
  ASSERT_TRUE(config.has_value());
  ASSERT_EQ(config->views.size(), 2U);
  EXPECT_EQ(config->views[1].name, "default");
  EXPECT_EQ(config->views[1].remove, DeletePolicy::flag);
}

template <class Enum, class Read>
void expect_words(const std::string& key, const std::vector<std::string>& words, Enum first, Read read) {
  const Workspace workspace;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto config = workspace.load(replaced(kImapMinimal, "protocol: imap",
                                                "protocol: imap\n    imap: {" + key + ": " + words[i] + "}"));
    ASSERT_TRUE(config.has_value()) << words[i];
    EXPECT_EQ(read(config->backends.at(0).imap), static_cast<Enum>(static_cast<std::size_t>(first) + i))
        << words[i];
  }
}

TEST(Imap, ReadsEachWordOfEachChoice) {
  expect_words("profile",
               {"auto", "standard", "dovecot", "cyrus", "courier", "exchange", "gmail", "zimbra",
                "hmailserver", "yandex", "old"},
               ImapProfile::automatic, [](const Imap& imap) { return imap.profile; });
  expect_words("sizes", {"trust", "learn", "exact"}, Sizes::trust,
               [](const Imap& imap) { return imap.sizes; });
  expect_words("mark_seen", {"never", "quit"}, MarkSeen::never,
               [](const Imap& imap) { return imap.mark_seen; });
  expect_words("missing_inbox", {"error", "empty"}, MissingInbox::error,
               [](const Imap& imap) { return imap.missing_inbox; });
  expect_words("deleted_messages", {"show", "hide"}, DeletedMessages::show,
               [](const Imap& imap) { return imap.deleted_messages; });
  expect_words("nul", {"replace", "pass"}, Nul::replace, [](const Imap& imap) { return imap.nul; });
}

TEST(Views, ReadEachWordOfEachChoice) {
  const Workspace workspace;
  const std::vector<std::string> policies = {"expunge", "move", "flag", "keep"};
  const std::vector<std::string> without = {"protect", "flag_only", "move", "refuse"};
  for (std::size_t i = 0; i < policies.size(); ++i) {
    const auto with = [&](const std::string& setting) {
      return workspace.load(
          replaced(kImapMinimal, "version: 1\n", "version: 1\nviews: [{name: default, " + setting + "}]\n"));
    };
    const auto policy = with("delete: " + policies[i]);
    ASSERT_TRUE(policy.has_value());
    EXPECT_EQ(policy->views.at(0).remove, static_cast<DeletePolicy>(i));
    const auto uidplus = with("without_uidplus: " + without[i]);
    ASSERT_TRUE(uidplus.has_value());
    EXPECT_EQ(uidplus->views.at(0).without_uidplus, static_cast<WithoutUidplus>(i));
  }
}

TEST(Imap, TakesTextsFromEnvironmentOnlyAsUtf8) {
  ::setenv("POSTERN_TEST_FOLDER_NAME", "a\xff", 1);
  const Workspace workspace;
  const std::string text =
      replaced(kImapMinimal, "version: 1\n",
               "version: 1\nviews: [{name: a, folders: [\"${env:POSTERN_TEST_FOLDER_NAME}\"]}]\n");
  EXPECT_EQ(
      workspace.told(text),
      "2:29: views[].folders: found '${env:POSTERN_TEST_FOLDER_NAME}', expected a list of folders of 1 to "
      "255 octets in UTF-8\n");
  ::setenv("POSTERN_TEST_FOLDER_NAME", "a\xc3\xbc", 1);
  EXPECT_EQ(workspace.told(text), "");
}

}  // namespace
}  // namespace postern::config
