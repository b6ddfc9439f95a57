#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::maildrop {

/// What becomes of a message on its way to a POP3 client (protocol RETR-3, TOP-2), written down once more, as
/// simply as possible.
inline std::string wire_form(std::string_view literal) {
  std::string wire;
  bool at_line_start = true;
  char last = '\0';
  for (const char octet : literal) {
    if (octet == '\n') {
      wire += last == '\r' ? "\n" : "\r\n";
    } else {
      if (octet == '.' && at_line_start) wire += '.';
      wire += octet == '\0' ? '\x80' : octet;
    }
    at_line_start = octet == '\n';
    last = octet;
  }
  return last == '\n' ? wire : wire + "\r\n";
}

/// Of it, what TOP shows.
inline std::string top_of(std::string_view literal, std::uint64_t lines) {
  const std::string wire = wire_form(literal);
  std::size_t end = wire.starts_with("\r\n") ? 2 : wire.find("\r\n\r\n");
  if (end == std::string::npos) return wire;
  if (end != 2 || !wire.starts_with("\r\n")) end += 4;
  for (; lines != 0 && end < wire.size(); --lines) end = wire.find("\r\n", end) + 2;
  return wire.substr(0, end);
}

}  // namespace postern::maildrop
