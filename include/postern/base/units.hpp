#pragma once

#include <cstddef>
#include <cstdint>

namespace postern {

/// A number of octets.
using Bytes = std::uint64_t;

inline constexpr std::size_t operator""_KiB(unsigned long long n) {
  return static_cast<std::size_t>(n) << 10;
}
inline constexpr std::size_t operator""_MiB(unsigned long long n) {
  return static_cast<std::size_t>(n) << 20;
}

}  // namespace postern
