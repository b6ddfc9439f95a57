// The two invariants, with the connection cut at every octet (protocol §E, 3): (I1) nothing is presented as
// complete that is not, nothing is removed that was not marked; (I2) after a QUIT that was answered with OK,
// exactly what was marked is gone.
#include "unit/maildrop/fetch_fixture.hpp"
#include "unit/maildrop/wire_form.hpp"

namespace postern::maildrop {
namespace {

using testing::ElementsAre;
using testing::IsSubsetOf;

const std::string kFirst = "Subject: first\r\n\r\n.dots\r\nbare\nend";
const std::string kSecond = "Subject: second\r\n\r\nbody\r\n\r\n";

class TranslationCutsTest : public FetchTest {
 protected:
  TranslationCutsTest() {
    imap.capabilities = {"IMAP4rev1", "AUTH=PLAIN", "SASL-IR"};
    network.host("192.0.2.20", 143).serve = [this](Peer& peer) {
      imap.serve(peer);
      if (cut_next_) peer.link().from(side_).cut_after(*std::exchange(cut_next_, {}), ending_);
    };
  }

  /// A new mailbox, and a first connection that is cut so.
  void cut(Side side, Ending ending, std::uint64_t octets) {
    side_ = side;
    ending_ = ending;
    cut_next_ = octets;
    imap.inbox() = ImapStore::Mailbox();
    for (const std::string& text : {kFirst, kSecond, kFirst}) imap.deliver(text);
    imap.removals.clear();
    snapshots.snapshots.clear();
    snapshots.failed.clear();
  }

  /// What a client sees of a message. False: it would be cut off.
  bool check_message(const Result<void>& done, const Kept& sink, const std::string& wire) {
    EXPECT_EQ(sink.ended, done.has_value());
    if (sink.ended) {
      EXPECT_EQ(sink.text, wire);
    }
    EXPECT_EQ(sink.text, wire.substr(0, sink.text.size()));
    if (sink.begun && !sink.ended) {
      EXPECT_LT(sink.text.size(), wire.size());
    }
    return !done ? !failure_row(done.error().kind()).closes_transaction && !sink.begun : true;
  }
  bool check_retr(std::uint32_t message, const std::string& text) {
    Kept sink;
    const Result<void> done = run(maildrop->retrieve(message, sink));
    return check_message(done, sink, wire_form(text));
  }
  bool check_top(std::uint32_t message, const std::string& text) {
    Kept sink;
    const Result<void> done = run(maildrop->top(message, 1, sink));
    return check_message(done, sink, top_of(text, 1));
  }

  /// An ordinary session, as far as it comes; what the commit said, "" also if it did not come to that.
  void run_session() {
    if (!open().empty()) return;
    if (!check_retr(1, kFirst) || !check_top(2, kSecond)) return;
    if (!mark(1).empty() || !check_retr(2, kSecond)) return;
    committed_ = true;
    const bool ok = commit().empty();
    EXPECT_THAT(imap.removed(), IsSubsetOf({1U}));
    if (ok) {
      EXPECT_THAT(imap.uids(), ElementsAre(2, 3));
    }
    successes_ += ok;
  }

  /// How many octets that side sends in a session that is not cut.
  std::uint64_t length(Side side) {
    cut(side, Ending::eof, UINT64_MAX);
    run_session();
    maildrop.reset();
    scheduler.run_until_idle();
    return server().link().from(side).sent().size();
  }

  void cut_everywhere(Side side, Ending ending) {
    const std::uint64_t octets = length(side);
    EXPECT_GT(octets, 200U);
    successes_ = 0;
    for (std::uint64_t at = 0; at <= octets && !HasFailure(); ++at) {
      SCOPED_TRACE("cut after " + std::to_string(at));
      committed_ = false;
      cut(side, ending, at);
      run_session();
      maildrop.reset();
      scheduler.run_until_idle();
      EXPECT_TRUE(committed_ || imap.removed().empty());
    }
    EXPECT_GT(successes_, octets / 8);  // many cuts are mended
  }

  std::optional<std::uint64_t> cut_next_;
  Side side_ = Side::a;
  Ending ending_ = Ending::eof;
  bool committed_ = false;
  std::uint64_t successes_ = 0;
};

TEST_F(TranslationCutsTest, OfTheServersOctetsByEof) {
  cut_everywhere(Side::b, Ending::eof);
}
TEST_F(TranslationCutsTest, OfTheServersOctetsByReset) {
  cut_everywhere(Side::b, Ending::reset);
}
TEST_F(TranslationCutsTest, OfTheGatewaysOctetsByEof) {
  cut_everywhere(Side::a, Ending::eof);
}
TEST_F(TranslationCutsTest, OfTheGatewaysOctetsByReset) {
  cut_everywhere(Side::a, Ending::reset);
}

TEST_F(TranslationCutsTest, AtAServerWithoutUidplus) {
  imap.capabilities_after = {"IMAP4rev1"};
  for (const Side side : {Side::a, Side::b}) cut_everywhere(side, Ending::eof);
}

TEST_F(TranslationCutsTest, AtAServerThatTellsUidsLateAndGoneMessagesByName) {
  imap.order = ImapStore::Order::uid_last;
  imap.sends_vanished = true;
  imap.always_flags = true;
  cut_everywhere(Side::b, Ending::eof);
}

TEST_F(TranslationCutsTest, WithWhatWasAskedForAheadOnTheWay) {
  const auto session = [this] {
    if (!open().empty()) return;
    expect_retr({1, 2, 3});
    if (!check_retr(1, kFirst)) return;
    settle();
    if (check_retr(2, kSecond)) check_retr(3, kFirst);
  };
  cut(Side::b, Ending::eof, UINT64_MAX);
  session();
  const std::uint64_t octets = server().link().from(Side::b).sent().size();
  for (std::uint64_t at = 0; at <= octets && !HasFailure(); ++at) {
    SCOPED_TRACE("cut after " + std::to_string(at));
    cut(Side::b, Ending::eof, at);
    session();
  }
}

}  // namespace
}  // namespace postern::maildrop
