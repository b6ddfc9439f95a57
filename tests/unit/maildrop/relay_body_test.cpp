// A body on its way from a POP3 server (RFC 1939 §3), at every place where it can be cut.
#include "unit/maildrop/relay_fixture.hpp"

namespace postern::maildrop {
namespace {

const std::string kStatus = "+OK 40 octets\r\n";
const std::string kBody = "Subject: x\r\n\r\n..stuffed\r\n.\r.\r\nend\r\n";
const std::string kEnd = ".\r\n";

class RelayBodyTest : public RelayTest {
 protected:
  /// The answer to RETR in two pieces with a second between them.
  void answer_in_two(const std::string& whole, std::size_t cut) {
    answer("RETR", {step::send(whole.substr(0, cut)), step::pause(1s), step::send(whole.substr(cut))});
  }
  /// Announces, begins to answer, and dies so many octets later.
  void answer_and_die(const std::string& octets, Ending ending) {
    answer("RETR",
           {step::send(octets), step::pause(1s), ending == Ending::eof ? step::close() : step::reset()});
  }
};

TEST_F(RelayBodyTest, ArrivesUntouchedSplitAnywhere) {
  for (const std::string& body :
       {kBody, std::string(), std::string("\r\n"), std::string("..\r\n"), std::string("x\r\n")}) {
    const std::string whole = kStatus + body + kEnd;
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
      answer_in_two(whole, cut);
      ASSERT_EQ(open(), "");
      Kept sink;
      ASSERT_EQ(retrieve(sink), "") << cut;
      EXPECT_TRUE(sink.ended);
      ASSERT_EQ(sink.text, body) << cut;
      EXPECT_EQ(sink.size, 40U);
    }
  }
}

TEST_F(RelayBodyTest, ArrivesUntouchedInPacketsOfOneOctet) {
  answer("RETR", kStatus + kBody + kEnd);
  ASSERT_EQ(open(), "");
  server().link().from(Side::b).rules.most_per_read = 1;
  Kept sink;
  EXPECT_EQ(retrieve(sink), "");
  EXPECT_EQ(sink.text, kBody);
}

TEST_F(RelayBodyTest, LastLineEndComesWithTheEnd) {
  answer("RETR 1", kStatus + kBody + kEnd);
  answer("RETR 2", kStatus + kEnd);
  ASSERT_EQ(open(), "");
  Kept body, empty;
  retrieve(body);
  EXPECT_EQ(body.last_tail, "\r\n");
  retrieve(empty, 2);
  EXPECT_EQ(empty.last_tail, "");
  EXPECT_EQ(empty.text, "");
  EXPECT_EQ(empty.writes, 0U);
}

TEST_F(RelayBodyTest, LineWithoutEndIsNoProblem) {
  const std::string line(1'000'000, 'x');
  answer("RETR", kStatus + line + "\r\n" + kEnd);
  ASSERT_EQ(open(), "");
  Kept sink;
  EXPECT_EQ(retrieve(sink), "");
  EXPECT_EQ(sink.text, line + "\r\n");
  maildrop->rest();
  EXPECT_EQ(pool.leased(), 0U);
}

TEST_F(RelayBodyTest, ServerThatDiesAtAnyOctetNeverEndsAnAnswer) {
  const std::string whole = kStatus + kBody + kEnd;
  for (const Ending ending : {Ending::eof, Ending::reset}) {
    for (std::size_t octets = 0; octets < whole.size(); ++octets) {
      answer_and_die(whole.substr(0, octets), ending);
      ASSERT_EQ(open(), "");
      Kept sink;
      ASSERT_EQ(retrieve(sink), "backend_lost") << octets;
      EXPECT_EQ(sink.begun, octets >= kStatus.size()) << octets;
      EXPECT_FALSE(sink.ended) << octets;
      EXPECT_EQ(sink.text, kBody.substr(0, sink.text.size())) << octets;
      EXPECT_FALSE(sink.text.ends_with("end\r\n"))
          << octets;  // a cut message has no line end that looks like its last
    }
  }
}

TEST_F(RelayBodyTest, ServerThatFallsSilentIsGivenUpAndNeverEndsAnAnswer) {
  answer("RETR 1", {step::send(kStatus + "half\r\n"), step::pause(1h)});
  answer("RETR 2", {step::send("+OK"), step::pause(1h)});
  for (const std::uint32_t message : {1U, 2U}) {
    ASSERT_EQ(open(), "");
    Kept sink;
    const TimePoint begun = scheduler.now();
    EXPECT_EQ(retrieve(sink, message), "backend_timeout");
    EXPECT_EQ(scheduler.now() - begun, 60s);
    EXPECT_EQ(sink.begun, message == 1);
    EXPECT_FALSE(sink.ended);
  }
}

TEST_F(RelayBodyTest, ServerThatGoesOnSlowlyIsWaitedFor) {
  Script slow = {step::send(kStatus)};
  for (int i = 0; i < 5; ++i) {
    slow.push_back(step::pause(59s));
    slow.push_back(step::send("line\r\n"));
  }
  slow.push_back(step::send(kEnd));
  answer("RETR", slow);
  ASSERT_EQ(open(), "");
  Kept sink;
  EXPECT_EQ(retrieve(sink), "");
}

TEST_F(RelayBodyTest, CancelledScopeEndsWithItsReason) {
  answer("RETR", {step::send(kStatus + "half\r\n"), step::pause(1h)});
  ASSERT_EQ(open(), "");
  Kept sink;
  Running<Result<void>> running(scheduler, maildrop->retrieve(1, sink));
  scheduler.run_until_idle();
  EXPECT_FALSE(running.done());
  scope.cancel(FailureKind::kicked);
  scheduler.run_until_idle();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(failure(running.take()), "kicked");
  EXPECT_TRUE(sink.begun);
  EXPECT_FALSE(sink.ended);
}

TEST_F(RelayBodyTest, SinkThatFailsStopsTheTransfer) {
  answer("RETR", kStatus + std::string(500'000, 'x') + "\r\n" + kEnd);
  ASSERT_EQ(open(), "");
  Kept sink;
  sink.refuses_from = 100'000;
  EXPECT_EQ(retrieve(sink), "client_stalled");
  EXPECT_LT(sink.text.size(), 200'000U);
  EXPECT_FALSE(sink.ended);
}

TEST_F(RelayBodyTest, BareLineFeedsAreRepairedSplitAnywhere) {
  const std::string body = "a\nb\r\n.c\n.d\n.\ne\r\n", repaired = "a\r\nb\r\n.c\r\n..d\r\n..\r\ne\r\n";
  const std::string whole = kStatus + body + kEnd;
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    answer_in_two(whole, cut);
    ASSERT_EQ(open(), "");
    Kept sink;
    ASSERT_EQ(retrieve(sink), "") << cut;
    ASSERT_EQ(sink.text, repaired) << cut;
  }
  EXPECT_EQ(cells->eol_repaired.value(), 4 * (whole.size() - 1));
}

TEST_F(RelayBodyTest, BareLineFeedsStayWhereTheOperatorWantsIt) {
  settings.eol = config::Eol::exact;
  answer("RETR", kStatus + "a\nb\n.\nc\r\n" + kEnd);
  ASSERT_EQ(open(), "");
  Kept sink;
  EXPECT_EQ(retrieve(sink), "");
  EXPECT_EQ(sink.text, "a\nb\n.\nc\r\n");
  EXPECT_EQ(cells->eol_repaired.value(), 0U);
}

TEST_F(RelayBodyTest, ListingsAreStreamedToo) {
  answer("LIST", "+OK POP3 clients that break here, they violate STD53.\r\n" + kEnd);
  answer("UIDL", "+OK\r\n1   abc\r\n2 d\r\n" + kEnd);
  ASSERT_EQ(open(), "");
  Kept list, uidl;
  EXPECT_EQ(failure(scheduler.run(maildrop->list(list))), "");
  EXPECT_TRUE(list.ended);
  EXPECT_EQ(list.text, "");
  EXPECT_EQ(failure(scheduler.run(maildrop->uidl(uidl))), "");
  EXPECT_EQ(uidl.text, "1 abc\r\n2 d\r\n");
}

}  // namespace
}  // namespace postern::maildrop
