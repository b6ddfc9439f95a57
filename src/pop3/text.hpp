#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

/// Words, numbers and letters of POP3 lines. ASCII only, whatever the locale says.
namespace postern::pop3 {

constexpr char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

constexpr bool equal_letters(char a, char b) noexcept {
  return to_upper(a) == to_upper(b);
}

/// Equal without regard to case.
constexpr bool equal(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), equal_letters);
}

constexpr bool begins_with(std::string_view text, std::string_view start) noexcept {
  return text.size() >= start.size() && equal(text.substr(0, start.size()), start);
}

constexpr bool contains(std::string_view text, std::string_view part) noexcept {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), equal_letters) != text.end();
}

/// Takes the next word off `rest`; words are separated by one or more SP. Empty: there is none.
constexpr std::string_view take_word(std::string_view& rest) noexcept {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const auto word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

/// A number of decimal digits alone; one that is too large becomes the largest there is.
constexpr std::optional<std::uint64_t> saturating_number(std::string_view digits) noexcept {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) return kMax;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace postern::pop3
