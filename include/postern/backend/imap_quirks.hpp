#pragma once

#include <span>
#include <string_view>

#include "postern/config/config.hpp"
#include "postern/imap/capabilities.hpp"

namespace postern::backend {

/// What has to be done differently before an IMAP server (protocol table B). The default is a server that
/// does what the RFCs say.
struct ImapQuirks {
  bool uidnext_by_status = false;    ///< SELECT does not tell UIDNEXT: STATUS is asked before it
  bool gone_is_placeholder = false;  ///< a message that was removed comes as one that says "unavailable"
  bool short_lines = false;          ///< command lines of a thousand octets (RFC 2683 §3.2.1.5)
  bool one_at_a_time = false;        ///< nothing is sent while an answer is due
  bool partial = true;               ///< BODY[]<0.n> works
  bool prefetch = true;              ///< bodies may be asked for ahead: it is not metered
  bool sizes_are_estimates = false;  ///< RFC822.SIZE changes when a message was delivered
  bool delete_moves = false;         ///< removing for good is moving to \\Trash
  std::span<const std::string_view> not_credentials;  ///< texts of a NO that mean something else
};

/// The quirks of a profile that is not `automatic`.
ImapQuirks quirks_of(config::ImapProfile profile) noexcept;

/// Which profile a server shows by its greeting and capabilities. Never by ID (RFC 2971 §3 forbids it).
config::ImapProfile detect_profile(std::string_view greeting,
                                   const imap::Capabilities& capabilities) noexcept;

}  // namespace postern::backend
