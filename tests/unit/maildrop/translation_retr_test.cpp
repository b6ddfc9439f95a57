// RETR (RETR-1 to RETR-4, SIZE-3): what a server may answer to one FETCH, and what becomes of it.
#include "unit/maildrop/fetch_fixture.hpp"

namespace postern::maildrop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const char kText[] = "Subject: x\r\n\r\nbody\r\n";

class TranslationRetrTest : public FetchTest {};

struct Manner {
  ImapStore::Gone gone;
  const char* first;  ///< what RETR of a message that was removed meanwhile gives
  const char* then;
};

TEST_F(TranslationRetrTest, RemovedMessageIsGoneInWhateverWayTheServerSaysIt) {
  const Manner manners[] = {{ImapStore::Gone::nothing, "message_gone", "message_gone"},
                            {ImapStore::Gone::nil, "message_gone", "message_gone"},
                            {ImapStore::Gone::once_more, "Subject: 2\r\n\r\n\r\n", "message_gone"},
                            {ImapStore::Gone::placeholder, "message_gone", "message_gone"}};
  settings.imap.profile = config::ImapProfile::courier;
  fill(3);
  const std::vector<ImapStore::Message> messages = imap.inbox().messages;
  for (const Manner& manner : manners) {
    imap.inbox().messages = messages;
    imap.gone = manner.gone;
    ASSERT_EQ(open(), "");
    imap.expunge(2);
    EXPECT_EQ(text(2), manner.first);
    EXPECT_EQ(text(2), manner.then);
    EXPECT_EQ(text(3), small(3));
    EXPECT_EQ(listing(), "1 16\r\n2 16\r\n3 16\r\n");  // RFC 1939 §8
  }
}

TEST_F(TranslationRetrTest, InventedMessageIsGoneAlsoWhenItCameAhead) {
  settings.imap.profile = config::ImapProfile::courier;
  imap.gone = ImapStore::Gone::placeholder;
  fill(4);
  ASSERT_EQ(open(), "");
  imap.expunge(3);
  EXPECT_EQ(text(1), small(1));
  EXPECT_EQ(text(2), small(2));
  settle();
  EXPECT_EQ(text(3), "message_gone");
  EXPECT_EQ(text(4), small(4));
}

TEST_F(TranslationRetrTest, InventedMessageIsGoneAlsoWhenItsSizeWasListed) {
  settings.imap.profile = config::ImapProfile::courier;
  imap.gone = ImapStore::Gone::placeholder;
  fill(2);
  imap.inbox().messages[0].size = 129;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 129\r\n2 16\r\n");
  imap.expunge(1);
  EXPECT_EQ(text(1), "message_gone");
  EXPECT_EQ(top(1, 5), "message_gone");
  EXPECT_EQ(text(2), small(2));
}

TEST_F(TranslationRetrTest, MessageThatOnlyBeginsLikeAnInventedOneIsDelivered) {
  settings.imap.profile = config::ImapProfile::courier;
  const std::string real =
      "From: System Administrator <root@localhost>\r\nSubject: message unavailable\r\n\r\nreal\r\n";
  imap.deliver(real);
  ASSERT_EQ(open(), "");
  EXPECT_EQ(text(1), real);
}

TEST_F(TranslationRetrTest, RefusalConcernsThatMessageOnly) {
  const char* refusals[] = {"NO",
                            "NO [UNAVAILABLE] later",
                            "NO [SERVERBUG] oops",
                            "NO [LIMIT] UID FETCH Rate limit hit",
                            "NO [INUSE] x",
                            "NO [CORRUPTION] x",
                            "NO slow down [THROTTLED]",
                            "BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds"};
  fill(2);
  ASSERT_EQ(open(), "");
  for (const char* refusal : refusals) {
    answer(1, std::string("$TAG ") + refusal + "\r\n");
    Kept sink;
    EXPECT_EQ(retrieve(sink), "message_unavailable") << refusal;
    EXPECT_FALSE(sink.begun);
    EXPECT_EQ(text(2), small(2));
  }
  EXPECT_EQ(imap.connections, 1U);
}

