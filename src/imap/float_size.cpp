#include "imap/float_size.hpp"

#include <cstddef>

#include "imap/cursor.hpp"

namespace postern::imap {
namespace {

/// More digits than any size has; longer ones are no size.
constexpr std::size_t kMostDigits = 40;
constexpr std::uint64_t kLargestExponent = 40;

std::string_view take_digits(Cursor& cursor) noexcept {
  const auto text = cursor.rest();
  std::size_t length = 0;
  while (length != text.size() && ascii::is_digit(text[length])) ++length;
  cursor.skip(length);
  return text.substr(0, length);
}

/// How many places the point moves to the right; nothing if the exponent is malformed.
std::optional<int> take_exponent(Cursor& cursor) noexcept {
  if (!cursor.take('e') && !cursor.take('E')) return 0;
  const bool negative = cursor.take('-');
  if (!negative) cursor.take('+');
  const auto number = cursor.take_number(kLargestExponent);
  if (!number) return std::nullopt;
  return negative ? -static_cast<int>(*number) : static_cast<int>(*number);
}

}  // namespace

std::optional<std::uint64_t> parse_float_size(std::string_view word) noexcept {
  Cursor cursor(word);
  const auto whole = take_digits(cursor);
  const auto fraction = cursor.take('.') ? take_digits(cursor) : std::string_view();
  const auto exponent = take_exponent(cursor);
  if (whole.empty() || !exponent || !cursor.empty()) return std::nullopt;
  if (whole.size() > kMostDigits || fraction.size() > kMostDigits) return std::nullopt;
  const auto places = static_cast<int>(whole.size()) + *exponent;
  std::uint64_t value = 0;
  for (int place = 0; place < places; ++place) {
    const auto at = static_cast<std::size_t>(place);
    char digit = '0';
    if (at < whole.size()) {
      digit = whole[at];
    } else if (at - whole.size() < fraction.size()) {
      digit = fraction[at - whole.size()];
    }
    const auto number = static_cast<std::uint64_t>(digit - '0');
    if (value > (kMaxNumber64 - number) / 10) return std::nullopt;
    value = value * 10 + number;
  }
  return value;
}

}  // namespace postern::imap
