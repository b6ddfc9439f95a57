#pragma once

#include <string>
#include <string_view>

#include "imap/cursor.hpp"
#include "postern/imap/response.hpp"

namespace postern::imap {

/// Responses that are one line, with the literals in it where they stand: CAPABILITY, FLAGS, LIST, STATUS,
/// ID. The kind that a word begins; `other` for words that are skipped.
ResponseKind find_data(std::string_view word) noexcept;

/// Reads what stands behind the word. What has to be decoded goes to `room`; it and `rest` hold the views of
/// `out`.
Fault read_data(ResponseKind kind, std::string_view rest, std::string& room, Response& out);

}  // namespace postern::imap
