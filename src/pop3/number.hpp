#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "postern/base/ascii.hpp"

namespace postern::pop3 {

/// A number of decimal digits alone; one that is too large becomes the largest there is.
constexpr std::optional<std::uint64_t> saturating_number(std::string_view digits) noexcept {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), ascii::is_digit)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) return kMax;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace postern::pop3
