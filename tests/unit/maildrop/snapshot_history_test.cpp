// What a list costs when the mailbox was listed before (protocol SNAP-6, 7, 10).
#include "unit/maildrop/snapshot_fixture.hpp"

namespace postern::maildrop {
namespace {

using testing::SizeIs;

class SnapshotHistoryTest : public SnapshotTest {
 protected:
  SnapshotHistoryTest() { deliver_sizes({10, 20, 30}); }
  /// A store that says something else, as if a session had saved it.
  void lie(const std::function<void(store::Snapshot&)>& change) {
    store::Snapshot changed = *remembered();
    change(changed);
    snapshots.save(store::MailboxKey("main", "alice", "INBOX"),
                   std::make_shared<const store::Snapshot>(std::move(changed)));
  }
  const char* all = "UID FETCH 1:* (UID RFC822.SIZE)";
  const char* select = "SELECT \"INBOX\"";
};

TEST_F(SnapshotHistoryTest, NothingNewIsNotFetched) {
  EXPECT_THAT(asked_by_open(), ElementsAre(select, all));
  EXPECT_THAT(asked_by_open(), ElementsAre(select));
  EXPECT_EQ(cells->snapshots_full.value(), 1U);
  EXPECT_EQ(cells->snapshots_unchanged.value(), 1U);
  EXPECT_EQ(snapshots.saves, 1U);
}

TEST_F(SnapshotHistoryTest, NoiseDuringSelectIsNoMessage) {
  ASSERT_EQ(open(), "");
  imap.ahead["SELECT"] = {
      step::send("* 9 EXISTS\r\n* 1 EXPUNGE\r\n* 1 FETCH (UID 1 RFC822.SIZE 7)\r\n* OK [CLOSED] x\r\n")};
  EXPECT_THAT(asked_by_open(), ElementsAre(select));
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
}

TEST_F(SnapshotHistoryTest, OnlyNewMessagesAreFetched) {
  ASSERT_EQ(open(), "");
  deliver_sizes({40, 50});
  EXPECT_THAT(asked_by_open(), ElementsAre(select, "UID FETCH 4:* (UID RFC822.SIZE)"));
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n4 40\r\n5 50\r\n");
  EXPECT_EQ(cells->snapshots_updated.value(), 1U);
  EXPECT_THAT(asked_by_open(), ElementsAre(select));
}

TEST_F(SnapshotHistoryTest, LastOldMessageIsNotTakenForANewOne) {
  ASSERT_EQ(open(), "");
  imap.expunge(imap.deliver("x\r\n"));  // UIDNEXT has moved, and "4:*" is the message 3
  EXPECT_THAT(asked_by_open(),
              ElementsAre(select, "UID FETCH 4:* (UID RFC822.SIZE)", "UID SEARCH RETURN (ALL) UID 4:*"));
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
  EXPECT_THAT(asked_by_open(), ElementsAre(select));
}

TEST_F(SnapshotHistoryTest, RemovedMessagesAreFoundByTheirUids) {
  for (const bool extended : {true, false}) {
    if (!extended) imap.capabilities_after = {"IMAP4rev1"};
    ASSERT_EQ(open(), "");
    imap.expunge(extended ? 2 : 1);
    EXPECT_THAT(asked_by_open(),
                ElementsAre(select, extended ? "UID SEARCH RETURN (ALL) ALL" : "UID SEARCH ALL"));
    EXPECT_EQ(listing(), extended ? "1 10\r\n2 30\r\n" : "1 30\r\n");
    EXPECT_THAT(asked_by_open(), ElementsAre(select));
  }
}

TEST_F(SnapshotHistoryTest, AsManyRemovedAsAddedIsAChange) {
  ASSERT_EQ(open(), "");
  imap.expunge(1);
  deliver_sizes({40});
  EXPECT_THAT(asked_by_open(),
              ElementsAre(select, "UID FETCH 4:* (UID RFC822.SIZE)", "UID SEARCH RETURN (ALL) ALL"));
  EXPECT_EQ(listing(), "1 20\r\n2 30\r\n3 40\r\n");
}

TEST_F(SnapshotHistoryTest, CountThatIsRightByAccidentIsNotBelieved) {
  ASSERT_EQ(open(), "");
  imap.expunge(1);
  deliver_sizes({40});
  imap.message(4).fetchable = false;
  const std::string after =
      "1 20\r\n2 30\r\n3 0\r\n1 0000000200000010\r\n2 0000000300000010\r\n3 0000000400000010\r\n";
  EXPECT_EQ(seen(), after);
  EXPECT_EQ(seen_afresh(), after);
}

TEST_F(SnapshotHistoryTest, EmptiedMailboxIsEmpty) {
  ASSERT_EQ(open(), "");
  for (const std::uint32_t uid : {1U, 2U, 3U}) imap.expunge(uid);
  EXPECT_EQ(seen(), "");
  deliver_sizes({40});
  EXPECT_EQ(seen(), "1 40\r\n1 0000000400000010\r\n");
}

TEST_F(SnapshotHistoryTest, OneMoreAndOneLessOfManyAreTwoKilobytes) {
  for (int i = 0; i < 50'000; ++i) imap.deliver("x\r\n");
  ASSERT_EQ(open(), "");
  EXPECT_GT(maildrop->bytes_from_backend(), 1'000'000U);
  imap.expunge(1000);
  imap.deliver("new\r\n");
  ASSERT_EQ(open(), "");
  EXPECT_LT(maildrop->bytes_from_backend(), 2048U);
  const auto stat = run(maildrop->stat());
  EXPECT_EQ(stat.value().messages, 50'003U);
  ASSERT_EQ(open(), "");
  EXPECT_LT(maildrop->bytes_from_backend(), 1024U);
}

// UIDVALIDITY and UIDNEXT

TEST_F(SnapshotHistoryTest, NewUidvalidityIsANewMailbox) {
  ASSERT_EQ(open(), "");
  imap.inbox().uidvalidity = 0x11;
  EXPECT_THAT(asked_by_open(), ElementsAre(select, all));
  EXPECT_EQ(ids(), "1 0000000100000011\r\n2 0000000200000011\r\n3 0000000300000011\r\n");
  EXPECT_EQ(cells->uidvalidity_changes.value(), 1U);
  EXPECT_THAT(lines.of("uidvalidity_changed"), SizeIs(1));
  EXPECT_THAT(asked_by_open(), ElementsAre(select));
  EXPECT_EQ(cells->uidvalidity_changes.value(), 1U);
}

TEST_F(SnapshotHistoryTest, WithoutUidnextEverythingIsListedEveryTime) {
  imap.select_sends_uidnext = false;
  EXPECT_THAT(asked_by_open(), ElementsAre(select, all));
  EXPECT_EQ(remembered(), nullptr);
  EXPECT_THAT(asked_by_open(), ElementsAre(select, all));
}

TEST_F(SnapshotHistoryTest, CouriersUidnextComesFromStatus) {
  imap.like_courier();
  const char* status = "STATUS \"INBOX\" (UIDNEXT)";
  EXPECT_THAT(asked_by_open(), ElementsAre(status, select, all));
  EXPECT_THAT(asked_by_open(), ElementsAre(status, select));
  deliver_sizes({40});
  EXPECT_THAT(asked_by_open(), ElementsAre(status, select, "UID FETCH 4:* (UID RFC822.SIZE)"));
  imap.ahead["SELECT"] = {[this](Peer&) {
    deliver_sizes({50});  // between STATUS and SELECT
    return true;
  }};
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n4 40\r\n5 50\r\n");
  imap.ahead.clear();
  EXPECT_THAT(asked_by_open(), ElementsAre(status, select));
}

TEST_F(SnapshotHistoryTest, StatusThatIsRefusedIsNotNeeded) {
  imap.like_courier();
  imap.has_status = false;
  EXPECT_EQ(seen().substr(0, 18), "1 10\r\n2 20\r\n3 30\r\n");
}

TEST_F(SnapshotHistoryTest, SmallerUidnextIsAMailboxThatWasPutBack) {
  ASSERT_EQ(open(), "");
  imap.expunge(3);
  imap.inbox().uidnext = 3;
  deliver_sizes({99});
  imap.inbox().uidnext = 3;  // and says nothing of it
  EXPECT_EQ(asked_by_open().back(), all);
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 99\r\n");
}

// The store

TEST_F(SnapshotHistoryTest, LostStoreChangesNothing) {
  const std::string before = seen();
  snapshots.snapshots.clear();
  EXPECT_EQ(seen(), before);
}

TEST_F(SnapshotHistoryTest, LieOfTheStoreChangesSizesAtMost) {
  const std::string right = seen();
  const std::string right_ids = ids();
  lie([](store::Snapshot& snapshot) { snapshot.set_size(1, 999); });
  EXPECT_EQ(seen(), "1 10\r\n2 999\r\n3 30\r\n" + right_ids);
  const std::pair<const char*, std::function<void(store::Snapshot&)>> lies[] = {
      {"one too many", [](auto& one) { one.append(7, 70); }},
      {"one too many, and a UIDNEXT above it",
       [](auto& one) {
         one.append(7, 70);
         one.uidnext = 8;
       }},
      {"UIDNEXT too small", [](auto& one) { one.uidnext = 2; }},
      {"UIDNEXT too large", [](auto& one) { one.uidnext = 9; }},
      {"UIDVALIDITY", [](auto& one) { one.uidvalidity = 9; }},
      {"another template", [](auto& one) { one.id_template = "%{guid}"; }},
      {"nothing at all",
       [](auto& one) {
         one = store::Snapshot();
         one.uidvalidity = 0x10;
         one.uidnext = 4;
       }},
  };
  for (const auto& [what, change] : lies) {
    snapshots.snapshots.clear();
    ASSERT_EQ(open(), "");
    lie(change);
    EXPECT_EQ(seen(), right) << what;
  }
}

TEST_F(SnapshotHistoryTest, EstimatedSizesAreNotRememberedUnlessTheyAreCorrected) {
  imap.like_exchange();
  settings.imap.sizes = config::Sizes::trust;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(remembered(), nullptr);
  EXPECT_THAT(asked_by_open(), ElementsAre(select, all));
  settings.imap.sizes = config::Sizes::learn;
  ASSERT_EQ(open(), "");
  EXPECT_THAT(asked_by_open(), ElementsAre(select));
}

TEST_F(SnapshotHistoryTest, EveryUserAndEveryFolderHasARecord) {
  ASSERT_EQ(open(), "");
  folder = "inbox";  // the same one
  EXPECT_THAT(asked_by_open(), ElementsAre(select));
  imap.mailboxes["Sent"].uidvalidity = 0x10;
  folder = "Sent";
  EXPECT_EQ(seen(), "");
  EXPECT_THAT(snapshots.snapshots, SizeIs(2));
}

}  // namespace
}  // namespace postern::maildrop
