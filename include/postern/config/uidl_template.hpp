#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "postern/base/result.hpp"
#include "postern/config/config.hpp"

namespace postern::config {

/// Why a text is no template: "found ..., expected ...".
struct UidlError {
  std::string message;
};

/// Reads a template for unique-ids: text of 0x21 to 0x7E, `%%` for a percent sign, and `%{...}` with uid,
/// uidvalidity, guid, email_id, x_gm_msgid or header:NAME. Numbers take a format: `:x` for hexadecimal,
/// `:08x` and `:010` with zeros in front.
///
/// Refuses what could break the promises of UidlTemplate: more than kLongestUidl octets together with
/// `prefix` octets before them (a stored id counts as one), nothing that tells messages apart, and parts of
/// varying length side by side, where 1 and 12 give the same as 11 and 2.
Result<UidlTemplate, UidlError> parse_uidl_template(std::string_view text, std::size_t prefix);

/// The template in the one spelling that all have which make the same ids: `%{uid:01x}` is `%{uid:x}`, and
/// names of header fields have small letters. Parsed again it is the same template.
std::string canonical_text(const UidlTemplate& uidl);

}  // namespace postern::config