TEST_F(TranslationRetrTest, GoodbyeOrEndBeforeTheLiteralIsTriedAgain) {
  fill(2);
  ASSERT_EQ(open(), "");
  const std::string begun = "* 1 FETCH (UID 1 BODY[] {1";
  for (const Script& script : {Script{step::send("* BYE busy\r\n"), step::close()}, Script{step::close()},
                               Script{step::send(begun), step::reset()}, Script{step::reset()}}) {
    imap.once(whole("1"), script);
    Kept sink;
    EXPECT_EQ(retrieve(sink), "");
    EXPECT_EQ(sink.text, small(1));
  }
  EXPECT_EQ(imap.connections, 5U);
  EXPECT_EQ(cells->reconnects.value(), 4U);
}

struct Answer {
  const char* said;  ///< the response to a FETCH of UID 1, without its tagged line
  const char* text;  ///< "" or what is delivered
};

TEST_F(TranslationRetrTest, EveryFormOfAnAnswerIsTaken) {
  const Answer answers[] = {
      {"* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n", "abc\r\n"},
      {"* 1 FETCH (UID 1 BODY[] {3+}\r\nabc)\r\n", "abc\r\n"},
      {"* 1 FETCH (UID 1 BODY[] ~{3}\r\nabc)\r\n", "abc\r\n"},
      {"* 1 FETCH (BODY[] \"a\\\"b\\\\\" UID 1)\r\n", "a\"b\\\r\n"},
      {"* 1 FETCH (UID 1 BODY[] \"\")\r\n", "\r\n"},
      {"* 1 FETCH (BODY[] {3}\r\nabc UID 1)\r\n", "abc\r\n"},
      {"* 1 FETCH (BODY[] {3}\r\nabc UID 1 FLAGS (\\Seen))\r\n", "abc\r\n"},
      {"* 1 FETCH (FLAGS (\\Flagged $Foo) UID 1 BODY[] {3}\r\nabc)\r\n", "abc\r\n"},
      {"* 1 FETCH (X-FOO (a (b \"c)\")) UID 1 BODY[] {3}\r\nabc)\r\n", "abc\r\n"},
      {"* 1 fetch (uid 1 body[] {3}\r\nabc)\r\n", "abc\r\n"},
      {"* 1 FETCH (UID 1 BODY[]<0> {3}\r\nabc)\r\n", "abc\r\n"},
      {"* 1 FETCH (UID 1 RFC822 {3}\r\nabc)\r\n", "abc\r\n"},
      {"* 14 EXISTS\r\n* 0 RECENT\r\n* 1 FETCH (FLAGS ($Foo) UID 2)\r\n* 1 FETCH (UID 1 BODY[] "
       "{3}\r\nabc)\r\n",
       "abc\r\n"},
      {"* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 2 EXPUNGE\r\n* 30 EXISTS\r\n",
       "abc\r\n"},
      {"* 1 FETCH (FLAGS (\\Seen) UID 1)\r\n* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n", "abc\r\n"},
      {"* OK [ALERT] disk full\r\n* SEARCH 1 2 3\r\n* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n", "abc\r\n"},
      {"* 1 FETCH (UID 1 BODY[] NIL)\r\n* 1 EXPUNGE\r\n", "message_gone"},
      {"* 1 FETCH (UID 1 BODY[])\r\n", "message_gone"},
      {"* 1 FETCH (UID 1)\r\n", "message_gone"},
      {"", "message_gone"},
  };
  fill(2);
  ASSERT_EQ(open(), "");
  for (const Answer& each : answers) {
    answer(1, std::string(each.said) + "$TAG OK [EXPUNGEISSUED] x\r\n");
    EXPECT_EQ(text(1), each.text) << each.said;
    EXPECT_EQ(text(2), small(2)) << each.said;
  }
  EXPECT_EQ(imap.connections, 1U);
}

