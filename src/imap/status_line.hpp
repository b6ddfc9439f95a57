#pragma once

#include <optional>
#include <string_view>

#include "postern/imap/response.hpp"

namespace postern::imap {

std::optional<Condition> find_condition(std::string_view word) noexcept;
Code find_code(std::string_view name) noexcept;

/// What follows the condition: a response code, if there is one, and a text (RFC 3501 §9 resp-text). Never
/// malformed: what is no code is text. The views are of `text`.
void read_status_text(std::string_view text, Response& out) noexcept;

}  // namespace postern::imap
