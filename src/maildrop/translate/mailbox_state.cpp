#include "maildrop/translate/mailbox_state.hpp"

#include <algorithm>

#include "postern/base/ascii.hpp"

namespace postern::maildrop {
namespace {

std::uint32_t number32(const std::optional<std::uint64_t>& number) noexcept {
  return number && *number <= UINT32_MAX ? static_cast<std::uint32_t>(*number) : 0;
}

}  // namespace

bool MailboxState::keeps(std::string_view keyword) const noexcept {
  if (!told_permanent_ || any_keyword_) return true;
  imap::Words words(keywords_);
  for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
    if (ascii::equal(word, keyword)) return true;
  }
  return false;
}

void MailboxState::on_response(const imap::Response& response) {
  switch (response.kind) {
    case imap::ResponseKind::exists:
      exists = response.number;
      told_exists = true;
      break;
    case imap::ResponseKind::expunge:
      if (exists != 0) --exists;
      ++removals;
      break;
    case imap::ResponseKind::mailbox_status:
      uidnext = number32(response.items.uidnext);
      break;
    case imap::ResponseKind::status:
    case imap::ResponseKind::tagged:
      if (response.code ==
          imap::Code::closed) {  // what came so far was of the mailbox before (RFC 7162 §3.2.11)
        exists = 0;
        told_exists = false;
        removals = 0;
      }
      if (response.code == imap::Code::uidvalidity) uidvalidity = number32(response.code_number);
      if (response.code == imap::Code::uidnext) uidnext = number32(response.code_number);
      if (response.code == imap::Code::uidnotsticky) uids_persist = false;
      if (response.code == imap::Code::permanentflags) {
        const imap::Flags flags = imap::parse_flags(response.code_arguments, keywords_);
        told_permanent_ = true;
        any_keyword_ = flags.new_keywords;
      }
      if (ascii::equal(response.code_name, "MAILBOXID")) {
        std::string_view id = response.code_arguments;
        if (id.starts_with('(') && id.ends_with(')')) id = id.substr(1, id.size() - 2);
        mailbox_id = id;
      }
      break;
    default:
      break;
  }
}

void MailboxState::on_numbers(const imap::Response& response, std::span<const imap::NumberRange> numbers) {
  if (response.kind != imap::ResponseKind::vanished || response.vanished_earlier) return;
  for (const imap::NumberRange& range : numbers) {
    const std::uint32_t count = range.last - range.first + 1;
    exists -= std::min(exists, count);
    removals += count;
  }
}

}  // namespace postern::maildrop
