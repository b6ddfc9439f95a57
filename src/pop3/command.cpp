#include "postern/pop3/command.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "pop3/number.hpp"
#include "postern/base/ascii.hpp"

namespace postern::pop3 {
namespace {

constexpr std::array<std::string_view, kVerbs> kNames = {
    "CAPA", "STLS", "AUTH", "USER", "PASS", "APOP", "QUIT", "STAT",
    "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP",  "UIDL", "OTHER",
};

/// Ten digits are enough for every message number; servers wrap longer ones round to a message that was not
/// meant.
constexpr std::size_t kMaxNumberDigits = 10;
/// What no line may hold: a server could take what stands behind it for another line.
constexpr std::string_view kBadOctets{"\0\r\n", 3};

Verb find_verb(std::string_view keyword) noexcept {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Verb::other); ++i) {
    if (ascii::equal(kNames[i], keyword)) return static_cast<Verb>(i);
  }
  return Verb::other;
}

bool take_message(std::string_view word, Command& command) noexcept {
  if (word.size() > kMaxNumberDigits) return false;
  const auto number = saturating_number(word);
  if (!number || *number == 0 || *number > std::numeric_limits<std::uint32_t>::max()) return false;
  command.message = static_cast<std::uint32_t>(*number);
  return true;
}

bool take_optional_message(std::string_view& rest, Command& command) noexcept {
  const auto word = ascii::take_word(rest);
  return word.empty() || take_message(word, command);
}

bool take_lines(std::string_view word, Command& command) noexcept {
  const auto lines = saturating_number(word);
  if (!lines) return false;
  command.lines = *lines;
  return true;
}

bool take_user(std::string_view& rest, Command& command) noexcept {
  const auto text = rest.substr(std::min<std::size_t>(1, rest.size()));
  const auto last = text.find_last_not_of(' ');
  rest = {};
  if (last == std::string_view::npos) return false;
  command.argument = text.substr(0, last + 1);
  return true;
}

bool take_password(std::string_view& rest, Command& command) noexcept {
  if (rest.empty()) return false;
  command.argument = rest.substr(1);
  rest = {};
  return true;
}

bool take_mechanism(std::string_view& rest, Command& command) noexcept {
  command.argument = ascii::take_word(rest);
  const auto initial = ascii::take_word(rest);
  if (!initial.empty()) command.initial = initial;
  return true;
}

/// Takes what the verb wants off `rest`, which begins with the space behind the keyword or is empty.
bool take_arguments(std::string_view& rest, Command& command) noexcept {
  switch (command.verb) {
    case Verb::list:
    case Verb::uidl:
      return take_optional_message(rest, command);
    case Verb::retr:
    case Verb::dele:
      return take_message(ascii::take_word(rest), command);
    case Verb::top:
      return take_message(ascii::take_word(rest), command) && take_lines(ascii::take_word(rest), command);
    case Verb::user:
      return take_user(rest, command);
    case Verb::pass:
      return take_password(rest, command);
    case Verb::auth:
      return take_mechanism(rest, command);
    case Verb::apop:
    case Verb::other:
      rest = {};
      return true;
    case Verb::capa:
    case Verb::stls:
    case Verb::quit:
    case Verb::stat:
    case Verb::noop:
    case Verb::rset:
      return true;
  }
  return false;
}

}  // namespace

std::string_view name(Verb verb) noexcept {
  return kNames[static_cast<std::size_t>(verb)];
}

Parsed parse(std::string_view line) noexcept {
  Parsed parsed;
  if (line.empty()) {
    parsed.error = ParseError::empty;
    return parsed;
  }
  const auto keyword = line.substr(0, line.find(' '));
  parsed.command.verb = find_verb(keyword);
  if (line.find_first_of(kBadOctets) != std::string_view::npos) {
    parsed.error = ParseError::bad_octet;
    return parsed;
  }
  auto rest = line.substr(keyword.size());
  if (!take_arguments(rest, parsed.command) || !ascii::take_word(rest).empty()) {
    parsed.command = Command();
    parsed.command.verb = find_verb(keyword);
    parsed.error = ParseError::bad_argument;
  }
  return parsed;
}

bool is_multi_line(Verb verb, bool has_argument) noexcept {
  switch (verb) {
    case Verb::capa:
    case Verb::retr:
    case Verb::top:
      return true;
    case Verb::list:
    case Verb::uidl:
    case Verb::auth:
      return !has_argument;
    default:
      return false;
  }
}

}  // namespace postern::pop3
