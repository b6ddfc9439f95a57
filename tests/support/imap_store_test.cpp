#include "support/imap_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "support/tls_filters.hpp"

namespace postern::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kLogin = "L LOGIN alice secret\r\n";

/// The store between two peers: the test is the client.
class ImapStoreTest : public testing::Test {
 protected:
  struct Line {
    explicit Line(TestScheduler& scheduler) : server(scheduler, link), transport(link.transport(Side::a)) {}
    MemoryLink link;
    Peer server;
    std::unique_ptr<Transport> transport;
  };

  ImapStoreTest() {
    scheduler.on_poll([this] {
      bool busy = false;
      for (Line& line : lines) busy |= line.server.poll();
      return busy;
    });
  }

  /// A new connection; its greeting.
  std::string connect() {
    store.serve(lines.emplace_back(scheduler).server);
    return hear();
  }
  /// What came on the last connection.
  std::string hear(Line* line = nullptr) {
    scheduler.run_until_idle();
    Line& from = line == nullptr ? lines.back() : *line;
    std::string all, buffer(4096, '\0');
    for (IoResult got = from.transport->try_read(buffer); got.ok() && got.bytes != 0;
         got = from.transport->try_read(buffer)) {
      all.append(buffer, 0, got.bytes);
      scheduler.run_until_idle();
    }
    return all;
  }
  std::string say(std::string_view octets, Line* line = nullptr) {
    Line& to = line == nullptr ? lines.back() : *line;
    to.transport->try_write(octets);
    return hear(line);
  }
  /// A connection with INBOX selected.
  Line& selected() {
    connect();
    say(kLogin);
    say("S SELECT INBOX\r\n");
    return lines.back();
  }
  std::string problem() { return lines.back().server.problem(); }

  TestScheduler scheduler;
  ImapStore store;
  std::list<Line> lines;
};

