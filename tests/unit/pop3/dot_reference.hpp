#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What DotScanner and EolRepair have to do, written for a whole text at once and without any thought of
/// speed, from the definitions alone. Shared by the unit tests and the fuzz targets.
namespace postern::pop3::reference {

/// The answer stands behind the CRLF of its status line.
inline std::string with_status_end(std::string_view text) {
  return "\r\n" + std::string(text);
}

/// How many octets of `text` are the answer with its terminator, if it ends in `text`.
inline std::optional<std::size_t> answer_length(std::string_view text) {
  const auto at = with_status_end(text).find("\r\n.\r\n");
  if (at == std::string::npos) return std::nullopt;
  return at + 5 - 2;
}

/// The longest end of `text` that could begin a terminator, as far as it is of `text` itself.
inline std::size_t held(std::string_view text) {
  const auto all = with_status_end(text);
  for (const std::string_view start : {"\r\n.\r", "\r\n.", "\r\n", "\r"}) {
    if (all.ends_with(start)) return std::min(start.size(), text.size());
  }
  return 0;
}

inline bool is_bare_lf(std::string_view text, std::size_t at) {
  return text[at] == '\n' && (at == 0 || text[at - 1] != '\r');
}

/// Bare LFs in text[begin, end).
inline std::uint64_t bare_lfs(std::string_view text, std::size_t begin, std::size_t end) {
  std::uint64_t count = 0;
  for (auto at = begin; at < end; ++at) count += is_bare_lf(text, at) ? 1 : 0;
  return count;
}

/// Whether text[at] is a dot at the start of a line that CRLF (or the status line) begins.
inline bool is_first_dot(std::string_view text, std::size_t at) {
  if (text[at] != '.') return false;
  return at == 0 || (at >= 2 && text.substr(at - 2, 2) == "\r\n");
}

inline std::string repaired(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_bare_lf(text, at)) {
      if (at > 0 && is_first_dot(text, at - 1)) out += '.';
      out += "\r\n";
    } else {
      if (text[at] == '.' && at > 0 && is_bare_lf(text, at - 1)) out += '.';
      out += text[at];
    }
  }
  return out;
}

/// What a client reads: without the dot that begins a line. A line of one dot that a bare LF ends was never
/// stuffed by anybody, so that dot counts.
inline std::string content(std::string_view wire) {
  std::string out;
  for (std::size_t at = 0; at < wire.size(); ++at) {
    const bool before_lf = at + 1 < wire.size() && wire[at + 1] == '\n';
    if (!is_first_dot(wire, at) || before_lf) out += wire[at];
  }
  return out;
}

inline std::string with_crlf(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_bare_lf(text, at)) out += '\r';
    out += text[at];
  }
  return out;
}

}  // namespace postern::pop3::reference
