// A connection that is lost between two commands is made again, once, if the mailbox is still the same
// (SNAP-15).
#include "unit/maildrop/fetch_fixture.hpp"

namespace postern::maildrop {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class TranslationReconnectTest : public FetchTest {
 protected:
  TranslationReconnectTest() { fill(4); }

  void lose(Ending ending) {
    ending == Ending::eof ? server().close() : server().reset();
    scheduler.run_until_idle();
  }
  /// A step of an ordinary session; "" if it went well.
  static constexpr std::size_t kSteps = 6;
  std::string take(std::size_t number) {
    switch (number) {
      case 0:
        return text(1) == small(1) ? "" : "not message 1";
      case 1:
        return mark(1);
      case 2:
        return noop();
      case 3:
        return text(2) == small(2) ? "" : "not message 2";
      case 4:
        return top(4, 9) == small(4) ? "" : "not message 4";
      default:
        return commit();
    }
  }
  bool has_changed_anything() const {
    return imap.count("UID STORE") + imap.count("UID EXPUNGE") + imap.count("UID MOVE") != 0;
  }
};

TEST_F(TranslationReconnectTest, BetweenAnyTwoCommands) {
  for (const Ending ending : {Ending::eof, Ending::reset}) {
    for (std::size_t lost = 0; lost < kSteps; ++lost) {
      imap.inbox() = ImapStore::Mailbox();
      fill(4);
      ASSERT_EQ(open(), "");
      for (std::size_t i = 0; i < kSteps; ++i) {
        if (i == lost) lose(ending);
        EXPECT_EQ(take(i), "") << lost << ", " << i;
      }
      EXPECT_THAT(imap.uids(), ElementsAre(2, 3, 4));
    }
  }
  EXPECT_EQ(imap.connections, 2U * 2 * kSteps);
  EXPECT_EQ(imap.count("LOGOUT"), imap.connections / 2 - 1);  // the last one is still there
}

TEST_F(TranslationReconnectTest, AnotherUidvalidityEndsTheSession) {
  ASSERT_EQ(open(), "");
  EXPECT_EQ(mark(1), "");
  lose(Ending::eof);
  imap.inbox().uidvalidity = 77;
  EXPECT_EQ(text(2), "backend_protocol");
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_FALSE(has_changed_anything());
}

TEST_F(TranslationReconnectTest, NothingIsRemovedFromAnotherMailboxAtQuit) {
  ASSERT_EQ(open(), "");
  EXPECT_EQ(mark(1), "");
  lose(Ending::reset);
  imap.inbox().uidvalidity = 77;
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_FALSE(has_changed_anything());
  EXPECT_EQ(imap.uids().size(), 4U);
}

TEST_F(TranslationReconnectTest, UidsThatDoNotLastAreNotUsedAgain) {
  const auto forgets = [this](bool told) {
    imap.inbox().uid_not_sticky = told;
    imap.select_sends_uidvalidity = told;
  };
  for (const bool told : {true, false}) {
    forgets(told);
    ASSERT_EQ(open(), "");
    EXPECT_EQ(text(1), small(1));
    EXPECT_EQ(mark(1), "");
    lose(Ending::eof);
    EXPECT_EQ(text(2), "backend_protocol");
    EXPECT_EQ(commit(), "update_failed");
  }
  EXPECT_FALSE(has_changed_anything());
}

TEST_F(TranslationReconnectTest, CredentialsThatAreNoLongerGoodAreNotTheClientsFault) {
  const std::pair<const char*, const char*> refusals[] = {{"NO [AUTHENTICATIONFAILED] x", "backend_lost"},
                                                          {"NO [INUSE] x", "backend_lost"},
                                                          {"NO [LIMIT] x", "backend_lost"},
                                                          {"NO [UNAVAILABLE] x", "auth_unavailable"}};
  for (const auto& [refusal, kind] : refusals) {
    imap.password = "secret";
    ASSERT_EQ(open(), "");
    lose(Ending::eof);
    imap.password = "other";
    imap.login_refusal = refusal;
    EXPECT_EQ(text(1), kind);
    EXPECT_FALSE(failure_row(FailureKind::backend_lost).in_transaction.empty());
  }
  imap.password = "secret";
  EXPECT_EQ(text(1), small(1));
}

TEST_F(TranslationReconnectTest, ServerThatIsNotThereAnyMore) {
  ASSERT_EQ(open(), "");
  lose(Ending::eof);
  network.host("192.0.2.20", 143).way = test::Host::Way::refuses;
  EXPECT_EQ(text(1), "connect");
  network.host("192.0.2.20", 143).way = test::Host::Way::accepts;
  EXPECT_EQ(text(1), small(1));
}

TEST_F(TranslationReconnectTest, MailboxThatIsRefusedNow) {
  ASSERT_EQ(open(), "");
  lose(Ending::eof);
  imap.instead["SELECT"] = {step::send("$TAG NO [NONEXISTENT] gone\r\n")};
  EXPECT_EQ(text(1), "backend_lost");
  EXPECT_EQ(imap.connections, 2U);
}

TEST_F(TranslationReconnectTest, MailboxThatIsReadOnlyNow) {
  imap.read_only_says_ok = true;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(mark(1), "");
  lose(Ending::eof);
  imap.inbox().read_only = true;
  EXPECT_EQ(text(2), small(2));
  EXPECT_EQ(commit(), "update_failed");
  EXPECT_EQ(imap.uids().size(), 4U);
}

TEST_F(TranslationReconnectTest, ManyMessagesMayBeRemovedOverTheNewConnection) {
  for (int i = 0; i < 3000; ++i) imap.deliver("x\r\n");
  ASSERT_EQ(open(), "");
  for (std::uint32_t message = 1; message <= 3004; ++message) ASSERT_EQ(mark(message), "");
  lose(Ending::reset);
  EXPECT_EQ(commit(), "");
  EXPECT_THAT(imap.uids(), IsEmpty());
}

TEST_F(TranslationReconnectTest, FolderIsTheOneThatIsWanted) {
  view.folders = {"INBOX", "Other"};
  imap.deliver("Subject: other\r\n\r\n", "Other");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(text(1), small(1));
  lose(Ending::reset);
  EXPECT_EQ(text(5), "Subject: other\r\n\r\n");
  EXPECT_EQ(text(2), small(2));
  EXPECT_EQ(imap.connections, 2U);
}

TEST_F(TranslationReconnectTest, LostWhileAnotherFolderIsSelected) {
  view.folders = {"INBOX", "Other"};
  imap.deliver("Subject: other\r\n\r\n", "Other");
  ASSERT_EQ(open(), "");
  lose(Ending::reset);
  EXPECT_EQ(text(1), small(1));
  EXPECT_EQ(imap.connections, 2U);
}

// NOOP.

TEST_F(TranslationReconnectTest, ServerHearsNowAndThenOfAClientWhoIsBusy) {
  ASSERT_EQ(open(), "");
  for (int minute = 0; minute < 33; ++minute) {
    scheduler.advance(1min);
    EXPECT_EQ(noop(), "");
    maildrop->rest();
    wait();
  }
  EXPECT_EQ(imap.count("NOOP"), 6U);
  EXPECT_EQ(text(1), small(1));
  EXPECT_EQ(imap.connections, 1U);
}

TEST_F(TranslationReconnectTest, ServerThatDoesNotAnswerIsNotWaitedFor) {
  imap.late["NOOP"] = 1h;
  ASSERT_EQ(open(), "");
  for (int i = 0; i < 3; ++i) {
    scheduler.advance(6min);
    const TimePoint begun = scheduler.now();
    EXPECT_EQ(noop(), "");
    EXPECT_LE(scheduler.now() - begun, 1s);
    wait();
  }
  EXPECT_EQ(text(1), small(1));
  EXPECT_EQ(imap.connections, 2U);
}

TEST_F(TranslationReconnectTest, NoopAfterTheServerHasLeft) {
  ASSERT_EQ(open(), "");
  lose(Ending::eof);
  for (int i = 0; i < 3; ++i) {
    scheduler.advance(6min);
    EXPECT_EQ(noop(), "");
    wait();
  }
  EXPECT_EQ(text(1), small(1));
  EXPECT_EQ(imap.connections, 2U);
}

TEST_F(TranslationReconnectTest, NoopTakesInWhatWasAskedForAhead) {
  fill(10);
  ASSERT_EQ(open(), "");
  for (std::uint32_t message = 1; message <= 3; ++message) text(message);
  scheduler.advance(6min);
  EXPECT_EQ(noop(), "");
  EXPECT_NE(opener.budget().used(), 0U);
  wait();
  EXPECT_EQ(imap.count("NOOP"), 1U);
  EXPECT_EQ(text(4), small(4));
}

// The end.

TEST_F(TranslationReconnectTest, EndsWithLogout) {
  ASSERT_EQ(open(), "");
  text(1);
  EXPECT_EQ(mark(1), "");
  maildrop.reset();
  scheduler.run_until_idle();
  EXPECT_EQ(imap.commands.back(), "LOGOUT");
  EXPECT_FALSE(has_changed_anything());
}

}  // namespace
}  // namespace postern::maildrop
