#include "postern/pop3/reply.hpp"

#include <array>
#include <limits>

#include "pop3/number.hpp"
#include "postern/base/ascii.hpp"

namespace postern::pop3 {
namespace {

constexpr std::string_view kOk = "+OK";
constexpr std::string_view kErr = "-ERR";
constexpr std::string_view kChallenge = "+";

struct Pattern {
  std::string_view part;
  FailureKind kind;
};

/// Texts of servers without codes, in the order in which they are looked for: "is locked" is more than "try
/// again".
constexpr std::array kPatterns = {
    Pattern{"lock", FailureKind::in_use},
    Pattern{"in use", FailureKind::in_use},
    Pattern{"busy", FailureKind::in_use},
    Pattern{"another", FailureKind::in_use},
    Pattern{"unable to", FailureKind::auth_unavailable},
    Pattern{"internal", FailureKind::auth_unavailable},
    Pattern{"temporar", FailureKind::auth_unavailable},
    Pattern{"try again", FailureKind::auth_unavailable},
};

/// More special ones first: SYS alone, or with a second level that is unknown, is a matter of the server (RFC
/// 3206 §4).
constexpr std::array kCodes = {
    Pattern{"AUTH", FailureKind::auth_refused},       Pattern{"IN-USE", FailureKind::in_use},
    Pattern{"LOGIN-DELAY", FailureKind::login_delay}, Pattern{"SYS/PERM", FailureKind::backend_policy},
    Pattern{"SYS", FailureKind::auth_unavailable},
};

/// What stands behind the indicator, without its space; nothing if the line does not begin with the
/// indicator.
std::optional<std::string_view> text_behind(std::string_view line, std::string_view indicator) noexcept {
  if (!ascii::begins_with(line, indicator)) return std::nullopt;
  line.remove_prefix(indicator.size());
  if (line.empty()) return line;
  if (line.front() != ' ') return std::nullopt;
  return line.substr(1);
}

std::string_view response_code(std::string_view text) noexcept {
  if (text.empty() || text.front() != '[') return {};
  const auto end = text.find(']');
  if (end == std::string_view::npos) return {};
  return text.substr(1, end - 1);
}

bool is_or_below(std::string_view code, std::string_view known) noexcept {
  return ascii::begins_with(code, known) && (code.size() == known.size() || code[known.size()] == '/');
}

}  // namespace

std::optional<Reply> parse_reply(std::string_view line) noexcept {
  if (const auto text = text_behind(line, kOk)) return Reply{Status::ok, response_code(*text), *text};
  if (const auto text = text_behind(line, kErr)) return Reply{Status::err, response_code(*text), *text};
  if (const auto text = text_behind(line, kChallenge)) return Reply{Status::challenge, {}, *text};
  return std::nullopt;
}

FailureKind login_failure(const Reply& reply, bool knows_codes) noexcept {
  if (knows_codes) {
    for (const auto& code : kCodes) {
      if (is_or_below(reply.code, code.part)) return code.kind;
    }
  }
  for (const auto& pattern : kPatterns) {
    if (ascii::contains(reply.text, pattern.part)) return pattern.kind;
  }
  return FailureKind::auth_refused;
}

std::optional<std::uint64_t> announced_octets(const Reply& reply) noexcept {
  if (reply.status != Status::ok) return std::nullopt;
  auto rest = reply.text;
  const auto number = ascii::take_word(rest);
  const auto unit = ascii::take_word(rest);
  if (!ascii::begins_with(unit, "octet") && !ascii::begins_with(unit, "byte")) return std::nullopt;
  const auto octets = saturating_number(number);
  if (octets == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  return octets;
}

}  // namespace postern::pop3