TEST_F(TranslationRetrTest, AnswerThatIsNotToTheQuestionIsNotBegun) {
  const char* answers[] = {
      "* 1 FETCH (UID 2 BODY[] {3}\r\nabc)\r\n",        // another message
      "* 1 FETCH (UID 1 BODY[]<5> {3}\r\nabc)\r\n",     // the middle of one
      "* 1 FETCH (UID 1 BODY[TEXT] {3}\r\nabc)\r\n",    // without its header
      "* 1 FETCH (UID 1 BODY[HEADER] {3}\r\nabc)\r\n",  // without its body
      "* 1 FETCH (UID 1 BODY[1] {3}\r\nabc)\r\n",
      "* 1 FETCH (UID 1 BODY[] {3}x\r\nabc)\r\n",
      "+ go ahead\r\n",
  };
  fill(2);
  for (const char* said : answers) {
    ASSERT_EQ(open(), "");
    answer(1, std::string(said) + "$TAG OK x\r\n");
    Kept sink;
    EXPECT_EQ(retrieve(sink), "backend_protocol") << said;
    EXPECT_FALSE(sink.begun) << said;
  }
}

TEST_F(TranslationRetrTest, ArrivesAsPop3WantsItSplitAnywhere) {
  const std::pair<std::string, std::string> vectors[] = {
      {"a\n.\nb\r.\rc\r\n.\r\nend", "a\r\n..\r\nb\r.\rc\r\n..\r\nend\r\n"},
      {"", "\r\n"},
      {".", "..\r\n"},
      {"\r", "\r\r\n"},
      {"\n", "\r\n"},
      {"x\r\n.y\r\n", "x\r\n..y\r\n"},
      {std::string("a\0b\r\n", 5),
       "a\x80"
       "b\r\n"}};
  fill(1);
  ASSERT_EQ(open(), "");
  for (const auto& [literal, wire] : vectors) {
    const std::string said = "* 1 FETCH (UID 1 BODY[] " + ImapStore::literal(literal) + ")\r\n";
    for (std::size_t cut = 1; cut < said.size(); ++cut) {
      answer_in_two(1, said, cut);
      Kept sink;
      ASSERT_EQ(retrieve(sink), "") << cut;
      ASSERT_EQ(sink.text, wire) << cut;
      ASSERT_EQ(sink.size, literal.size());
    }
  }
}

TEST_F(TranslationRetrTest, NulStaysWhereTheOperatorWantsIt) {
  settings.imap.nul = config::Nul::pass;
  imap.deliver(std::string("a\0b\r\n", 5));
  ASSERT_EQ(open(), "");
  EXPECT_EQ(text(1), std::string("a\0b\r\n", 5));
}

TEST_F(TranslationRetrTest, LastLineEndComesWithTheEnd) {
  deliver({kText, "", "x", "\r"});
  ASSERT_EQ(open(), "");
  const std::string tails[] = {"\r\n", "\r\n", "\r\n", "\r\r\n"};
  for (std::uint32_t message = 1; message <= 4; ++message) {
    Kept sink;
    EXPECT_EQ(retrieve(sink, message), "");
    EXPECT_EQ(sink.last_tail, tails[message - 1]);
    EXPECT_TRUE(sink.ended);
  }
}

struct Broken {
  Script script;
  const char* failure;
};

