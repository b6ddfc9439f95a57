#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

/// Letters and digits of IMAP. ASCII only, whatever the locale says.
namespace postern::imap {

constexpr char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool equal_letters(char a, char b) noexcept {
  return to_upper(a) == to_upper(b);
}

/// Equal without regard to case. Inline and by length first: this is where a response is told from another.
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
  return std::search(text.begin(), text.end(), part.begin(), part.end(), equal_letters) != text.end();
}

}  // namespace postern::imap
