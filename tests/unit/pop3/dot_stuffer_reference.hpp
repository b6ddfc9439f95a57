#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What DotStuffer has to do, written for a whole message at once and without any thought of speed, from the
/// definitions alone. Shared by the unit tests and the fuzz target.
namespace postern::pop3::reference {

/// Every LF behind a CR, and one line end at the end of everything.
inline std::string normalised(std::string_view message) {
  std::string out;
  for (std::size_t at = 0; at < message.size(); ++at) {
    if (message[at] == '\n' && (at == 0 || message[at - 1] != '\r')) out += '\r';
    out += message[at];
  }
  if (message.empty() || message.back() != '\n') out += "\r\n";
  return out;
}

/// With the last CRLF, without the terminator.
inline std::string retr(std::string_view message, bool replaces_nul) {
  std::string out;
  bool line_start = true;
  for (const char octet : normalised(message)) {
    if (line_start && octet == '.') out += '.';
    out += octet == '\0' && replaces_nul ? '\x80' : octet;
    line_start = octet == '\n';
  }
  return out;
}

/// How many octets of the message TOP wants, if it wants less than there may be: up to the end of the empty
/// line and `lines` more.
inline std::optional<std::size_t> top_length(std::string_view message, std::uint64_t lines) {
  bool in_header = true;
  std::size_t line = 0;
  for (std::size_t at = 0; at < message.size(); ++at) {
    if (message[at] != '\n') continue;
    const auto text = message.substr(line, at + 1 - line);
    line = at + 1;
    if (in_header) {
      in_header = text != "\n" && text != "\r\n";
    } else {
      --lines;
    }
    if (!in_header && lines == 0) return line;
  }
  return std::nullopt;
}

inline std::string top(std::string_view message, std::uint64_t lines, bool replaces_nul) {
  return retr(message.substr(0, top_length(message, lines).value_or(message.size())), replaces_nul);
}

}  // namespace postern::pop3::reference
