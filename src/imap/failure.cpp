#include "postern/imap/failure.hpp"

#include <algorithm>

#include "imap/cursor.hpp"

namespace postern::imap {
namespace {

constexpr std::string_view kThrottled = "Request is throttled";
constexpr std::string_view kBackoff = "Suggested Backoff Time:";
/// A server that asks for more is not believed: a day is what a lock-out lasts.
constexpr std::uint64_t kLongestBackoff = 24ULL * 60 * 60 * 1000;

std::size_t find(std::string_view text, std::string_view part) noexcept {
  const auto at = std::search(text.begin(), text.end(), part.begin(), part.end(), ascii::equal_letters);
  return static_cast<std::size_t>(at - text.begin());
}

/// What a code means wherever it comes; nothing if it depends, or says nothing.
std::optional<FailureKind> meaning(Code code) noexcept {
  switch (code) {
    case Code::unavailable:
    case Code::throttled:
      return FailureKind::auth_unavailable;
    case Code::inuse:
      return FailureKind::in_use;
    case Code::limit:
      return FailureKind::backend_limit;
    case Code::privacyrequired:
    case Code::contactadmin:
    case Code::noperm:
    case Code::referral:
      return FailureKind::backend_policy;
    default:
      return std::nullopt;
  }
}

/// Codes that speak of the server, not of the one who logs in.
bool is_servers_trouble(Code code) noexcept {
  return code == Code::serverbug || code == Code::corruption || code == Code::clientbug ||
         code == Code::overquota;
}

}  // namespace

FailureKind login_failure(const Response& tagged, std::span<const std::string> not_credentials) noexcept {
  if (throttled_for(tagged)) return FailureKind::auth_unavailable;
  if (tagged.condition != Condition::no) return FailureKind::backend_protocol;
  if (const auto kind = meaning(tagged.code)) return *kind;
  if (is_servers_trouble(tagged.code)) return FailureKind::auth_unavailable;
  const bool says_credentials = tagged.code == Code::authenticationfailed ||
                                tagged.code == Code::authorizationfailed || tagged.code == Code::expired;
  if (says_credentials) return FailureKind::auth_refused;
  const bool is_other = std::any_of(
      not_credentials.begin(), not_credentials.end(),
      [&](const std::string& part) { return !part.empty() && ascii::contains(tagged.text, part); });
  return is_other ? FailureKind::auth_unavailable : FailureKind::auth_refused;
}

FailureKind select_failure(const Response& tagged) noexcept {
  if (throttled_for(tagged)) return FailureKind::auth_unavailable;
  if (tagged.condition != Condition::no) return FailureKind::mailbox;
  return meaning(tagged.code).value_or(FailureKind::mailbox);
}

std::optional<std::chrono::milliseconds> throttled_for(const Response& tagged) noexcept {
  using std::chrono::milliseconds;
  if (tagged.condition != Condition::no && tagged.condition != Condition::bad) return std::nullopt;
  const auto at = find(tagged.text, kBackoff);
  if (at == tagged.text.size()) {
    const bool says_so = tagged.code == Code::throttled || ascii::contains(tagged.text, kThrottled);
    return says_so ? std::optional(milliseconds(0)) : std::nullopt;
  }
  Cursor cursor(tagged.text.substr(at + kBackoff.size()));
  cursor.skip_spaces();
  const auto time = cursor.take_number(kMaxNumber64).value_or(0);
  return milliseconds(std::min(time, kLongestBackoff));
}

}  // namespace postern::imap
