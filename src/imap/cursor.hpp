#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "postern/base/ascii.hpp"

namespace postern::imap {

/// What is wrong with a response, in words of ours; empty: nothing.
using Fault = std::string_view;

/// Largest number of IMAP: RFC 9051's number64 has 63 bits.
inline constexpr std::uint64_t kMaxNumber64 = std::numeric_limits<std::int64_t>::max();
inline constexpr std::uint64_t kMaxNumber32 = std::numeric_limits<std::uint32_t>::max();

constexpr bool ends_name(char c) noexcept {
  switch (c) {
    case ' ':
    case '(':
    case ')':
    case '[':
    case '{':
    case '<':
    case '"':
      return true;
    default:
      return false;
  }
}

constexpr std::array<bool, 256> make_name_ends() {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) table[static_cast<std::size_t>(c)] = ends_name(static_cast<char>(c));
  return table;
}
inline constexpr auto kNameEnds = make_name_ends();

/// A text and a place in it. What is taken was looked at once; nothing is copied unless it has to be decoded.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  bool empty() const noexcept { return at_ == end_; }
  /// The next octet; NUL at the end.
  char peek() const noexcept { return at_ == end_ ? '\0' : *at_; }
  std::string_view rest() const noexcept { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  std::size_t used() const noexcept { return static_cast<std::size_t>(at_ - begin_); }

  void skip(std::size_t octets) noexcept { at_ += octets; }
  void skip_spaces() noexcept {
    while (at_ != end_ && *at_ == ' ') ++at_;
  }
  bool take(char octet) noexcept {
    if (peek() != octet || at_ == end_) return false;
    ++at_;
    return true;
  }

  /// Up to a space, a parenthesis, a bracket, a brace, a quote, or the end.
  std::string_view take_name() noexcept;
  /// Up to a space, a parenthesis or the end.
  std::string_view take_atom() noexcept;

  /// Digits, at least one, and all there are; nothing if the number is larger than `most`.
  std::optional<std::uint64_t> take_number(std::uint64_t most) noexcept;

  /// From the quote to its end, without decoding. False: it does not end.
  bool skip_quoted() noexcept;
  /// Appends what stands between the quotes, decoded.
  bool take_quoted(std::string& out);
  /// A quoted string, a literal whose octets stand in this text too, or an atom; appended. False: none of
  /// them.
  bool take_astring(std::string& out);

  /// "{n}", "{n+}" or "~{n}", and nothing behind it. Returns what is wrong.
  Fault take_literal(std::uint64_t most, std::uint64_t& size) noexcept;

 private:
  const char* begin_;
  const char* at_;
  const char* end_;
};

inline std::string_view Cursor::take_name() noexcept {
  const char* const start = at_;
  while (at_ != end_ && !kNameEnds[static_cast<unsigned char>(*at_)]) ++at_;
  return {start, static_cast<std::size_t>(at_ - start)};
}

inline std::string_view Cursor::take_atom() noexcept {
  const char* const start = at_;
  while (at_ != end_ && *at_ != ' ' && *at_ != '(' && *at_ != ')') ++at_;
  return {start, static_cast<std::size_t>(at_ - start)};
}

inline std::optional<std::uint64_t> Cursor::take_number(std::uint64_t most) noexcept {
  const char* at = at_;
  std::uint64_t value = 0;
  for (; at != end_ && ascii::is_digit(*at); ++at) {
    const auto digit = static_cast<std::uint64_t>(*at - '0');
    if (value > (most - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  if (at == at_) return std::nullopt;
  at_ = at;
  return value;
}

/// The size of the literal that follows the line, if it ends with one's header; `fault` if it has a header
/// that is wrong.
std::optional<std::uint64_t> trailing_literal(std::string_view line, std::uint64_t most,
                                              Fault& fault) noexcept;

}  // namespace postern::imap
