// Whole sessions before an IMAP server: a client must not be able to tell.
#include <optional>

#include "unit/session/world_test.hpp"

namespace postern::session {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const char kFirst[] = "Subject: first\r\n\r\nhello\r\n.dot\r\n";
const char kSecond[] = "Subject: second\r\n\r\nbody\r\n";

class TranslationSession : public WorldTest {
 protected:
  TranslationSession() {
    world.use_imap();
    world.imap.deliver(kFirst);
    world.imap.deliver(kSecond);
  }
  /// The answer to PASS.
  std::string log_in_as(const std::string& user, const std::string& listener = World::kPlain) {
    client = world.connect(listener);
    return brief(client->log_in(user));
  }

  std::optional<Client> client;
};

TEST_F(TranslationSession, ConversationIsThatOfAnyMaildrop) {
  ASSERT_EQ(log_in_as("alice"), "+OK");
  EXPECT_EQ(client->say("STAT\r\n"), "+OK 2 56\r\n");
  EXPECT_EQ(client->say("LIST\r\n"), "+OK\r\n1 31\r\n2 25\r\n.\r\n");
  EXPECT_EQ(client->say("LIST 2\r\n"), "+OK 2 25\r\n");
  EXPECT_EQ(client->say("UIDL\r\n"), "+OK\r\n1 0000000100000001\r\n2 0000000200000001\r\n.\r\n");
  EXPECT_EQ(client->say("RETR 1\r\n"), "+OK 31 octets\r\nSubject: first\r\n\r\nhello\r\n..dot\r\n.\r\n");
  EXPECT_EQ(client->say("TOP 2 0\r\n"), "+OK\r\nSubject: second\r\n\r\n.\r\n");
  EXPECT_EQ(brief(client->say("DELE 1\r\n")), "+OK");
  EXPECT_EQ(brief(client->say("RETR 1\r\nNOOP\r\nQUIT\r\n")), "-ERR|+OK|+OK");
  EXPECT_THAT(world.imap.uids(), ElementsAre(2));
}

TEST_F(TranslationSession, PipelinedCommandsAreAnsweredInOrder) {
  ASSERT_EQ(log_in_as("alice"), "+OK");
  const std::string answers =
      client->say("RETR 2\r\nRETR 1\r\nTOP 1 1\r\nDELE 2\r\nSTAT\r\nRETR 2\r\nQUIT\r\n");
  EXPECT_EQ(brief(answers),
            "+OK|Subject: second||body|.|+OK|Subject: first||hello|..dot|.|+OK|Subject: "
            "first||hello|.|+OK|+OK|-ERR|+OK");
  EXPECT_THAT(world.imap.removed(), ElementsAre(2));
}

TEST_F(TranslationSession, WrongPasswordIsTheClients) {
  Client wrong = world.connect();
  wrong.say("USER alice\r\n");
  wrong.say("PASS wrong\r\n");
  world.pass(2s);
  EXPECT_EQ(brief(wrong.hear()), "-ERR [AUTH]");
  EXPECT_EQ(world.imap.count("SELECT"), 0U);
}

TEST_F(TranslationSession, FolderOfTheLoginReplacesTheView) {
  world.imap_backend().imap.login_separator = "+";
  world.imap.deliver(kSecond, "Junk");
  ASSERT_EQ(log_in_as("alice+Junk"), "+OK");
  EXPECT_EQ(client->say("STAT\r\n"), "+OK 1 25\r\n");
  EXPECT_EQ(log_in_as("alice+Nothing"), "-ERR [SYS/PERM]");
  EXPECT_EQ(log_in_as("alice"), "+OK");
}

TEST_F(TranslationSession, ViewsOfTwoDevicesDoNotDisturbEachOther) {
  world.imap_backend().imap.login_separator = "+";
  config::View phone;
  phone.name = "phone";
  phone.remove = config::DeletePolicy::keep;
  world.config.views.push_back(phone);
  ASSERT_EQ(log_in_as("alice+#phone"), "+OK");
  EXPECT_EQ(brief(client->say("DELE 1\r\nQUIT\r\n")), "+OK|+OK");
  ASSERT_EQ(log_in_as("alice+#phone"), "+OK");
  EXPECT_EQ(client->say("UIDL\r\n"), "+OK\r\n1 0000000200000001\r\n.\r\n");
  ASSERT_EQ(log_in_as("alice"), "+OK");
  EXPECT_EQ(client->say("STAT\r\n"), "+OK 2 56\r\n");
  EXPECT_EQ(log_in_as("alice+#tablet"), "-ERR [SYS/PERM]");
}

TEST_F(TranslationSession, ListenerNamesAView) {
  config::View newest;
  newest.name = "newest";
  newest.newest = 1;
  world.config.views.push_back(newest);
  world.config.listeners[0].view = "newest";
  ASSERT_EQ(log_in_as("alice"), "+OK");
  EXPECT_EQ(client->say("UIDL\r\n"), "+OK\r\n1 0000000200000001\r\n.\r\n");
}

TEST_F(TranslationSession, WithoutLastingUidsThereIsNoUidl) {
  world.imap.inbox().uid_not_sticky = true;
  ASSERT_EQ(log_in_as("alice"), "+OK");
  EXPECT_THAT(client->say("CAPA\r\n"), testing::Not(HasSubstr("UIDL")));
  EXPECT_EQ(brief(client->say("UIDL\r\nUIDL 1\r\nSTAT\r\n")), "-ERR|-ERR|+OK");
}

TEST_F(TranslationSession, SilentClientLeavesNothingUnreadAtTheServer) {
  for (int i = 0; i < 20; ++i) world.imap.deliver(message_of(20'000));
  ASSERT_EQ(log_in_as("alice"), "+OK");
  for (int i = 1; i <= 4; ++i) client->say("RETR " + std::to_string(i) + "\r\n");
  world.pass(31s);
  Peer& server = *world.imap_server().connections.back();
  EXPECT_EQ(server.link().from(Side::b).on_the_way(), 0U);
  EXPECT_FALSE(server.has_unsent());
  EXPECT_EQ(brief(client->say("NOOP\r\nSTAT\r\n")), "+OK|+OK");
  const std::string fifth = client->say("RETR 5\r\n");
  EXPECT_TRUE(fifth.ends_with("\r\n.\r\n"));
}

TEST_F(TranslationSession, LogHasAHashOfTheUniqueIds) {
  const auto hash = [this](const std::string& commands) {
    EXPECT_EQ(log_in_as("alice"), "+OK");
    client->say(commands + "QUIT\r\n");
    const std::string line = world.log().of("session_end").back();
    return line.substr(line.find("uidl="));
  };
  const std::string first = hash("UIDL\r\n");
  EXPECT_EQ(hash("UIDL\r\nDELE 1\r\n"), first);
  EXPECT_NE(hash("UIDL\r\n"), first);
  EXPECT_EQ(hash("UIDL 1\r\n"), "uidl=\"\"");
}

TEST_F(TranslationSession, IdleTimeoutIsThatOfTheClient) {
  ASSERT_EQ(log_in_as("alice"), "+OK");
  world.pass(9min);
  EXPECT_EQ(client->end(), "");
  world.pass(2min);
  EXPECT_EQ(client->end(), "eof");
  EXPECT_EQ(world.imap.count("LOGOUT"), 1U);
}

TEST_F(TranslationSession, BackendIsToldWhoTheClientIs) {
  world.imap_backend().imap.announce_client = true;
  ASSERT_EQ(log_in_as("alice"), "+OK");
  ASSERT_EQ(world.imap.count("ID"), 1U);
  EXPECT_THAT(world.imap.commands, testing::Contains(HasSubstr("\"x-originating-ip\" \"198.51.100.7\"")));
}

}  // namespace
}  // namespace postern::session