TEST_F(TranslationRetrTest, MessageThatIsNotWholeNeverEnds) {
  const std::string head = "* 1 FETCH (UID 1 BODY[] {100}\r\n", octets(60, 'x');
  const std::string short_head = "* 1 FETCH (UID 1 BODY[] {60}\r\n", more(100, 'x');
  const Broken broken[] = {
      {{step::send(head + octets), step::close()}, "backend_lost"},
      {{step::send(head + octets), step::pause(1s), step::reset()}, "backend_lost"},
      {{step::send(head + octets + ")\r\n$TAG OK\r\n")}, "backend_timeout"},
      {{step::send(short_head + more + ")\r\n$TAG OK\r\n")}, "backend_protocol"},
      {{step::send(short_head + octets), step::close()}, "backend_lost"},
      {{step::send(short_head + octets + ")"), step::close()}, "backend_lost"},
      {{step::send(short_head + octets)}, "backend_timeout"},
      {{step::send(short_head + octets + " BODY[] {3}\r\nabc)\r\n$TAG OK\r\n")}, "backend_protocol"},
      {{step::send("* 1 FETCH (BODY[] {3}\r\nabc)\r\n$TAG OK\r\n")}, "backend_protocol"},
      {{step::send("* 1 FETCH (BODY[] {3}\r\nabc UID 2)\r\n$TAG OK\r\n")}, "backend_protocol"},
  };
  fill(2);
  for (const Broken& each : broken) {
    ASSERT_EQ(open(), "");
    snapshots.failed.clear();
    answer(1, each.script);
    const std::size_t commands = imap.commands.size() + 1;
    Kept sink;
    EXPECT_EQ(retrieve(sink), each.failure);
    EXPECT_TRUE(sink.begun);
    EXPECT_FALSE(sink.ended);
    EXPECT_FALSE(sink.text.ends_with("\r\n"));
    maildrop.reset();
    scheduler.run_until_idle();
    EXPECT_EQ(imap.commands.size(), commands);  // nothing after it, no goodbye either
  }
}

TEST_F(TranslationRetrTest, SizeThatWasNotListedIsDeliveredAndLearned) {
  imap.deliver(std::string(6298, 'x'));
  imap.message(1).size = 19189;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 19189\r\n");
  Kept sink;
  EXPECT_EQ(retrieve(sink), "");
  EXPECT_EQ(sink.size, 6298U);
  EXPECT_TRUE(sink.ended);
  EXPECT_EQ(listing(), "1 19189\r\n");
  EXPECT_EQ(cells->size_mismatches.value(), 1U);
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 6298\r\n");
  EXPECT_EQ(imap.count("UID FETCH"), 2U);
}

TEST_F(TranslationRetrTest, SizesAreLearnedOnlyWhereTheyAreToBe) {
  settings.imap.sizes = config::Sizes::trust;
  imap.deliver(kText);
  imap.message(1).size = 5;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(text(1), kText);
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 5\r\n");
}

TEST_F(TranslationRetrTest, SinkThatFailsLeavesNothingBehind) {
  imap.deliver(std::string(500'000, 'x'));
  for (const bool refuses_begin : {true, false}) {
    ASSERT_EQ(open(), "");
    Kept sink;
    sink.refuses_begin = refuses_begin;
    sink.refuses_from = 100'000;
    EXPECT_EQ(retrieve(sink), refuses_begin ? "client_reset" : "client_stalled");
    EXPECT_FALSE(sink.ended);
    maildrop->rest();
    settle();
    EXPECT_EQ(commit(), "");
  }
}

TEST_F(TranslationRetrTest, CancelledScopeEndsWithItsReason) {
  imap.deliver(kText);
  ASSERT_EQ(open(), "");
  answer(1, {step::send("* 1 FETCH (UID 1 BODY[] {100}\r\nhalf\r\n"), step::pause(1h)});
  Kept sink;
  Running<Result<void>> running(scheduler, maildrop->retrieve(1, sink));
  scheduler.run_until_idle();
  EXPECT_FALSE(running.done());
  scope.cancel(FailureKind::kicked);
  scheduler.run_until_idle();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(failure(running.take()), "kicked");
  EXPECT_FALSE(sink.ended);
  EXPECT_TRUE(snapshots.failed.empty());
}

TEST_F(TranslationRetrTest, DeletedAndUnknownNumbersAskNobody) {
  fill(2);
  ASSERT_EQ(open(), "");
  EXPECT_EQ(mark(1), "");
  const std::size_t before = imap.commands.size();
  for (const std::uint32_t message : {0U, 1U, 3U, 4'000'000'000U}) EXPECT_EQ(text(message), "no_message");
  EXPECT_EQ(imap.commands.size(), before);
}

}  // namespace
}  // namespace postern::maildrop
