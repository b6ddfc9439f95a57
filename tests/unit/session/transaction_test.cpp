// The TRANSACTION state (RFC 1939 §5, RFC 2449 §6.6).
#include <algorithm>
#include <memory>
#include <utility>

#include "unit/session/world_test.hpp"

namespace postern::session {
namespace {

const char kFirst[] = "Subject: first\r\n\r\nhello\r\n.dot\r\n";
const char kSecond[] = "Subject: second\r\n\r\nworld\r\n";

class TransactionTest : public WorldTest {
 protected:
  TransactionTest() { world.store.messages = {kFirst, kSecond}; }
};

TEST_F(TransactionTest, AnswersEachCommand) {
  Client client = world.logged_in();
  EXPECT_EQ(client.say("STAT\r\n"), "+OK 2 57\r\n");
  EXPECT_EQ(client.say("LIST\r\n"), "+OK\r\n1 31\r\n2 26\r\n.\r\n");
  EXPECT_EQ(client.say("LIST 2\r\n"), "+OK 2 26\r\n");
  EXPECT_EQ(client.say("UIDL\r\n"), "+OK\r\n1 uid-1\r\n2 uid-2\r\n.\r\n");
  EXPECT_EQ(client.say("UIDL 1\r\n"), "+OK 1 uid-1\r\n");
  EXPECT_EQ(client.say("RETR 1\r\n"), "+OK 31 octets\r\n" + Store::on_wire(kFirst));
  EXPECT_EQ(client.say("TOP 2 0\r\n"), "+OK\r\nSubject: second\r\n\r\n.\r\n");
  EXPECT_EQ(client.say("NOOP\r\n"), "+OK\r\n");
  EXPECT_EQ(brief(client.say("DELE 1\r\n")), "+OK");
  EXPECT_EQ(client.say("RSET\r\n"), "+OK\r\n");
  EXPECT_EQ(client.say("QUIT\r\n"), "+OK bye\r\n");
  EXPECT_EQ(client.end(), "eof");
}

TEST_F(TransactionTest, PassesOnCanonicalCommandsAlone) {
  Client client = world.logged_in();
  world.store.commands.clear();
  client.say(
      "retr  1  \r\nTop 1  007\nlist 01\r\nlist +1\r\nRETR 1 2\r\nDELE 0\r\n STAT\r\nLAST\r\nQUIT "
      "now\r\n\r\n");
  EXPECT_THAT(world.store.commands, testing::ElementsAre("RETR 1", "TOP 1 7", "LIST 1"));
}

TEST_F(TransactionTest, RefusesWhatHasNoPlaceAndGoesOn) {
  Client client = world.logged_in();
  EXPECT_EQ(brief(client.say(
                "USER bob\r\nPASS x\r\nAUTH PLAIN AGJvYgB4\r\nSTLS\r\nAPOP bob 0\r\nUTF8\r\nRETR\r\n")),
            "-ERR|-ERR|-ERR|-ERR|-ERR|-ERR|-ERR");
  EXPECT_EQ(client.say("NOOP\r\n"), "+OK\r\n");
}

TEST_F(TransactionTest, ListsWhatThisServerCanDo) {
  world.store.capabilities = {"UIDL",      "PIPELINING", "STLS",
                              "UTF8 USER", "SASL PLAIN", "IMPLEMENTATION other"};
  Client client = world.logged_in();
  EXPECT_EQ(client.say("CAPA\r\n"),
            "+OK capabilities follow\r\nUIDL\r\nUSER\r\nSASL PLAIN "
            "LOGIN\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
            "IMPLEMENTATION postern\r\n.\r\n");
}

TEST_F(TransactionTest, TakesUidlOffTheListWhenItIsRefused) {
  world.store.instead["UIDL"] = {step::send("-ERR unknown command\r\n")};
  Client client = world.logged_in();
  EXPECT_THAT(client.say("CAPA\r\n"), testing::HasSubstr("UIDL\r\n"));
  EXPECT_EQ(client.say("UIDL\r\n"), in_transaction(FailureKind::command_refused));
  EXPECT_THAT(client.say("CAPA\r\n"), testing::Not(testing::HasSubstr("UIDL\r\n")));
}

TEST_F(TransactionTest, AnswersInOrderWhateverTheyAre) {
  Client client = world.logged_in();
  EXPECT_EQ(brief(client.say("LIST\r\nLIST 1\r\nCAPA x\r\nUIDL 2\r\nRETR 9\r\nNOOP\r\n")),
            "+OK|1 31|2 26|.|+OK|-ERR|+OK|-ERR|+OK");
}

TEST_F(TransactionTest, TextOfTheServerNeverReachesTheClient) {
  world.store.instead["RETR 1"] = {step::send("-ERR [AUTH] evil\r\n")};
  world.store.instead["RETR 2"] = {step::send("-ERR [SYS/TEMP] evil\r\n")};
  world.store.instead["NOOP"] = {step::send("+OK [IN-USE] evil\r\n")};
  Client client = world.logged_in();
  EXPECT_EQ(client.say("RETR 1\r\n"), in_transaction(FailureKind::no_message));
  EXPECT_EQ(client.say("RETR 2\r\n"), in_transaction(FailureKind::message_unavailable));
  EXPECT_EQ(client.say("NOOP\r\n"), "+OK\r\n");
}

TEST_F(TransactionTest, SendsAheadWhatWasAsked) {
  world.store.late["RETR"] = 1s;
  Client client = world.logged_in();
  client.say("RETR 1\r\nRETR 2\r\nNOOP\r\n");
  EXPECT_EQ(world.server().connections.back()->input(), "RETR 2\r\nNOOP\r\n");
  world.pass(3s);
  EXPECT_EQ(client.hear(), "+OK 31 octets\r\n" + Store::on_wire(kFirst) + "+OK 26 octets\r\n" +
                               Store::on_wire(kSecond) + "+OK\r\n");
}

TEST_F(TransactionTest, SendsNothingAheadToWhoCannotPipeline) {
  world.store.capabilities = {"TOP", "UIDL"};
  world.store.late["RETR"] = 1s;
  Client client = world.logged_in();
  client.say("RETR 1\r\nRETR 2\r\nQUIT\r\n");
  EXPECT_EQ(world.server().connections.back()->input(), "");
  world.pass(3s);
  EXPECT_EQ(world.store.count("RETR"), 2U);
}

TEST_F(TransactionTest, QuitIsNeverSentAhead) {
  world.store.late["DELE"] = 1s;
  Client client = world.logged_in();
  client.say("DELE 1\r\nDELE 2\r\nQUIT\r\nNOOP\r\n");
  EXPECT_EQ(world.server().connections.back()->input(), "DELE 2\r\n");
  world.pass(3s);
  EXPECT_EQ(brief(client.hear()), "+OK|+OK|+OK");
  EXPECT_EQ(world.store.count("NOOP"), 0U);
}

TEST_F(TransactionTest, GathersShortAnswersIntoFewWrites) {
  Client client = world.logged_in();
  const Direction& out = client.peer().link().from(Side::a);
  const std::size_t before = out.write_calls();
  std::string asked, answered;
  for (int i = 0; i < 32; ++i) asked += "NOOP\r\n", answered += "+OK\r\n";
  EXPECT_EQ(client.say(asked), answered);
  EXPECT_LE(out.write_calls() - before, 3U);
}

TEST_F(TransactionTest, ThousandCommandsCostBoundedMemory) {
  Client client = world.logged_in();
  client.peer().stop_reading();
  const auto most = std::make_shared<std::size_t>(0);  // the world's turns outlive this test
  world.scheduler().on_poll([this, most] {
    *most = std::max(*most, world.pool().leased());
    return false;
  });
  std::string asked;
  for (int i = 0; i < 1000; ++i) asked += "LIST\r\nRETR 1\r\n";
  client.say(asked);
  world.pass(1min);
  EXPECT_GE(*most, 64_KiB);
  EXPECT_LE(*most, 256_KiB);
  client.peer().read_on();
  EXPECT_THAT(client.say("QUIT\r\n"), testing::EndsWith(".\r\n+OK bye\r\n"));
  EXPECT_EQ(world.store.count("RETR 1"), 1000U);
}

TEST_F(TransactionTest, IdleSessionHoldsNothing) {
  world.store.messages.push_back(message_of(300'000) + "bare\nline feed\r\n");
  for (const char* listener : {World::kPlain, World::kImplicit, World::kStls}) {
    Client client = world.logged_in(listener);
    client.say("STAT\r\nRETR 3\r\nRETR 1\r\nLIST\r\n");
    world.pass(1s);
    EXPECT_EQ(world.pool().leased(), 0U) << listener;
    client.close();
  }
}

TEST_F(TransactionTest, LargeMessageLetsOthersHaveTheirTurn) {
  world.store.messages.push_back(message_of(10'000'000));
  Client client = world.logged_in();
  Client other = world.logged_in();
  Direction& out = client.peer().link().from(Side::a);
  out.rules.capacity = 64_MiB;
  world.server().connections.front()->link().from(Side::b).rules.capacity = 64_MiB;
  struct Watch {
    std::size_t before, most, turns;
  };
  const auto watch = std::make_shared<Watch>(Watch{out.sent().size(), 0, 0});
  world.scheduler().on_poll([&out, watch] {
    const std::size_t sent = out.sent().size();
    watch->most = std::max(watch->most, sent - std::exchange(watch->before, sent));
    ++watch->turns;
    return false;
  });
  EXPECT_EQ(client.say("RETR 3\r\n"), "+OK " + std::to_string(world.store.messages[2].size()) +
                                          " octets\r\n" + Store::on_wire(world.store.messages[2]));
  EXPECT_LE(watch->most, 192_KiB);
  EXPECT_GE(watch->turns, 10'000'000 / 192_KiB);
  EXPECT_EQ(other.say("NOOP\r\n"), "+OK\r\n");
}

TEST_F(TransactionTest, LineThatNeverEndsIsRefused) {
  Client client = world.logged_in();
  EXPECT_EQ(brief(client.say("NOOP\r\n" + std::string(1026, 'x'))), "+OK|-ERR");
  EXPECT_EQ(client.end(), "eof");
  EXPECT_EQ(world.store.count("QUIT"), 0U);
}

TEST_F(TransactionTest, LongestLineIsTaken) {
  Client client = world.logged_in();
  const std::string spaces(1024 - 6, ' ');
  EXPECT_EQ(brief(client.say("LIST 1" + spaces + "\r\n")), "+OK");
  EXPECT_EQ(brief(client.say("LIST 1 " + spaces + "\r\n")), "-ERR");
  EXPECT_EQ(client.end(), "eof");
}

TEST_F(TransactionTest, OctetsThatNobodyAskedForEndTheSession) {
  world.store.instead["NOOP"] = {step::send("+OK\r\n+OK surplus\r\n")};
  Client client = world.logged_in();
  EXPECT_EQ(client.say("NOOP\r\n"), "+OK\r\n");
  EXPECT_EQ(client.say("DELE 1\r\n"), in_transaction(FailureKind::backend_protocol));
  EXPECT_EQ(client.end(), "eof");
}

TEST_F(TransactionTest, TellsOfAMessageThatIsShorterThanAnnounced) {
  world.store.instead["RETR 1"] = {step::send("+OK 1000 octets\r\nhello\r\n.\r\n")};
  Client client = world.logged_in();
  EXPECT_EQ(client.say("RETR 1\r\n"), "+OK 1000 octets\r\nhello\r\n.\r\n");
  client.say("RETR 2\r\n");
  ASSERT_EQ(world.log().of("message_short").size(), 1U);
  EXPECT_EQ(test::LogLines::field(world.log().of("message_short")[0], "announced"), "1000");
}

}  // namespace
}  // namespace postern::session
