#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// The grammar of POP3 (RFC 1939, 2449, 5034): no I/O, no state of a session, nothing allocated.
namespace postern::pop3 {

/// Longest command line without its line end. RFC 2449 §4 asks for 255 octets; lenient servers take 1024.
inline constexpr std::size_t kMaxCommandLine = 1024;
/// The same for AUTH with an initial response: OAuth clients ignore RFC 5034's limit of 255.
inline constexpr std::size_t kMaxAuthLine = 16 * 1024;
/// Longest line of a SASL exchange: RFC 5034 §4 asks for lines of any length, the bound is ours.
inline constexpr std::size_t kMaxSaslLine = 64 * 1024;

enum class Verb : std::uint8_t {
  // AUTHORIZATION
  capa,
  stls,
  auth,
  user,
  pass,
  apop,
  quit,
  // TRANSACTION
  stat,
  list,
  retr,
  dele,
  noop,
  rset,
  top,
  uidl,
  // LAST, XTND, UTF8 and whatever else: an -ERR
  other,
};
inline constexpr std::size_t kVerbs = static_cast<std::size_t>(Verb::other) + 1;

std::string_view name(Verb verb) noexcept;  ///< "RETR"; "OTHER"

/// One parsed line. The views point into the line that was parsed.
struct Command {
  Verb verb = Verb::other;
  std::optional<std::uint32_t> message;     ///< LIST, RETR, DELE, TOP, UIDL
  std::uint64_t lines = 0;                  ///< TOP; saturates
  std::string_view argument;                ///< USER's and PASS's text; AUTH's mechanism
  std::optional<std::string_view> initial;  ///< AUTH's initial response, "=" as it came
};

enum class ParseError : std::uint8_t {
  none,
  empty,         ///< an empty line
  bad_octet,     ///< a NUL, or a CR or LF that is not part of the line end
  bad_argument,  ///< missing, surplus, or not a number of 1 to 2^32-1 written with at most 10 digits
};

struct Parsed {
  Command command;  ///< with an error: the verb, if it was known
  ParseError error = ParseError::none;
};

/// Parses a line without its line end. The keyword is matched without regard to case and has to begin the
/// line; repeated spaces between arguments and trailing spaces are tolerated, surplus arguments are not (also
/// not on QUIT: a misread line must never commit deletions). Only SP separates. USER takes the rest of the
/// line behind one space, less trailing spaces, and wants at least one octet; PASS takes everything behind
/// its first space, spaces included, or nothing at all if the space is the last octet (RFC 1939 §7). APOP and
/// unknown keywords are not looked into.
Parsed parse(std::string_view line) noexcept;

/// Whether a `+OK` to this command is followed by lines and a terminator. `has_argument`: LIST n, UIDL n,
/// AUTH x.
bool is_multi_line(Verb verb, bool has_argument) noexcept;

}  // namespace postern::pop3
