#include "imap/status_line.hpp"

#include <array>

#include "imap/cursor.hpp"

namespace postern::imap {
namespace {

struct Name {
  std::string_view name;
  Code code;
};

constexpr std::array kCodes = {
    Name{"ALERT", Code::alert},
    Name{"APPENDUID", Code::appenduid},
    Name{"AUTHENTICATIONFAILED", Code::authenticationfailed},
    Name{"AUTHORIZATIONFAILED", Code::authorizationfailed},
    Name{"CAPABILITY", Code::capability},
    Name{"CLIENTBUG", Code::clientbug},
    Name{"CLOSED", Code::closed},
    Name{"CONTACTADMIN", Code::contactadmin},
    Name{"COPYUID", Code::copyuid},
    Name{"CORRUPTION", Code::corruption},
    Name{"EXPIRED", Code::expired},
    Name{"EXPUNGEISSUED", Code::expungeissued},
    Name{"HIGHESTMODSEQ", Code::highestmodseq},
    Name{"INUSE", Code::inuse},
    Name{"LIMIT", Code::limit},
    Name{"NOMODSEQ", Code::nomodseq},
    Name{"NONEXISTENT", Code::nonexistent},
    Name{"NOPERM", Code::noperm},
    Name{"OVERQUOTA", Code::overquota},
    Name{"PARSE", Code::parse},
    Name{"PERMANENTFLAGS", Code::permanentflags},
    Name{"PRIVACYREQUIRED", Code::privacyrequired},
    Name{"READ-ONLY", Code::read_only},
    Name{"READ-WRITE", Code::read_write},
    Name{"REFERRAL", Code::referral},
    Name{"SERVERBUG", Code::serverbug},
    Name{"THROTTLED", Code::throttled},
    Name{"TRYCREATE", Code::trycreate},
    Name{"UIDNEXT", Code::uidnext},
    Name{"UIDNOTSTICKY", Code::uidnotsticky},
    Name{"UIDVALIDITY", Code::uidvalidity},
    Name{"UNAVAILABLE", Code::unavailable},
    Name{"UNSEEN", Code::unseen},
};

constexpr std::array<std::string_view, 5> kConditions = {"OK", "NO", "BAD", "PREAUTH", "BYE"};

constexpr std::string_view kThrottledAtEnd = "[THROTTLED]";

std::optional<std::uint64_t> number_of(std::string_view arguments) noexcept {
  Cursor cursor(arguments);
  cursor.skip_spaces();
  const auto number = cursor.take_number(kMaxNumber64);
  cursor.skip_spaces();
  return cursor.empty() ? number : std::nullopt;
}

std::string_view without_space(std::string_view text) noexcept {
  return text.starts_with(' ') ? text.substr(1) : text;
}

}  // namespace

std::optional<Condition> find_condition(std::string_view word) noexcept {
  for (std::size_t i = 0; i < kConditions.size(); ++i) {
    if (ascii::equal(word, kConditions[i])) return static_cast<Condition>(i);
  }
  return std::nullopt;
}

Code find_code(std::string_view name) noexcept {
  for (const auto& known : kCodes) {
    if (ascii::equal(name, known.name)) return known.code;
  }
  return Code::unknown;
}

void read_status_text(std::string_view text, Response& out) noexcept {
  out.text = without_space(text);
  const auto end = out.text.find(']');
  if (out.text.starts_with('[') && end != std::string_view::npos) {
    const auto inside = out.text.substr(1, end - 1);
    out.code_name = inside.substr(0, inside.find(' '));
    out.code_arguments = without_space(inside.substr(out.code_name.size()));
    out.code = find_code(out.code_name);
    out.code_number = number_of(out.code_arguments);
    out.text = without_space(out.text.substr(end + 1));
    return;
  }
  const auto last = out.text.find_last_not_of(' ');
  if (last == std::string_view::npos || !ascii::ends_with(out.text.substr(0, last + 1), kThrottledAtEnd))
    return;
  out.code = Code::throttled;
  out.code_name = out.text.substr(last + 2 - kThrottledAtEnd.size(), kThrottledAtEnd.size() - 2);
}

}  // namespace postern::imap
