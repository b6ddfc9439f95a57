// Commands that are sent ahead (RFC 2449 §6.6).
#include "unit/maildrop/relay_fixture.hpp"

namespace postern::maildrop {
namespace {

class RelayAheadTest : public RelayTest {
 protected:
  RelayAheadTest() { store.messages = {"a\r\n\r\n", "b\r\n\r\n", "c\r\n\r\n"}; }

  QueuedCommand command(pop3::Verb verb, std::optional<std::uint32_t> message = std::nullopt,
                        std::uint64_t top = 0) {
    QueuedCommand made;
    made.sequence = ++sequence;
    made.verb = verb;
    made.message = message;
    made.lines = top;
    return made;
  }
  void expect(const std::vector<QueuedCommand>& commands) { maildrop->expect(commands); }
  /// What the server has got once nothing happens any more.
  std::string sent() {
    scheduler.run_until_idle();
    return asked();
  }

  std::uint64_t sequence = 0;
};

TEST_F(RelayAheadTest, LeavesWithTheFirstWaitInOrderAndOnce) {
  store.late["NOOP"] = 10s;
  ASSERT_EQ(open(), "");
  const std::vector<QueuedCommand> commands = {command(pop3::Verb::noop), command(pop3::Verb::top, 3, 7),
                                               command(pop3::Verb::uidl), command(pop3::Verb::dele, 2)};
  expect(commands);
  expect(commands);
  EXPECT_EQ(sent(), "");
  Running<Result<void>> noop(scheduler, maildrop->noop());
  EXPECT_EQ(sent(), "NOOP\r\nTOP 3 7\r\nUIDL\r\nDELE 2\r\n");
  scheduler.advance(10s);
  EXPECT_EQ(failure(noop.take()), "");
  Kept top, uidl;
  EXPECT_EQ(failure(scheduler.run(maildrop->top(3, 7, top))), "");
  EXPECT_EQ(failure(scheduler.run(maildrop->uidl(uidl))), "");
  EXPECT_EQ(failure(scheduler.run(maildrop->mark_deleted(2))), "");
  EXPECT_EQ(sent(), "NOOP\r\nTOP 3 7\r\nUIDL\r\nDELE 2\r\n");
}

TEST_F(RelayAheadTest, NothingGoesAheadToWhoDidNotOfferIt) {
  store.capabilities = {"TOP", "UIDL", "SASL PLAIN", "AUTH-RESP-CODE"};
  store.late["NOOP"] = 1s;
  ASSERT_EQ(open(), "");
  expect({command(pop3::Verb::noop), command(pop3::Verb::noop)});
  Running<Result<void>> first(scheduler, maildrop->noop());
  EXPECT_EQ(sent(), "NOOP\r\n");
  scheduler.advance(1s);
  EXPECT_EQ(failure(first.take()), "");
}

TEST_F(RelayAheadTest, WhatTheServerDoesNotTakeIsBounded) {
  ASSERT_EQ(open(), "");
  server().stop_reading();
  server().link().from(Side::a).rules.capacity = 0;
  std::vector<QueuedCommand> commands;
  for (std::uint32_t i = 1; i <= 2000; ++i) commands.push_back(command(pop3::Verb::retr, 4'000'000'000 + i));
  expect(commands);
  server().link().from(Side::a).rules.capacity = 64_KiB;
  server().read_on();
  answer("RETR", "-ERR no\r\n");
  Kept sink;
  EXPECT_EQ(retrieve(sink, 4'000'000'001), "no_message");
  EXPECT_LE(sent().size(), 8_KiB);
  EXPECT_GT(sent().size(), 7_KiB);
  // What did not fit goes when there is room, in order.
  for (std::uint32_t i = 2; i <= 2000; ++i) {
    expect(std::vector<QueuedCommand>(commands.begin() + i - 1, commands.end()));
    ASSERT_EQ(retrieve(sink, 4'000'000'000 + i), "no_message");
  }
  EXPECT_EQ(store.count("RETR"), 2000U);
}

TEST_F(RelayAheadTest, AnswersOfLargeMessagesAreReadWhileCommandsWait) {
  store.messages = {std::string(300'000, 'x') + "\r\n", "b\r\n", "c\r\n"};
  ASSERT_EQ(open(), "");
  expect({command(pop3::Verb::retr, 1), command(pop3::Verb::retr, 2), command(pop3::Verb::retr, 3)});
  for (const std::uint32_t message : {1U, 2U, 3U}) {
    Kept sink;
    ASSERT_EQ(retrieve(sink, message), "");
    EXPECT_EQ(sink.text, store.messages[message - 1]);
  }
}

TEST_F(RelayAheadTest, AnswerBehindTheLastOneIsNotTakenForAnAnswer) {
  ASSERT_EQ(open(), "");
  answer("RETR 2", "+OK\r\nb\r\n.\r\n+OK surplus\r\n");
  expect({command(pop3::Verb::retr, 1), command(pop3::Verb::retr, 2)});
  Kept first, second;
  EXPECT_EQ(retrieve(first, 1), "");
  EXPECT_EQ(retrieve(second, 2), "");
  EXPECT_EQ(failure(scheduler.run(maildrop->mark_deleted(1))), "backend_protocol");
}

}  // namespace
}  // namespace postern::maildrop
