// Whole sessions with each kind of server, and what the world notices.
#include "support/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/tls_filters.hpp"

namespace postern::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(World, EverybodyGoesToTheServerThatSpeaksPop3) {
  World world;
  world.store.messages = {"a\r\n\r\n"};
  Client client = world.logged_in();
  EXPECT_EQ(client.say("STAT\r\n"), "+OK 1 5\r\n");
  EXPECT_EQ(client.say("QUIT\r\n"), "+OK bye\r\n");
  EXPECT_EQ(world.imap.connections, 0U);
  EXPECT_EQ(world.leftovers(), "");
}

TEST(World, EverybodyGoesToTheServerThatSpeaksImap) {
  World world;
  world.use_imap();
  world.imap.deliver("Subject: a\r\n\r\n.b\r\n");
  Client client = world.logged_in();
  EXPECT_EQ(client.say("RETR 1\r\n"), "+OK 18 octets\r\nSubject: a\r\n\r\n..b\r\n.\r\n");
  client.say("DELE 1\r\nQUIT\r\n");
  EXPECT_THAT(world.imap.removed(), ElementsAre(1));
  EXPECT_THAT(world.store.commands, ElementsAre());
  EXPECT_EQ(world.leftovers(), "");
}

/// A mailbox at a server that has alice's too.
template <class Model>
void make_bobs(Model& box, Model& door) {
  box.user = "bob";
  box.password = "builder";
  door.neighbours = {&box};
}

TEST(World, APop3LoginChoosesTheMailbox) {
  Store bobs({"to bob\r\n\r\n"});
  World world;
  make_bobs(bobs, world.store);
  Client bob = world.connect();
  bob.log_in("bob", "builder");
  EXPECT_EQ(bob.say("STAT\r\n"), "+OK 1 10\r\n");
  Client alice = world.logged_in();
  EXPECT_EQ(alice.say("STAT\r\n"), "+OK 0 0\r\n");
  bob.say("QUIT\r\n");
  alice.say("QUIT\r\n");
  EXPECT_EQ(world.leftovers(), "");
}

TEST(World, AnImapLoginChoosesTheMailbox) {
  ImapStore bobs({"to bob\r\n\r\n"});
  World world;
  world.use_imap();
  make_bobs(bobs, world.imap);
  Client bob = world.connect();
  bob.log_in("bob", "builder");
  EXPECT_EQ(bob.say("STAT\r\n"), "+OK 1 10\r\n");
  EXPECT_EQ(world.logged_in().say("STAT\r\n"), "+OK 0 0\r\n");
  bob.say("DELE 1\r\nQUIT\r\n");
  EXPECT_THAT(bobs.removed(), ElementsAre(1));
  EXPECT_EQ(bobs.removals.at(0).text, "to bob\r\n\r\n");
}

TEST(World, APop3MailboxMayLoseWhatIsRemoved) {
  World world;
  world.store.messages = {"a\r\n\r\n", "bb\r\n\r\n"};
  world.store.removes = true;
  Client first = world.logged_in();
  Client second = world.logged_in();
  first.say("DELE 1\r\nQUIT\r\n");
  EXPECT_THAT(second.say("RETR 1\r\n"), HasSubstr("-ERR"));
  EXPECT_THAT(world.logged_in().say("UIDL\r\n"), HasSubstr("1 uid-2\r\n.\r\n"));
}

TEST(World, APop3MailboxMayBeOfOneSessionAtATime) {
  World world;
  world.store.exclusive = true;
  Client first = world.logged_in();
  EXPECT_THAT(world.connect().log_in(), HasSubstr("-ERR [IN-USE]"));
  first.say("QUIT\r\n");
  EXPECT_THAT(world.connect().log_in(), HasSubstr("+OK"));
}

TEST(World, ImapGoesThroughStartTls) {
  World world;
  world.use_imap();
  world.imap_backend().tls.mode = config::BackendTlsMode::starttls;
  world.imap.capabilities.push_back("STARTTLS");
  world.imap.tls = server_tls();
  Client client = world.logged_in();
  EXPECT_EQ(client.say("STAT\r\n"), "+OK 0 0\r\n");
  EXPECT_EQ(world.imap.count("STARTTLS"), 1U);
  const std::string& wire = world.imap_server().connections.back()->link().from(Side::a).sent();
  EXPECT_THAT(wire, testing::Not(HasSubstr("SELECT")));
  client.say("QUIT\r\n");
  EXPECT_EQ(world.leftovers(), "");
}

TEST(World, NoticesWhatAnImapServerMustNotBeSent) {
  World world;
  world.use_imap();
  world.imap.max_line = 10;
  Client client = world.connect();
  client.log_in();
  client.close();
  EXPECT_THAT(world.leftovers(), HasSubstr("IMAP: a line of "));
}

TEST(World, NoticesAPasswordInTheLog) {
  World world;
  world.use_imap();
  world.imap.password = "session_end";  // a word that every log has
  Client client = world.connect();
  client.close();
  EXPECT_EQ(world.leftovers(), "the log has the password\n");
}

}  // namespace
}  // namespace postern::test
