// A mailbox at a POP3 server: its answers, and what is made of those that are none.
#include "unit/maildrop/relay_fixture.hpp"

namespace postern::maildrop {
namespace {

class RelayAnswerTest : public RelayTest {
 protected:
  std::string uidl(const std::string& said) {
    answer("UIDL 7", said);
    EXPECT_EQ(open(), "");
    const Result<std::string> id = scheduler.run(maildrop->uidl(7));
    return id ? *id : failure(id);
  }
  std::string commit() {
    const coro::Deadline deadline(scheduler.now() + 10min);
    const Result<void> done = scheduler.run(maildrop->commit(deadline));
    return failure(done);
  }
  std::string mark() { return failure(scheduler.run(maildrop->mark_deleted(1))); }
};

TEST_F(RelayAnswerTest, RefusedLoginOpensNothing) {
  EXPECT_EQ(open("wrong"), "auth_refused");
  EXPECT_EQ(phase, Phase::backend_login);
  EXPECT_EQ(open(), "");
  EXPECT_EQ(phase, Phase::open);
  EXPECT_EQ(maildrop->server(), "192.0.2.10:110");
}

TEST_F(RelayAnswerTest, PasswordIsShownToOneServerOnly) {
  settings.servers.push_back(config::Server{"192.0.2.11", 110, {}});
  network.host("192.0.2.11", 110).serve = [this](Peer& peer) { store.serve(peer); };
  for (const Script& end : {Script{step::close()}, Script{step::send("what\r\n")}, Script{step::pause(1h)}}) {
    answer("AUTH", end);
    const unsigned before = store.logins;
    EXPECT_NE(open(), "");
    EXPECT_EQ(store.logins, before + 1);
  }
}

TEST_F(RelayAnswerTest, FormsOfUidlOfOneMessage) {
  EXPECT_EQ(uidl("+OK 7 abc\r\n"), "abc");
  EXPECT_EQ(uidl("+OK   7   abc  \r\n"), "abc");
  EXPECT_EQ(uidl("+OK abc\r\n"), "abc");  // some leave the number out
  EXPECT_EQ(uidl("+OK abc more\r\n"), "abc");
  EXPECT_EQ(uidl("+OK 7 abc more\r\n"), "abc");
  EXPECT_EQ(uidl("+OK 7 " + std::string(70, '~') + "\r\n"), std::string(70, '~'));
}

TEST_F(RelayAnswerTest, WhatIsNoUniqueIdIsNotPassedOn) {
  EXPECT_EQ(uidl("+OK\r\n"), "backend_protocol");
  EXPECT_EQ(uidl("+OK 8 abc\r\n"), "backend_protocol");  // that of another message
  EXPECT_EQ(uidl("+OK 7 " + std::string(71, '~') + "\r\n"), "backend_protocol");
  EXPECT_EQ(uidl("+OK 7 \x7f\r\n"), "backend_protocol");
  EXPECT_EQ(uidl("+OK 7 a\tb\r\n"), "backend_protocol");
  EXPECT_EQ(uidl("+OK 7 \xe9\r\n"), "backend_protocol");
}

TEST_F(RelayAnswerTest, MalformedNumbersAreNotPassedOn) {
  for (const char* said :
       {"+OK\r\n", "+OK many\r\n", "+OK 1\r\n", "+OK 1 x\r\n", "+OK -1 2\r\n", "+OK 4294967296 1\r\n",
        "+OK 1 99999999999999999999\r\n", "what\r\n", "+ 1 2\r\n"}) {
    answer("STAT", said);
    ASSERT_EQ(open(), "");
    EXPECT_EQ(failure(scheduler.run(maildrop->stat())), "backend_protocol") << said;
  }
  for (const char* said : {"+OK\r\n", "+OK 7\r\n", "+OK 8 100\r\n", "+OK 7 x\r\n"}) {
    answer("LIST", said);
    ASSERT_EQ(open(), "");
    EXPECT_EQ(failure(scheduler.run(maildrop->list(7))), "backend_protocol") << said;
  }
}

TEST_F(RelayAnswerTest, NumbersMayBeFollowedByText) {
  answer("STAT", "+OK 2 320 octets in the mailbox\r\n");
  answer("LIST 7", "+OK  7  120 octets\r\n");
  ASSERT_EQ(open(), "");
  const Result<Stat> stat = scheduler.run(maildrop->stat());
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->octets, 320U);
  EXPECT_EQ(*scheduler.run(maildrop->list(7)), 120U);
}

TEST_F(RelayAnswerTest, RefusalsMeanWhatTheirCodesSay) {
  const std::pair<const char*, const char*> rows[] = {{"-ERR gone\r\n", "no_message"},
                                                      {"-ERR [SYS/TEMP] x\r\n", "message_unavailable"},
                                                      {"-ERR [SYS/PERM] x\r\n", "message_unreadable"},
                                                      {"-ERR [AUTH] x\r\n", "no_message"}};
  ASSERT_EQ(open(), "");
  for (const auto& [said, kind] : rows) {
    answer("RETR", said);
    Kept sink;
    EXPECT_EQ(retrieve(sink), kind) << said;
    EXPECT_FALSE(sink.begun);
  }
  answer("STAT", "-ERR gone\r\n");
  EXPECT_EQ(failure(scheduler.run(maildrop->stat())), "command_refused");
}

TEST_F(RelayAnswerTest, CodesOfWhoDidNotAnnounceThemAreNotBelieved) {
  store.capabilities = {"TOP", "UIDL", "SASL PLAIN", "AUTH-RESP-CODE"};
  answer("RETR", "-ERR [SYS/TEMP] x\r\n");
  ASSERT_EQ(open(), "");
  Kept sink;
  EXPECT_EQ(retrieve(sink), "no_message");
}

TEST_F(RelayAnswerTest, CommandThatTheServerLacksIsNotAMissingMessage) {
  store.capabilities = {"UIDL", "SASL PLAIN", "AUTH-RESP-CODE"};
  answer("TOP", "-ERR unknown command\r\n");
  answer("UIDL", "-ERR unknown command\r\n");
  ASSERT_EQ(open(), "");
  EXPECT_FALSE(maildrop->has_top());
  EXPECT_TRUE(maildrop->has_uidl());
  Kept sink;
  EXPECT_EQ(failure(scheduler.run(maildrop->top(1, 0, sink))), "command_refused");
  EXPECT_EQ(failure(scheduler.run(maildrop->uidl(sink))), "command_refused");
  EXPECT_FALSE(maildrop->has_uidl());
}

TEST_F(RelayAnswerTest, UidlThatFailsForNowStaysOffered) {
  answer("UIDL", "-ERR [SYS/TEMP] later\r\n");
  ASSERT_EQ(open(), "");
  Kept sink;
  EXPECT_EQ(failure(scheduler.run(maildrop->uidl(sink))), "message_unavailable");
  EXPECT_TRUE(maildrop->has_uidl());
}

TEST_F(RelayAnswerTest, OctetsThatNobodyAskedForAreAnError) {
  answer("NOOP", {step::send("+OK\r\n"), step::pause(1s), step::send("+OK surplus\r\n")});
  ASSERT_EQ(open(), "");
  EXPECT_EQ(failure(scheduler.run(maildrop->noop())), "");
  scheduler.advance(1s);
  EXPECT_EQ(mark(), "backend_protocol");
  EXPECT_EQ(asked(), "NOOP\r\n");  // DELE was not even sent
}

TEST_F(RelayAnswerTest, RestGivesEverythingBack) {
  store.messages = {std::string(200'000, 'x') + "\n\r\n"};
  ASSERT_EQ(open(), "");
  maildrop->rest();
  EXPECT_EQ(pool.leased(), 0U);
  Kept sink;
  EXPECT_EQ(retrieve(sink), "");
  maildrop->rest();
  EXPECT_EQ(pool.leased(), 0U);
  EXPECT_EQ(failure(scheduler.run(maildrop->noop())), "");
}

TEST_F(RelayAnswerTest, CommitTellsWhatTheServerMadeOfIt) {
  store.messages = {"a\r\n\r\n"};
  const std::pair<Script, const char*> rows[] = {{{step::send("+OK\r\n")}, ""},
                                                 {{step::send("-ERR some not removed\r\n")}, "update_failed"},
                                                 {{step::send("+ \r\n")}, "update_failed"},
                                                 {{step::close()}, "update_failed"},
                                                 {{step::reset()}, "update_failed"},
                                                 {{step::pause(1h)}, "update_failed"},
                                                 {{step::pause(9min), step::send("+OK\r\n")}, ""}};
  for (const auto& [script, kind] : rows) {
    answer("QUIT", script);
    ASSERT_EQ(open(), "");
    ASSERT_EQ(mark(), "");
    EXPECT_EQ(commit(), kind);
  }
}

TEST_F(RelayAnswerTest, CommitOfNothingIsNotWaitedForAndCannotFail) {
  answer("QUIT", {step::pause(1h)});
  ASSERT_EQ(open(), "");
  const TimePoint begun = scheduler.now();
  EXPECT_EQ(commit(), "");
  EXPECT_EQ(scheduler.now() - begun, 5s);
  answer("QUIT", "-ERR\r\n");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(commit(), "");
}

TEST_F(RelayAnswerTest, AnswerThatNobodyAskedForIsNotTakenForThatToQuit) {
  store.messages = {"a\r\n\r\n"};
  answer("DELE", "+OK\r\n+OK surplus\r\n");
  ASSERT_EQ(open(), "");
  ASSERT_EQ(mark(), "");
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(asked(), "DELE 1\r\nQUIT\r\n");  // it is to remove what was named nevertheless
}

}  // namespace
}  // namespace postern::maildrop
