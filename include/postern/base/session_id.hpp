#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "postern/base/clock.hpp"
#include "postern/base/random.hpp"

namespace postern {

/// What ties the lines of a session together, here and in the backend's log: 16 letters of Crockford's base32
/// (80 bits: 44 of time in milliseconds, then 36 random), so that ids sort by time and are never guessed from
/// one another.
class SessionId {
 public:
  static constexpr std::size_t kLength = 16;

  SessionId(WallTime now, Random& random) noexcept;

  std::string_view view() const noexcept { return {letters_.data(), letters_.size()}; }

 private:
  std::array<char, kLength> letters_;
};

}  // namespace postern
