// Servers that tell of fewer messages than they have, or of more (protocol SNAP-5).
#include "unit/maildrop/snapshot_fixture.hpp"

namespace postern::maildrop {
namespace {

using SnapshotGapsTest = SnapshotTest;

TEST_F(SnapshotGapsTest, SizesThatAreNotToldAreCounted) {
  deliver_sizes({10, 20, 30});
  imap.message(2).has_size = false;
  EXPECT_EQ(seen(),
            "1 10\r\n2 20\r\n3 30\r\n1 0000000100000010\r\n2 0000000200000010\r\n3 0000000300000010\r\n");
  EXPECT_EQ(imap.count("UID FETCH 2 (UID BODY.PEEK[])"), 1U);
  EXPECT_EQ(cells->sizes_unknown.value(), 1U);
}

TEST_F(SnapshotGapsTest, OnlyThoseAreReadAndAllOfThem) {
  for (int i = 0; i < 250; ++i) deliver_sizes({10});
  for (std::uint32_t uid = 1; uid <= 249; uid += 2) imap.message(uid).has_size = false;
  imap.message(3).fetchable = false;
  ASSERT_EQ(open(), "");
  std::string expected;
  for (int i = 1; i <= 250; ++i) expected += std::to_string(i) + (i == 3 ? " 0\r\n" : " 10\r\n");
  EXPECT_EQ(listing(), expected);
  for (const std::string& command : imap.commands) {
    const bool reads = command.find("BODY.PEEK[]") != std::string::npos;
    EXPECT_FALSE(reads && command.find(':') != std::string::npos) << command;
  }
}

TEST_F(SnapshotGapsTest, MessageThatOnlySearchKnowsIsNotDropped) {
  deliver_sizes({10, 20, 30});
  imap.message(2).fetchable = false;
  EXPECT_EQ(seen(),
            "1 10\r\n2 0\r\n3 30\r\n1 0000000100000010\r\n2 0000000200000010\r\n3 0000000300000010\r\n");
  imap.capabilities_after = {"IMAP4rev1"};  // by a plain SEARCH
  EXPECT_EQ(seen_afresh().substr(0, 15), "1 10\r\n2 0\r\n3 30");
}

TEST_F(SnapshotGapsTest, ServerThatFindsLessThanItTellsOfIsNotBelieved) {
  for (const char* found : {"* SEARCH\r\n", "* SEARCH 1\r\n", "", "* ESEARCH (TAG \"x\") UID\r\n"}) {
    snapshots.snapshots.clear();
    answer_list("3", "* 1 FETCH (UID 1 RFC822.SIZE 1)\r\n* 2 FETCH (UID 2 RFC822.SIZE 1)\r\n");
    imap.instead["UID SEARCH"] = {step::send(std::string(found) + "$TAG OK x\r\n")};
    EXPECT_EQ(open(), "mailbox") << found;
  }
}

TEST_F(SnapshotGapsTest, MessageThatArrivesDuringTheSearchIsSearchedForAgain) {
  deliver_sizes({10, 20});
  imap.message(2).has_size = false;
  bool arrived = false;
  imap.instead_answer["UID SEARCH"] = {[this, &arrived](Peer& peer) {
    const bool is_first = !std::exchange(arrived, true);
    if (is_first) deliver_sizes({30});
    peer.send(is_first ? "* SEARCH 1 2\r\n* 3 EXISTS\r\n" : "* SEARCH 1 2 3\r\n");
    peer.send(peer.tag() + " OK x\r\n");
    return true;
  }};
  ASSERT_EQ(open(), "") << detail;
  EXPECT_EQ(listing(), "1 10\r\n2 20\r\n3 30\r\n");
}

TEST_F(SnapshotGapsTest, TooManyThatAreNotToldAreNoAccident) {
  std::string uids;
  for (int i = 1; i <= 1001; ++i) uids += " " + std::to_string(2 * i);
  answer_list("1001", "");
  imap.instead["UID SEARCH"] = {step::send("* SEARCH" + uids + "\r\n$TAG OK x\r\n")};
  EXPECT_EQ(open(), "mailbox");
}

TEST_F(SnapshotGapsTest, EndlessSearchTakesNoMoreMemoryThanAMailboxMay) {
  std::string numbers = "* SEARCH";
  for (int i = 0; i < 50'000; ++i) numbers += " 7 9";
  settings.imap.max_messages = 100;
  answer_list("3", "");
  imap.instead["UID SEARCH"] = {step::send(numbers + "\r\n$TAG OK x\r\n")};
  EXPECT_EQ(open(), "mailbox_too_large");
}

TEST_F(SnapshotGapsTest, IdsAreAskedForAlsoWhereSizesAreMissing) {
  use_template("%{header:Message-ID}");
  imap.deliver("Message-ID: <a@x>\r\n\r\n");
  imap.deliver("Message-ID: <b@x>\r\n\r\n");
  imap.message(2).has_size = false;
  EXPECT_EQ(seen(), "1 21\r\n2 21\r\n1 <a@x>\r\n2 <b@x>\r\n");
  imap.message(2).fetchable = false;  // it goes by its number then
  EXPECT_EQ(seen_afresh(), "1 21\r\n2 0\r\n1 <a@x>\r\n2 0000000200000010\r\n");
}

// UIDs that do not last (SNAP-10)

TEST_F(SnapshotGapsTest, WithoutLastingUidsThereAreNoUniqueIds) {
  deliver_sizes({10});
  const auto expect_no_ids = [this](const char* why) {
    ASSERT_EQ(open(), "") << why;
    EXPECT_FALSE(maildrop->has_uidl()) << why;
    EXPECT_EQ(ids(), "command_refused") << why;
    EXPECT_EQ(listing(), "1 10\r\n") << why;
    EXPECT_EQ(remembered(), nullptr) << why;
  };
  imap.inbox().uid_not_sticky = true;
  expect_no_ids("UIDNOTSTICKY");
  imap.inbox().uid_not_sticky = false;
  imap.select_sends_uidvalidity = false;
  expect_no_ids("no UIDVALIDITY");
  imap.select_sends_uidvalidity = true;
  imap.inbox().uidvalidity = 0;
  expect_no_ids("UIDVALIDITY 0");
}

TEST_F(SnapshotGapsTest, UidvalidityThatIsNotToldAnyMoreHasNotChanged) {
  deliver_sizes({10});
  ASSERT_EQ(open(), "");
  imap.select_sends_uidvalidity = false;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(listing(), "1 10\r\n");
  EXPECT_FALSE(maildrop->has_uidl());
  EXPECT_EQ(cells->uidvalidity_changes.value(), 0U);
}

// The profiles

TEST_F(SnapshotGapsTest, KnownServersAreListed) {
  void (ImapStore::* const profiles[])() = {&ImapStore::like_dovecot, &ImapStore::like_cyrus,
                                            &ImapStore::like_courier, &ImapStore::like_exchange,
                                            &ImapStore::like_gmail,   &ImapStore::like_hmailserver};
  deliver_sizes({10, 20});
  const std::string first = "1 10\r\n2 20\r\n1 0000000100000010\r\n2 0000000200000010\r\n";
  for (const auto profile : profiles) {
    ImapStore model;
    (model.*profile)();
    model.mailboxes = imap.mailboxes;
    network.host("192.0.2.20", 143).serve = [&model](Peer& peer) { model.serve(peer); };
    capabilities.imap.forget("192.0.2.20:143/plain");
    capabilities.imap_after_login.forget("192.0.2.20:143/plain");
    snapshots.snapshots.clear();
    EXPECT_EQ(seen(), first) << model.greeting_text;
    EXPECT_EQ(seen(), first) << model.greeting_text;
    EXPECT_EQ(model.count("UID FETCH"), 1U) << model.greeting_text;
    model.deliver("12\r\n");
    model.expunge(1);
    EXPECT_EQ(seen(), "1 20\r\n2 4\r\n1 0000000200000010\r\n2 0000000300000010\r\n") << model.greeting_text;
    maildrop.reset();
    scheduler.run_until_idle();
  }
}

}  // namespace
}  // namespace postern::maildrop
