#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::imap {

/// The name of a mailbox on the wire: modified UTF-7 (RFC 3501 §5.1.3). Nothing if it is not UTF-8 or holds a
/// NUL.
std::optional<std::string> encode_mailbox_name(std::string_view utf8);

/// Back to UTF-8. Nothing if the name is not what encode_mailbox_name() would write; there are servers that
/// have such names, and they can only be used as they came.
std::optional<std::string> decode_mailbox_name(std::string_view name);

}  // namespace postern::imap
