#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "postern/config/uidl_template.hpp"
#include "unit/maildrop/translation_fixture.hpp"

namespace postern::maildrop {

using testing::ElementsAre;
using testing::IsEmpty;

/// Maildrops that are opened and listed. INBOX has the UIDVALIDITY 0x10 unless a test says otherwise.
class SnapshotTest : public TranslationTest {
 protected:
  SnapshotTest() { imap.inbox().uidvalidity = 0x10; }

  void use_template(const std::string& text) {
    settings.imap.uidl = config::parse_uidl_template(text, config::kUidlFolderPrefix).value();
  }
  /// Messages of these sizes.
  void deliver_sizes(std::initializer_list<std::size_t> sizes, const std::string& mailbox = "INBOX") {
    for (const std::size_t size : sizes) imap.deliver(std::string(size - 2, 'x') + "\r\n", mailbox);
  }
  /// What this login asks.
  std::vector<std::string> asked_by_open() {
    maildrop.reset();
    scheduler.run_until_idle();
    imap.commands.clear();
    EXPECT_EQ(open(), "") << detail;
    return asked();
  }
  /// A flight that is answered so: the numbers of the messages, and what FETCH says.
  void answer_list(const std::string& exists, const std::string& fetches) {
    imap.instead["SELECT"] = {step::send("* " + exists +
                                         " EXISTS\r\n* OK [UIDVALIDITY 16] x\r\n* OK [UIDNEXT 100] x\r\n"
                                         "$TAG OK [READ-WRITE] x\r\n")};
    imap.instead["UID FETCH"] = {step::send(fetches + "$TAG OK x\r\n")};
  }
  /// What a login sees, LIST and UIDL; or the failure.
  std::string seen() {
    const std::string failed = open();
    return failed.empty() ? listing() + ids() : failed + ": " + detail;
  }
  /// The same without a store.
  std::string seen_afresh() {
    test::KeptSnapshots::Snapshots kept;
    kept.swap(snapshots.snapshots);
    const std::string fresh = seen();
    maildrop.reset();
    snapshots.snapshots = std::move(kept);
    return fresh;
  }
  const store::Snapshot* remembered(const std::string& mailbox = "INBOX") {
    const auto found = snapshots.snapshots.find(store::MailboxKey("main", "alice", mailbox));
    return found == snapshots.snapshots.end() ? nullptr : found->second.get();
  }
};

}  // namespace postern::maildrop
