#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "postern/base/failure.hpp"
#include "postern/imap/response.hpp"

namespace postern::imap {

/// What the tagged NO or BAD to LOGIN or AUTHENTICATE means (RFC 5530 §3). `not_credentials`: parts of texts
/// with which this backend refuses for other reasons; matched without regard to case. A NO without a code
/// that is known, and without such a text, is a refusal of the credentials; `auth_refused` means whoever's
/// they are. A BAD never is.
FailureKind login_failure(const Response& tagged, std::span<const std::string> not_credentials) noexcept;

/// What the tagged NO or BAD to SELECT means. A mailbox that is not there is `mailbox`, as every other
/// trouble with it.
FailureKind select_failure(const Response& tagged) noexcept;

/// Exchange's "Request is throttled. Suggested Backoff Time: 299961 milliseconds", and Gmail's code (for
/// which there is no time: zero).
std::optional<std::chrono::milliseconds> throttled_for(const Response& tagged) noexcept;

}  // namespace postern::imap
