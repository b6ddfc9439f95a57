#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::imap {

/// A size as some servers write it, "9.3736e+06" or "1234.0" (seen with mail.ru), without its fraction.
/// Nothing if it is malformed, negative or has more than 63 bits. In whole numbers: no rounding of a floating
/// point unit comes in.
std::optional<std::uint64_t> parse_float_size(std::string_view word) noexcept;

}  // namespace postern::imap
