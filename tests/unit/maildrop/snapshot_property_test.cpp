// Whatever happens to a mailbox between two sessions, the list that is brought up to date is the one that
// would be made afresh.
#include <random>

#include "unit/maildrop/snapshot_fixture.hpp"

namespace postern::maildrop {
namespace {

/// A few histories each: a network gets slow with the number of its connections.
class SnapshotPropertyTest : public SnapshotTest, public testing::WithParamInterface<std::uint32_t> {
 protected:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(generator() % limit); }

  /// A message that has something of everything that ids are made of; now and then not.
  void deliver_one() {
    const std::uint32_t number = ++delivered;
    const bool is_bare = below(8) == 0;
    std::string text = is_bare ? "" : "Message-ID: <" + std::to_string(number) + "@x>\r\n";
    text += "Subject: x\r\n\r\n" + std::string(below(40), 'x') + "\r\n";
    ImapStore::Message& message = imap.message(imap.deliver(std::move(text)));
    message.email_id = is_bare ? "" : "M" + std::to_string(number);
    message.guid = is_bare ? "" : "g" + std::to_string(number);
    message.gm_msgid = 1'000'000 + number;
    if (below(10) == 0) message.has_size = false;
    if (below(20) == 0 && settings.imap.uidl.is_computed()) message.fetchable = false;
  }
  void expunge_one() {
    const auto all = imap.uids();
    if (!all.empty()) imap.expunge(all[below(static_cast<std::uint32_t>(all.size()))]);
  }
  void something_happens() {
    for (std::uint32_t times = below(4); times > 0; --times) below(3) == 0 ? expunge_one() : deliver_one();
    if (below(12) == 0) ++imap.inbox().uidvalidity;
    if (below(15) == 0) expunge_one(), deliver_one();  // the count stays
  }
  /// Histories of some sessions each. Messages may come and go while a list is made.
  void compare(std::uint32_t histories = 4) {
    for (std::uint32_t seed = GetParam(); seed < GetParam() + histories; ++seed) {
      generator.seed(seed);
      snapshots.snapshots.clear();
      imap.mailboxes = {{"INBOX", {}}};
      imap.inbox().uidvalidity = 1 + seed;
      imap.updates = static_cast<ImapStore::Updates>(below(3));
      imap.sends_vanished = below(2) == 0;
      for (int session = 0; session < 6; ++session) {
        something_happens();
        if (below(4) == 0) imap.ahead["UID FETCH"] = {[this](Peer&) { return something_happens(), true; }};
        ASSERT_EQ(open(), "") << seed << ": " << detail;
        imap.ahead.clear();
        maildrop.reset();
        const std::string updated = seen();  // what happened meanwhile may be seen only now
        ASSERT_EQ(updated, seen_afresh()) << "seed " << seed << ", session " << session;
      }
    }
  }

  std::mt19937 generator;
  std::uint32_t delivered = 0;
};

TEST_P(SnapshotPropertyTest, ComputedIds) {
  compare();
}

TEST_P(SnapshotPropertyTest, ComputedIdsWithoutEsearchOrUidnext) {
  imap.like_courier();
  compare();
}

TEST_P(SnapshotPropertyTest, IdsOfHeaders) {
  use_template("%{header:Message-ID}");
  compare();
}

TEST_P(SnapshotPropertyTest, IdsOfObjects) {
  imap.capabilities_after.push_back("OBJECTID");
  use_template("%{email_id}");
  compare();
}

TEST_P(SnapshotPropertyTest, IdsOfDovecot) {
  imap.like_dovecot();
  use_template("%{guid}");
  compare();
}

TEST_P(SnapshotPropertyTest, IdsOfGmail) {
  imap.like_gmail();
  use_template("GmailId%{x_gm_msgid:x}");
  compare();
}

INSTANTIATE_TEST_SUITE_P(Seeds, SnapshotPropertyTest, testing::Range(0U, 200U, 4U));

}  // namespace
}  // namespace postern::maildrop
