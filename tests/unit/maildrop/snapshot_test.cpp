// The first list of a mailbox: all of it, or a refusal (protocol SNAP-1 to 5).
#include "unit/maildrop/snapshot_fixture.hpp"

namespace postern::maildrop {
namespace {

// SNAP-1

TEST_F(SnapshotTest, FlightThatIsCutAnywhereIsNoMaildrop) {
  deliver_sizes({10, 20, 30});
  ASSERT_EQ(open(), "");
  const std::size_t all = server().link().from(Side::b).sent().size();
  const std::size_t login = server().link().from(Side::b).sent().find("Logged in\r\n") + 11;
  for (const Ending ending : {Ending::eof, Ending::reset}) {
    for (std::size_t octets = login; octets < all; ++octets) {
      snapshots.snapshots.clear();
      network.host("192.0.2.20", 143).serve = [this, octets, ending](Peer& peer) {
        peer.link().from(Side::b).cut_after(octets, ending);
        imap.serve(peer);
      };
      EXPECT_EQ(open(), "backend_lost") << octets;
      EXPECT_EQ(phase, Phase::open);
      EXPECT_THAT(snapshots.snapshots, IsEmpty());
    }
  }
}

TEST_F(SnapshotTest, WholeFlightIsAMaildropHoweverItComes) {
  deliver_sizes({10, 20, 30});
  network.host("192.0.2.20", 143).serve = [this](Peer& peer) {
    peer.link().from(Side::b).rules.most_per_read = 1;
    imap.serve(peer);
  };
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
}

TEST_F(SnapshotTest, RefusedSelectIsNoEmptyMaildrop) {
  const std::pair<const char*, const char*> refusals[] = {
      {"NO [NONEXISTENT] no such mailbox", "mailbox"},
      {"NO Mailbox does not exist", "mailbox"},
      {"NO", "mailbox"},
      {"NO [SERVERBUG] oops", "mailbox"},
      {"NO [OVERQUOTA] full", "mailbox"},
      {"NO [UNAVAILABLE] later", "auth_unavailable"},
      {"NO [INUSE] locked", "in_use"},
      {"NO [LIMIT] too many", "backend_limit"},
      {"NO [NOPERM] no", "backend_policy"},
      {"NO wait [THROTTLED]", "auth_unavailable"},
      {"BAD User is authenticated but not connected.", "mailbox"},  // AUTH-1, Exchange
      {"BAD Request is throttled. Suggested Backoff Time: 5 milliseconds", "auth_unavailable"},
  };
  deliver_sizes({10});
  for (const auto& [said, kind] : refusals) {
    imap.instead["SELECT"] = {step::send(std::string("$TAG ") + said + "\r\n")};
    EXPECT_EQ(open(), kind) << said;
    snapshots.postponed.clear();
  }
}

TEST_F(SnapshotTest, RefusedFollowersAreAskedOnceMoreAndThenCount) {
  deliver_sizes({10, 20});
  for (const char* said :
       {"$TAG NO not now\r\n", "$TAG BAD not now\r\n", "* 1 FETCH (UID 1 RFC822.SIZE 10)\r\n$TAG NO\r\n"}) {
    imap.once("UID FETCH", {step::send(said)});
    snapshots.snapshots.clear();
    EXPECT_THAT(asked_by_open(), ElementsAre("SELECT \"INBOX\"", "UID FETCH 1:* (UID RFC822.SIZE)",
                                             "UID FETCH 1:* (UID RFC822.SIZE)"));
    EXPECT_EQ(listing(), "1 10\r\n2 20\r\n") << said;
    imap.instead["UID FETCH"] = {step::send(said)};
    snapshots.snapshots.clear();
    EXPECT_EQ(open(), "mailbox") << said;
    imap.instead.clear();
  }
}

TEST_F(SnapshotTest, SelectThatDoesNotTellHowManyIsNoMaildrop) {
  imap.instead["SELECT"] = {step::send("* OK [UIDVALIDITY 16] x\r\n$TAG OK [READ-WRITE] x\r\n")};
  EXPECT_EQ(open(), "mailbox");
}

TEST_F(SnapshotTest, EmptyMailboxIsOne) {
  EXPECT_EQ(seen(), "");
  EXPECT_THAT(asked_by_open(), ElementsAre("SELECT \"INBOX\""));
}

TEST_F(SnapshotTest, DeadlineEndsASnapshot) {
  deliver_sizes({10});
  for (const char* slow : {"SELECT", "UID FETCH"}) {
    imap.late = {{slow, 1h}};
    const TimePoint begun = scheduler.now();
    EXPECT_EQ(open(), "backend_timeout") << slow;
    EXPECT_EQ(scheduler.now() - begun, 45s);
  }
}

TEST_F(SnapshotTest, FloodOfResponsesIsLeft) {
  std::string flood;
  for (int i = 0; i < 1100; ++i) flood += "* 1 FETCH (UID 1 RFC822.SIZE 10)\r\n";
  answer_list("1", flood);
  EXPECT_EQ(open(), "backend_protocol");
}

TEST_F(SnapshotTest, MoreMessagesThanAllowedAreRefusedAndNotCut) {
  settings.imap.max_messages = 3;
  deliver_sizes({10, 20, 30});
  EXPECT_EQ(open(), "");
  deliver_sizes({40});
  EXPECT_EQ(open(), "mailbox_too_large");  // from a store, then without
  snapshots.snapshots.clear();
  EXPECT_EQ(open(), "mailbox_too_large");
}

TEST_F(SnapshotTest, MoreMessagesThanToldAreRefusedAsWell) {
  settings.imap.max_messages = 3;
  answer_list("3",
              "* 1 FETCH (UID 1 RFC822.SIZE 1)\r\n* 2 FETCH (UID 2 RFC822.SIZE 1)\r\n"
              "* 3 FETCH (UID 3 RFC822.SIZE 1)\r\n* 4 FETCH (UID 4 RFC822.SIZE 1)\r\n");
  EXPECT_EQ(open(), "mailbox_too_large");
  answer_list("3", "");
  imap.instead["UID SEARCH"] = {step::send("* SEARCH 1 3 5 7 9 11\r\n$TAG OK x\r\n")};
  EXPECT_EQ(open(), "mailbox_too_large");
}

// SNAP-2

TEST_F(SnapshotTest, MissingInboxMayBeEmptyWhereTheSettingsSaySo) {
  imap.mailboxes.clear();
  EXPECT_EQ(open(), "mailbox");
  settings.imap.missing_inbox = config::MissingInbox::empty;
  for (const char* said : {"NO [NONEXISTENT] x", "NO Mailbox does not exist", "NO Mailbox doesn't exist"}) {
    imap.select_refusal = said;
    EXPECT_EQ(seen(), "") << said;
    EXPECT_TRUE(maildrop->has_uidl());
  }
  imap.select_refusal = "NO internal error";  // nobody said that it is missing
  EXPECT_EQ(open(), "mailbox");
}

TEST_F(SnapshotTest, MissingInboxIsEmptyAlsoIfItWasThereBeforeOrNothingGoesAhead) {
  settings.imap.missing_inbox = config::MissingInbox::empty;
  deliver_sizes({10});
  ASSERT_EQ(open(), "");
  maildrop.reset();
  scheduler.run_until_idle();
  imap.mailboxes.clear();
  EXPECT_EQ(seen(), "");
  settings.imap.profile = config::ImapProfile::old;
  EXPECT_EQ(seen(), "");
}

// SNAP-3

TEST_F(SnapshotTest, ReadOnlyMailboxIsListedAndKeepsItsMessages) {
  deliver_sizes({10});
  imap.inbox().read_only = true;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(mark(1), "read_only");
  EXPECT_EQ(commit(), "");
  EXPECT_EQ(imap.count("UID STORE") + imap.count("EXAMINE"), 0U);
}

// SNAP-4

TEST_F(SnapshotTest, OldServersAreAskedOneAfterTheOther) {
  settings.imap.profile = config::ImapProfile::old;
  settings.imap.deleted_messages = config::DeletedMessages::hide;
  imap.max_queued = 1;
  deliver_sizes({10, 20});
  imap.message(1).flags.insert("\\Deleted");
  EXPECT_EQ(seen(), "1 20\r\n1 0000000200000010\r\n");
}

// SNAP-5

TEST_F(SnapshotTest, FetchMayBeWrittenInManyWays) {
  const std::pair<const char*, const char*> ways[] = {
      {"* 2 FETCH (RFC822.SIZE 20 UID 9)\r\n* 1 FETCH (FLAGS () UID 4 X-FOO (a (b \"c)\")) RFC822.SIZE "
       "10)\r\n"
       "* 1 FETCH (FLAGS (\\Seen))\r\n",
       "out of order, unknown attributes, flags"},
      {"* 1 FETCH (UID 4 RFC822.SIZE 11)\r\n* 2 FETCH (UID 9 RFC822.SIZE 20)\r\n"
       "* 1 FETCH (UID 4 RFC822.SIZE 10)\r\n",
       "one twice"},
      {"* 7 FETCH (UID 9 RFC822.SIZE 20)\r\n* 7 FETCH (UID 4 RFC822.SIZE 10)\r\n"
       "* 8 FETCH (UID 9 RFC822.SIZE 20)\r\n",
       "wrong sequence numbers"},
      {"* 0 FETCH (UID 4 RFC822.SIZE 10)\r\n* 2 fetch (uid 9 rfc822.size 2.0e+01)\r\n", "zero, a float"},
      {"* 1 FETCH (UID 4 RFC822.SIZE 10)\r\n* 2 FETCH (RFC822.SIZE 99)\r\n* 2 FETCH (UID 9 RFC822.SIZE "
       "20)\r\n"
       "* 2 FETCH (UID 9 FLAGS (\\Seen))\r\n",
       "without UID, without size"},
  };
  for (const auto& [fetches, way] : ways) {
    snapshots.snapshots.clear();
    answer_list("2", fetches);
    ASSERT_EQ(open(), "") << way;
    EXPECT_EQ(listing() + ids(), "1 10\r\n2 20\r\n1 0000000400000010\r\n2 0000000900000010\r\n") << way;
  }
}

TEST_F(SnapshotTest, SizesMayBeAsLargeAsTheyLike) {
  answer_list(
      "2",
      "* 1 FETCH (UID 1 RFC822.SIZE 4294967295)\r\n* 2 FETCH (UID 2 RFC822.SIZE 9223372036854775807)\r\n");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 4294967295\r\n2 9223372036854775807\r\n");
  snapshots.snapshots.clear();
  answer_list("1", "* 1 FETCH (UID 1 RFC822.SIZE 9223372036854775808)\r\n");
  EXPECT_NE(open(), "");
}

TEST_F(SnapshotTest, MailboxThatChangesMeanwhileIsListedAsItIsInTheEnd) {
  for (const auto updates :
       {ImapStore::Updates::after, ImapStore::Updates::before, ImapStore::Updates::inside}) {
    for (const bool vanished : {false, true}) {
      snapshots.snapshots.clear();
      imap.mailboxes = {{"INBOX", {}}};
      imap.updates = updates;
      imap.sends_vanished = vanished;
      imap.doubles_expunge = updates == ImapStore::Updates::after;
      deliver_sizes({10, 20, 30});
      imap.ahead["UID FETCH"] = {[this](Peer&) {
        if (imap.inbox().find(2) != nullptr) imap.expunge(2);
        if (imap.inbox().messages.size() == 2) deliver_sizes({40});
        return true;
      }};
      ASSERT_EQ(open(), "") << detail;
      EXPECT_EQ(listing(), "1 10\r\n2 30\r\n3 40\r\n");
    }
  }
}

}  // namespace
}  // namespace postern::maildrop