TEST_F(ImapStoreTest, GreetsAndLogsIn) {
  EXPECT_EQ(connect(), "* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN ID] ready\r\n");
  EXPECT_EQ(say("a LOGIN alice \"wrong\"\r\n"), "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
  EXPECT_EQ(
      say("b LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n"),
      "b OK [CAPABILITY IMAP4rev1 LITERAL+ ID UIDPLUS MOVE ESEARCH UNSELECT SPECIAL-USE] Logged in\r\n");
  EXPECT_EQ(say("c LOGOUT\r\n"), "* BYE Logging out\r\nc OK Logout completed.\r\n");
  EXPECT_EQ(store.logins, 2U);
  EXPECT_THAT(store.commands, ElementsAre("LOGIN alice \"wrong\"", "LOGIN \"alice\" \"secret\"", "LOGOUT"));
  EXPECT_EQ(problem(), "");
}

TEST_F(ImapStoreTest, LiteralsAreAskedFor) {
  store.password = "a\"\\\nb";
  connect();
  EXPECT_EQ(say("a LOGIN {5}\r\n"), "+ go ahead\r\n");
  EXPECT_EQ(say("alice {5}\r\n"), "+ go ahead\r\n");
  EXPECT_THAT(say("a\"\\\nb\r\n"), HasSubstr("a OK "));
}

TEST_F(ImapStoreTest, SaslPlainWithAndWithoutInitialResponse) {
  connect();
  EXPECT_THAT(say("a AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n"), HasSubstr("a OK "));
  connect();
  EXPECT_EQ(say("a AUTHENTICATE PLAIN\r\n"), "+ \r\n");
  EXPECT_EQ(say("*\r\n"), "a BAD cancelled\r\n");
  EXPECT_EQ(say("b AUTHENTICATE PLAIN\r\n"), "+ \r\n");
  EXPECT_THAT(say("AGFsaWNlAHdyb25n\r\n"), HasSubstr("b NO "));
  say("c AUTHENTICATE PLAIN\r\n");
  EXPECT_THAT(say("AGFsaWNlAHNlY3JldA==\r\n"), HasSubstr("c OK "));
  EXPECT_EQ(store.logins, 3U);
  EXPECT_EQ(problem(), "");
}

TEST_F(ImapStoreTest, SelectTellsWhatIsThere) {
  store.deliver("a\r\n");
  store.inbox().uidvalidity = 7;
  store.inbox().mailbox_id = "m1";
  connect();
  EXPECT_EQ(say("a SELECT INBOX\r\n"), "a BAD Not now.\r\n");
  say(kLogin);
  EXPECT_EQ(say("b SELECT inbox\r\n"),
            "* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen)\r\n"
            "* OK [PERMANENTFLAGS (\\* \\Answered \\Deleted \\Draft \\Flagged \\Seen)] Flags permitted.\r\n"
            "* 1 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] UIDs valid\r\n"
            "* OK [UIDNEXT 2] Predicted next UID\r\n* OK [MAILBOXID (m1)] Ok\r\n"
            "b OK [READ-WRITE] Select completed.\r\n");
  EXPECT_EQ(say("c UNSELECT\r\n"), "c OK Unselect completed.\r\n");
  EXPECT_EQ(say("d UID FETCH 1 (UID)\r\n"), "d BAD Not now.\r\n");
  EXPECT_EQ(say("e SELECT Nowhere\r\n"), "e NO [NONEXISTENT] Mailbox doesn't exist\r\n");
}

TEST_F(ImapStoreTest, StatusListAndCreate) {
  store.mailboxes["Old \"mail\""].special_use = "\\Trash";
  connect();
  say(kLogin);
  EXPECT_EQ(say("a STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY)\r\n"),
            "* STATUS \"INBOX\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)\r\na OK Status completed.\r\n");
  EXPECT_EQ(say("b LIST \"\" \"*\" RETURN (SPECIAL-USE)\r\n"),
            "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n"
            "* LIST (\\HasNoChildren \\Trash) \"/\" \"Old \\\"mail\\\"\"\r\nb OK List completed.\r\n");
  EXPECT_EQ(say("c CREATE Trash\r\n"), "c OK Create completed.\r\n");
  EXPECT_THAT(say("d CREATE Trash\r\n"), HasSubstr("d NO [ALREADYEXISTS]"));
  EXPECT_TRUE(store.mailboxes.contains("Trash"));
}

TEST_F(ImapStoreTest, FetchesAttributesAndBodies) {
  store.deliver("X-UIDL: abc\r\nTo: b\r\n\r\nhello");
  store.inbox().messages[0].flags = {"\\Seen"};
  selected();
  EXPECT_EQ(say("a UID FETCH 1:* (UID RFC822.SIZE FLAGS INTERNALDATE)\r\n"),
            "* 1 FETCH (UID 1 RFC822.SIZE 27 FLAGS (\\Seen) INTERNALDATE \"01-Jan-2026 12:00:00 +0000\")\r\n"
            "a OK Fetch completed.\r\n");
  EXPECT_EQ(
      say("b UID FETCH 1 (UID BODY.PEEK[])\r\n"),
      "* 1 FETCH (UID 1 BODY[] {27}\r\nX-UIDL: abc\r\nTo: b\r\n\r\nhello)\r\nb OK Fetch completed.\r\n");
  EXPECT_EQ(say("c UID FETCH 1 BODY.PEEK[]<20.4>\r\n"),
            "* 1 FETCH (BODY[]<20> {4}\r\n\r\nhe)\r\nc OK Fetch completed.\r\n");
  EXPECT_EQ(
      say("d UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (X-UIDL)])\r\n"),
      "* 1 FETCH (BODY[HEADER.FIELDS (X-UIDL)] {15}\r\nX-UIDL: abc\r\n\r\n)\r\nd OK Fetch completed.\r\n");
  EXPECT_EQ(say("e UID FETCH 1 (BODY.PEEK[HEADER])\r\n"),
            "* 1 FETCH (BODY[HEADER] {22}\r\nX-UIDL: abc\r\nTo: b\r\n\r\n)\r\ne OK Fetch completed.\r\n");
  EXPECT_EQ(say("f UID FETCH 2 (UID)\r\n"), "f OK Fetch completed.\r\n");
  EXPECT_EQ(say("g UID FETCH 9:* (UID)\r\n"), "* 1 FETCH (UID 1)\r\ng OK Fetch completed.\r\n");
  EXPECT_EQ(say("h UID FETCH 1 (EMAILID)\r\n"), "h BAD Unknown parameter.\r\n");
  EXPECT_EQ(problem(), "");
}

TEST_F(ImapStoreTest, FetchIsAnsweredAsTheKnobsSay) {
  store.deliver("ab");
  auto fetch = [this, n = 0](const char* items) mutable {
    const std::string tag = "f" + std::to_string(++n);
    const std::string all = say(tag + " UID FETCH 1 (" + items + ")\r\n");
    return all.substr(0, all.find("\r\n" + tag));
  };
  selected();
  store.order = ImapStore::Order::uid_last;
  EXPECT_EQ(fetch("UID RFC822.SIZE"), "* 1 FETCH (RFC822.SIZE 2 UID 1)");
  store.always_flags = true;
  store.quoted_below = 3;
  EXPECT_EQ(fetch("UID BODY.PEEK[]"), "* 1 FETCH (FLAGS () BODY[] \"ab\" UID 1)");
  store.always_flags = false;
  store.quoted_below = 0;
  store.literal8 = true;
  store.body_name = "body[]";
  store.extra_attribute = "X (a)";
  EXPECT_EQ(fetch("BODY.PEEK[]<0.1>"), "* 1 FETCH (body[]<0> ~{1}\r\na X (a))");
  store.partial = ImapStore::Partial::whole;
  EXPECT_EQ(fetch("BODY.PEEK[]<0.1>"), "* 1 FETCH (body[] ~{2}\r\nab X (a))");
  store.message(1).size_as = "2e0";
  EXPECT_EQ(fetch("RFC822.SIZE"), "* 1 FETCH (RFC822.SIZE 2e0 X (a))");
  store.message(1).fetchable = false;
  EXPECT_EQ(fetch("UID"), "f6 OK Fetch completed.\r\n");
}

TEST_F(ImapStoreTest, FileThatIsTooShortEndsTheConnection) {
  store.deliver("0123456789");
  store.message(1).breaks_at = 4;
  selected();
  EXPECT_EQ(say("a UID FETCH 1 (UID BODY.PEEK[]<0.4>)\r\n"),
            "* 1 FETCH (UID 1 BODY[]<0> {4}\r\n0123)\r\na OK Fetch completed.\r\n");
  EXPECT_EQ(say("b UID FETCH 1 (BODY.PEEK[]<2.8> UID)\r\n"), "* 1 FETCH (BODY[]<2> {8}\r\n23");
  EXPECT_EQ(lines.back().link.from(Side::b).ending(), Ending::eof);
}

TEST_F(ImapStoreTest, SearchesByAllItsKeys) {
  for (int i = 0; i < 4; ++i) store.deliver("x");
  store.message(1).flags = {"\\Deleted"};
  store.message(2).flags = {"$kept"};
  store.message(3).internal_date = "28-Feb-2025";
  selected();
  const std::pair<const char*, const char*> rows[] = {{"ALL", " 1 2 3 4"},
                                                      {"DELETED", " 1"},
                                                      {"NOT DELETED", " 2 3 4"},
                                                      {"KEYWORD $kept", " 2"},
                                                      {"UNKEYWORD $kept UID 1:3", " 1 3"},
                                                      {"SINCE 1-Jan-2026", " 1 2 4"},
                                                      {"BEFORE 1-Mar-2025", " 3"},
                                                      {"UID 9", ""},
                                                      {"UID 2:4 NOT (KEYWORD $kept UID 2)", " 3 4"}};
  int n = 0;
  for (const auto& [keys, found] : rows) {
    const std::string tag = "s" + std::to_string(++n);
    EXPECT_EQ(say(tag + " UID SEARCH " + keys + "\r\n"),
              "* SEARCH" + std::string(found) + "\r\n" + tag + " OK Search completed.\r\n")
        << keys;
  }
  EXPECT_EQ(say("a UID SEARCH RETURN (ALL) NOT UID 3\r\n"),
            "* ESEARCH (TAG \"a\") UID ALL 1:2,4\r\na OK Search completed.\r\n");
  EXPECT_EQ(say("b UID SEARCH RETURN (ALL) UID 9\r\n"),
            "* ESEARCH (TAG \"b\") UID\r\nb OK Search completed.\r\n");
}

TEST_F(ImapStoreTest, ExpungesOnlyWhatIsNamedAndFlagged) {
  for (int i = 0; i < 4; ++i) store.deliver("x");
  store.message(2).flags = {"\\Deleted"};
  selected();
  EXPECT_EQ(say("a UID STORE 1,3:4 +FLAGS.SILENT (\\Deleted $kept)\r\n"), "a OK Store completed.\r\n");
  EXPECT_EQ(say("b UID STORE 4 -FLAGS.SILENT (\\deleted)\r\n"), "b OK Store completed.\r\n");
  EXPECT_EQ(say("c UID EXPUNGE 1,3:4\r\n"), "* 1 EXPUNGE\r\n* 2 EXPUNGE\r\nc OK Expunge completed.\r\n");
  EXPECT_THAT(store.removed(), ElementsAre(1, 3));
  EXPECT_EQ(store.removals[0].command, "UID EXPUNGE 1,3:4");
  EXPECT_THAT(store.uids(), ElementsAre(2, 4));
  EXPECT_THAT(store.flagged("$kept"), ElementsAre(4));
  store.inbox().keeps_keywords = false;
  say("d UID STORE 2 +FLAGS.SILENT ($new)\r\n");
  EXPECT_THAT(store.flagged("$new"), ElementsAre());
  EXPECT_EQ(problem(), "");
}

TEST_F(ImapStoreTest, ExpungeWithoutUidplusTakesEverythingFlagged) {
  store.like_hmailserver();
  for (int i = 0; i < 3; ++i) store.deliver("x");
  store.message(2).flags = {"\\Deleted"};
  selected();
  EXPECT_EQ(say("a UID EXPUNGE 1\r\n"), "a BAD Unknown command.\r\n");
  EXPECT_EQ(say("b EXPUNGE\r\n"), "* 2 EXPUNGE\r\nb OK Expunge completed.\r\n");
  EXPECT_THAT(store.removed(), ElementsAre(2));
  EXPECT_EQ(problem(), "");
}

TEST_F(ImapStoreTest, ReadOnlyMailboxesKeepEverything) {
  store.deliver("x");
  store.message(1).flags = {"\\Deleted"};
  store.inbox().read_only = true;
  connect();
  say(kLogin);
  EXPECT_THAT(say("s SELECT INBOX\r\n"), HasSubstr("s OK [READ-ONLY]"));
  EXPECT_EQ(say("a UID STORE 1 +FLAGS.SILENT (\\Seen)\r\n"), "a NO Mailbox is read-only\r\n");
  store.read_only_says_ok = true;
  EXPECT_THAT(say("b UID EXPUNGE 1\r\n"), HasSubstr("b OK"));
  EXPECT_THAT(store.uids(), ElementsAre(1));
}

TEST_F(ImapStoreTest, CopiesAndMoves) {
  store.deliver("one");
  store.deliver("two");
  selected();
  EXPECT_EQ(say("a UID MOVE 1 Trash\r\n"), "a NO [TRYCREATE] Mailbox doesn't exist\r\n");
  say("b CREATE Trash\r\n");
  EXPECT_EQ(say("c UID COPY 1:2 \"Trash\"\r\n"), "c OK [COPYUID 101 1:2 1:2] Copy completed.\r\n");
  EXPECT_EQ(say("d UID MOVE 2,7 Trash\r\n"),
            "* OK [COPYUID 101 2 3] Moved UIDs.\r\n* 2 EXPUNGE\r\nd OK Move completed.\r\n");
  EXPECT_THAT(store.uids(), ElementsAre(1));
  EXPECT_EQ(store.message(3, "Trash").text, "two");
  EXPECT_EQ(store.removals[0].command, "UID MOVE 2,7 Trash");
}

TEST_F(ImapStoreTest, OtherSessionsHearOfItWithTheirNextCommand) {
  for (int i = 0; i < 3; ++i) store.deliver("x");
  Line& other = selected();
  store.expunge(1);
  store.expunge(3);
  store.deliver("y");
  EXPECT_EQ(hear(&other), "");
  EXPECT_EQ(say("a UID FETCH 1:3 (UID)\r\n", &other),
            "* 2 FETCH (UID 2)\r\n* 1 EXPUNGE\r\n* 2 EXPUNGE\r\n* 2 EXISTS\r\n* 0 RECENT\r\n"
            "a OK Fetch completed.\r\n");
  EXPECT_EQ(say("b NOOP\r\n", &other), "b OK NOOP completed.\r\n");
  EXPECT_EQ(say("c UID STORE 1 +FLAGS.SILENT (\\Seen)\r\n", &other), "c OK Store completed.\r\n");
  EXPECT_THAT(store.removed(), ElementsAre());  // nobody but the test
}

TEST_F(ImapStoreTest, MessagesThatAreGoneAreAnsweredAsByTheServersOfTheTable) {
  using Profile = void (ImapStore::*)();
  const std::pair<Profile, const char*> rows[] = {
      {&ImapStore::like_dovecot,
       "* 1 FETCH (UID 1 BODY[] NIL)\r\n* 1 EXPUNGE\r\nf OK [EXPUNGEISSUED] Some messages were already "
       "expunged.\r\n"},
      {&ImapStore::like_cyrus,
       "* 1 FETCH (FLAGS (\\Deleted) UID 1 BODY[] {1}\r\nx)\r\n* 1 EXPUNGE\r\nf OK Fetch completed.\r\n"},
      {&ImapStore::like_courier,
       "* 1 FETCH (UID 1 BODY[] {129}\r\nFrom: System Administrator <root@localhost>\r\nSubject: message "
       "unavailable\r\n\r\nThis message is no longer available on the server.\r\n)\r\nf OK Fetch "
       "completed.\r\n"},
      {&ImapStore::like_exchange, "* 1 EXPUNGE\r\nf OK Fetch completed.\r\n"}};
  for (const auto& [profile, answer] : rows) {
    store.inbox() = ImapMailbox();
    store.deliver("x");
    (store.*profile)();
    selected();
    store.expunge(1);
    EXPECT_EQ(say("f UID FETCH 1 (UID BODY.PEEK[])\r\n"), answer);
    EXPECT_EQ(problem(), "");
  }
}

TEST_F(ImapStoreTest, ExpungesInTheMiddleOfAFetch) {
  for (int i = 0; i < 3; ++i) store.deliver("x");
  store.like_dovecot();
  selected();
  store.expunge(2);
  EXPECT_EQ(say("a UID FETCH 1,3 (UID)\r\n"),
            "* 1 FETCH (UID 1)\r\n* 2 EXPUNGE\r\n* 2 FETCH (UID 3)\r\na OK Fetch completed.\r\n");
}

TEST_F(ImapStoreTest, CourierHasItsWays) {
  store.like_courier();
  store.deliver("x");
  EXPECT_THAT(connect(), HasSubstr("Courier-IMAP"));
  EXPECT_EQ(say("a LOGIN alice wrong\r\n"), "a NO Login failed.\r\n");
  EXPECT_EQ(say("b LOGIN alice secret\r\n"), "b OK Logged in\r\n");
  EXPECT_THAT(say("c SELECT INBOX\r\n"), testing::Not(HasSubstr("UIDNEXT")));
  EXPECT_EQ(say("d ID NIL\r\n"), "d NO Unknown command.\r\n");
  say("e UID STORE 1 +FLAGS.SILENT (\\Deleted)\r\n");
  EXPECT_EQ(say("f UID EXPUNGE 1\r\n"), "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\nf OK Expunge completed.\r\n");
  EXPECT_EQ(say("g NOTHING\r\n"), "g NO Unknown command.\r\n");
  EXPECT_EQ(problem(), "");
}

TEST_F(ImapStoreTest, SaysWhatItIsTold) {
  store.deliver("x");
  store.instead["UID FETCH 1 (UID)"] = {step::send("* 1 FETCH (UID 1)\r\n$TAG NO not now\r\n")};
  store.once("NOOP", {step::send("$TAG NO once\r\n")});
  store.ahead["UID SEARCH"] = {step::send("* 9 EXISTS\r\n")};
  store.instead_answer["UID STORE"] = {step::send("$TAG NO lost\r\n")};
  selected();
  EXPECT_EQ(say("a UID FETCH 1 (UID)\r\n"), "* 1 FETCH (UID 1)\r\na NO not now\r\n");
  EXPECT_THAT(say("b UID FETCH 1 (FLAGS)\r\n"), HasSubstr("b OK"));
  EXPECT_EQ(say("c NOOP\r\nd NOOP\r\n"), "c NO once\r\nd OK NOOP completed.\r\n");
  EXPECT_EQ(say("e UID SEARCH ALL\r\n"), "* 9 EXISTS\r\n* SEARCH 1\r\ne OK Search completed.\r\n");
  EXPECT_EQ(say("f UID STORE 1 +FLAGS.SILENT (\\Seen)\r\n"), "f NO lost\r\n");
  EXPECT_THAT(store.flagged("\\Seen"), ElementsAre(1));
  EXPECT_EQ(store.count("NOOP"), 2U);
  EXPECT_EQ(store.count("UID FETCH"), 2U);
  EXPECT_EQ(store.count("UID FETCH 1 (UID)"), 1U);
}

TEST_F(ImapStoreTest, TakesItsTime) {
  store.late["NOOP"] = 5s;
  connect();
  EXPECT_EQ(say("a NOOP\r\nb CAPABILITY\r\n"), "");
  scheduler.advance(5s);
  EXPECT_THAT(hear(), testing::StartsWith("a OK NOOP completed.\r\n* CAPABILITY "));
}

TEST_F(ImapStoreTest, AnswersTwoFetchesInTheOtherOrder) {
  store.deliver("x");
  store.deliver("y");
  store.swaps_fetches = true;
  selected();
  EXPECT_EQ(say("a UID FETCH 1 (UID)\r\nb UID FETCH 2 (UID)\r\n"),
            "* 2 FETCH (UID 2)\r\nb OK Fetch completed.\r\n* 1 FETCH (UID 1)\r\na OK Fetch completed.\r\n");
  EXPECT_EQ(say("c UID FETCH 1 (UID)\r\n"), "* 1 FETCH (UID 1)\r\nc OK Fetch completed.\r\n");
}

TEST_F(ImapStoreTest, RefusesStartTlsWithoutAFilter) {
  connect();
  EXPECT_EQ(say("a STARTTLS\r\n"), "a BAD TLS is not available.\r\n");
  store.tls = server_tls();
  EXPECT_EQ(say("b STARTTLS\r\n"), "b OK Begin TLS negotiation now.\r\n");
}

TEST_F(ImapStoreTest, FailsWhatAGatewayMustNeverSend) {
  store.deliver("x");
  const std::pair<const char*, const char*> rows[] = {
      {"a CLOSE\r\n", "expunges"},
      {"a EXAMINE INBOX\r\n", "UIDVALIDITY"},
      {"a ENABLE QRESYNC\r\n", "changes"},
      {"a FETCH 1 (UID)\r\n", "sequence numbers"},
      {"a STORE 1 +FLAGS.SILENT (\\Seen)\r\n", "sequence numbers"},
      {"a UID SEARCH 1:2\r\n", "SEARCH of 1:2"},
      {"a UID STORE 1:* +FLAGS.SILENT (\\Seen)\r\n", "\"*\""},
      {"a UID EXPUNGE *\r\n", "\"*\""},
      {"a UID MOVE 1:* Trash\r\n", "\"*\""},
      {"a UID FETCH 3:1 (UID)\r\n", "reversed"},
      {"a UID COPY 3:1 Trash\r\n", "reversed"},
      {"a UID FETCH 1 (BODY.PEEK[]<0.0>)\r\n", "no octets"},
      {"a UID FETCH 1 (BODY[])\r\n", "\\Seen"},
      {"a UID FETCH 1 (UID) \r\n", "surplus"},
      {"a UID  FETCH 1 (UID)\r\n", "no command"},
      {"a EXPUNGE\r\n", "UID EXPUNGE"},
      {"L NOOP\r\n", "a tag again"},
      {"a NOOP\n", "CRLF"},
      {"a NOOP\xc3\xa4\r\n", "0x20"},
      {"a\r\n", "no command"},
      {"a NOOP\r\nb NOOP\r\nc NOOP\r\nd NOOP\r\ne NOOP\r\n", "5 commands"}};
  for (const auto& [sent, why] : rows) {
    selected();
    say(sent);
    EXPECT_THAT(problem(), HasSubstr(why)) << sent;
  }
}

TEST_F(ImapStoreTest, FailsLoginsThatDoNotWait) {
  const std::pair<const char*, const char*> rows[] = {
      {"a LOGIN alice secret\r\nb SELECT INBOX\r\n", "follows a login"},
      {"a AUTHENTICATE PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n", "follows a login"},
      {"a LOGIN {5}\r\nalice secret\r\n", "did not wait"},
      {"a LOGIN {70000}\r\n", "70000 octets"},
      {"a LOGIN {1+}\r\na x\r\n", "LITERAL+"}};
  store.capabilities = {"IMAP4rev1", "AUTH=PLAIN"};
  for (const auto& [sent, why] : rows) {
    connect();
    say(sent);
    EXPECT_THAT(problem(), HasSubstr(why)) << sent;
  }
  connect();
  say("a AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n");
  EXPECT_THAT(problem(), HasSubstr("no SASL-IR"));
}

TEST_F(ImapStoreTest, FailsWhatFollowsALoginThatTakesItsTime) {
  store.late["LOGIN"] = 5s;
  connect();
  say("a LOGIN alice secret\r\n");
  say("b SELECT INBOX\r\n");
  scheduler.advance(5s);
  hear();
  EXPECT_THAT(problem(), HasSubstr("follows a login"));
}

TEST_F(ImapStoreTest, LiteralsWithoutWaitingNeedThisConnectionsOwnList) {
  store.capabilities_in_greeting = false;
  connect();
  say("a LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n");
  EXPECT_THAT(problem(), HasSubstr("LITERAL+"));
  connect();
  say("a CAPABILITY\r\n");
  EXPECT_THAT(say("b LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n"), HasSubstr("b OK"));
}

TEST_F(ImapStoreTest, FailsLongLines) {
  store.max_line = 40;
  connect();
  say("a LOGIN alice {4+}\r\nnope\r\n");
  say("b LOGIN alice \"" + std::string(40, 'x') + "\"\r\n");
  EXPECT_THAT(problem(), HasSubstr("a line of 56 octets"));
}

}  // namespace
}  // namespace postern::test
