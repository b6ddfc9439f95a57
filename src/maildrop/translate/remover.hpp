#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "maildrop/translate/contents.hpp"
#include "maildrop/translate/link.hpp"
#include "maildrop/translate/mailbox_state.hpp"
#include "maildrop/translate/uid_ranges.hpp"
#include "maildrop/translate/view.hpp"
#include "postern/base/log.hpp"

namespace postern::maildrop {

/// Does in one folder, which is selected, what QUIT promises: messages are removed, moved or hidden, by the
/// view's policy. Never CLOSE, and no EXPUNGE while a message that was not named carries \Deleted (DEL-4,
/// DEL-5). Doing it again after a lost connection is safe.
class Remover final : private backend::ImapListener {
 public:
  Remover(Link& link, const View& view, Log& log, coro::Deadline deadline)
      : link_(link), view_(view), log_(log), deadline_(deadline) {}

  /// `chosen`: for each message of the folder's snapshot. `update_failed` says how far it came;
  /// `backend_lost` that it may be tried again.
  coro::Task<Result<void>> remove(const Folder& folder, const std::vector<bool>& chosen);
  /// Messages that were removed, as far as the server has confirmed it.
  std::uint64_t removed() const noexcept { return removed_; }

  /// Sets \Seen.
  coro::Task<Result<void>> mark_seen(const Folder& folder, const std::vector<bool>& chosen);
  /// `keep` for so many days: what the view has hidden for longer is removed for good.
  coro::Task<Result<void>> remove_expired(WallTime now);

 private:
  /// What is done to one set of UIDs, of so many messages.
  using SetStep = coro::Task<Result<void>> (Remover::*)(const std::string& set, std::size_t messages);

  void on_response(const imap::Response& response) override { state_.on_response(response); }
  void on_numbers(const imap::Response& response, std::span<const imap::NumberRange> numbers) override;

  coro::Task<Result<void>> each_set(const Folder& folder, const std::vector<bool>& chosen, SetStep step);
  coro::Task<Result<void>> expunge(const std::string& set, std::size_t messages);
  coro::Task<Result<void>> expunge_once(const std::string& set);
  coro::Task<Result<void>> flag_deleted(const std::string& set, std::size_t messages);
  coro::Task<Result<void>> add_keyword(const std::string& set, std::size_t messages);
  coro::Task<Result<void>> move(const std::string& set, std::size_t messages);
  coro::Task<Result<void>> copy(const std::string& set, std::size_t messages);
  coro::Task<Result<void>> transfer(std::string_view command, const std::string& set);
  coro::Task<Result<void>> remove_without_uidplus(const Folder& folder, const std::vector<bool>& chosen);
  coro::Task<Result<void>> remove_protecting(const Folder& folder, const std::vector<bool>& chosen);
  coro::Task<Result<void>> move_all(const Folder& folder, const std::vector<bool>& chosen);
  coro::Task<Result<void>> find_trash();
  coro::Task<Result<void>> verify(const std::string& set);
  coro::Task<Result<void>> verify_all(const UidRanges& uids);
  coro::Task<Result<UidRanges>> search(const std::string& criteria);
  coro::Task<Result<void>> store_flag(const UidRanges& uids, std::string_view change);
  coro::Task<Result<void>> run(const std::string& words);
  std::size_t most_octets() const noexcept;
  bool short_lines() const noexcept { return link_.client().quirks().short_lines; }

  Link& link_;
  const View& view_;
  Log& log_;
  coro::Deadline deadline_;
  MailboxState state_;
  UidRanges* found_ = nullptr;
  std::string destination_;  // of `move`, as on the wire
  std::uint64_t removed_ = 0;
};

}  // namespace postern::maildrop
