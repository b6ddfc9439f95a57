#pragma once

#include <cstdint>
#include <string>

#include "postern/backend/imap_client.hpp"

namespace postern::maildrop {

/// What a server tells of a mailbox while it is selected. EXISTS follows what happens meanwhile.
class MailboxState : public backend::ImapListener {
 public:
  std::uint32_t uidvalidity = 0;  ///< 0: not told
  std::uint32_t uidnext = 0;      ///< 0: not told
  std::uint32_t exists = 0;
  bool told_exists = false;
  bool uids_persist = true;    ///< no UIDNOTSTICKY
  std::string mailbox_id;      ///< RFC 8474
  std::uint64_t removals = 0;  ///< EXPUNGE and VANISHED, of whomever

  /// SEC-4: how many responses a command may have, whatever it does to all these messages.
  std::uint64_t most_responses() const noexcept { return 10 * std::uint64_t{exists} + 1000; }
  /// Whether a keyword that is set will stay (PERMANENTFLAGS).
  bool keeps(std::string_view keyword) const noexcept;

  void on_response(const imap::Response& response) override;
  void on_numbers(const imap::Response& response, std::span<const imap::NumberRange> numbers) override;

 private:
  bool told_permanent_ = false;
  bool any_keyword_ = false;
  std::string keywords_;
};

}  // namespace postern::maildrop
