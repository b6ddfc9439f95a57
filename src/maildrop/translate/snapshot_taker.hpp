#pragma once

#include <memory>
#include <string>
#include <vector>

#include "maildrop/translate/contents.hpp"
#include "maildrop/translate/link.hpp"
#include "maildrop/translate/mailbox_state.hpp"
#include "maildrop/translate/message_list.hpp"
#include "maildrop/translate/uid_ranges.hpp"
#include "maildrop/translate/view.hpp"
#include "postern/base/log.hpp"
#include "postern/store/store.hpp"

namespace postern::maildrop {

/// Lists the messages of a folder: SELECT, then as little as possible. What the last session found is
/// compared with what SELECT says (RFC 3501 §2.3.1.1: UIDNEXT changes with every new message): nothing new,
/// no FETCH; something new, only that; a count that does not add up, all UIDs. The list is complete, or there
/// is none (SNAP-1).
class SnapshotTaker final : private backend::ImapListener {
 public:
  /// What a folder that does not exist is.
  enum class Missing : std::uint8_t {
    fails,      ///< trouble with the mailbox, unless the settings say that INBOX may be missing
    no_folder,  ///< the client asked for it: `no_folder`
    empty,      ///< one of several: it has no mail yet
  };

  SnapshotTaker(Link& link, const View& view, store::Store& store, Log& log, WallTime now,
                coro::Deadline deadline);

  /// `mailbox`: as on the wire. Leaves it selected. Once.
  coro::Task<Result<Folder>> take(std::string mailbox, Missing missing);

 private:
  void on_response(const imap::Response& response) override;
  void on_numbers(const imap::Response& response, std::span<const imap::NumberRange> numbers) override;
  void on_octets(std::string_view octets) override { list_.take_octets(octets); }

  coro::Task<Result<void>> select(bool with_list, Missing missing);
  coro::Task<Result<void>> refused(backend::ImapAnswer answer, Missing missing);
  coro::Task<Result<bool>> exists_at_all();
  coro::Task<Result<void>> ask_again(backend::ImapAnswer& answer, const std::string& words);
  coro::Task<Result<void>> run(const std::string& words);
  coro::Task<Result<void>> search(const std::string& criteria, UidRanges& found);
  coro::Task<Result<void>> search_all(UidRanges& found);

  // snapshot_list.cpp
  coro::Task<Result<store::Snapshot>> list_all(bool has_list);
  coro::Task<Result<store::Snapshot>> complete(store::Snapshot listed);
  coro::Task<Result<store::Snapshot>> describe(store::Snapshot& whole,
                                               const std::vector<std::uint32_t>& missing);
  coro::Task<Result<store::Snapshot>> update(const store::Snapshot& known);
  coro::Task<Result<bool>> has_whole_tail(std::uint32_t first, std::size_t added);
  coro::Task<Result<std::size_t>> measure_new(store::Snapshot& snapshot);
  coro::Task<Result<std::size_t>> measure(store::Snapshot& snapshot,
                                          const std::vector<std::uint32_t>& wanted);

  bool adds_up(std::size_t messages) const noexcept;
  bool may_remember() const noexcept;
  bool is_unchanged(const store::Snapshot& known) const noexcept;
  bool is_of_another_time(const store::Snapshot& known);
  std::string id_items() const;
  std::string items() const { return "UID RFC822.SIZE" + id_items(); }
  std::string list_words(std::uint32_t first) const;
  std::string search_words(const std::string& criteria) const;
  void begin_list(std::uint32_t least, MessageList::Sizes sizes = MessageList::Sizes::needed);
  void finish(store::Snapshot& snapshot) const noexcept;
  Folder describe_folder() const;
  Result<void> check_policy() const;
  Error too_many() const;
  void choose_shown(Folder& folder) const;
  void remember(std::shared_ptr<const store::Snapshot> snapshot, std::size_t measured);
  store::MailboxKey key() const;
  const config::Imap& settings() const noexcept { return link_.backend().settings().imap; }
  const backend::ImapQuirks& quirks() const noexcept { return link_.client().quirks(); }
  metrics::BackendMetrics& cells() const noexcept { return *link_.backend().metrics(); }

  Link& link_;
  const View& view_;
  store::Store& store_;
  Log& log_;
  WallTime now_;
  coro::Deadline deadline_;

  std::string mailbox_;
  MailboxState state_;
  MessageList list_;
  UidRanges* found_ = nullptr;  // where the numbers of a search go
  std::string criteria_;
  UidRanges filtered_;          // what criteria_ found
  bool was_filtered_ = false;   // there was an answer to it
  std::uint32_t new_from_ = 0;  // UIDs from here on were not known
  bool read_only_ = false;
  bool missing_ = false;  // there is no such mailbox, and that is no trouble
};

}  // namespace postern::maildrop
