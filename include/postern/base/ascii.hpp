#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

/// Letters, digits and words of protocols and names: ASCII only, whatever the locale says. Octets above 0x7F
/// are letters of nothing and equal to themselves.
namespace postern::ascii {

constexpr char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
inline std::string to_lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = to_lower(c);
  return result;
}

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool equal_letters(char a, char b) noexcept {
  return to_upper(a) == to_upper(b);
}

// Without regard to case; the empty text is part of every other. Inline and by length first: this is where an
// IMAP response is told from another.

constexpr bool equal(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal_letters(a[i], b[i])) return false;
  }
  return true;
}
constexpr bool begins_with(std::string_view text, std::string_view start) noexcept {
  return text.size() >= start.size() && equal(text.substr(0, start.size()), start);
}
constexpr bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && equal(text.substr(text.size() - end.size()), end);
}
constexpr bool contains(std::string_view text, std::string_view part) noexcept {
  return part.empty() ||
         std::search(text.begin(), text.end(), part.begin(), part.end(), equal_letters) != text.end();
}

/// Takes the next word off `rest`; words are separated by one or more SP. Empty: there is none.
constexpr std::string_view take_word(std::string_view& rest) noexcept {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

}  // namespace postern::ascii
