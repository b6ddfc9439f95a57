#include "postern/base/session_id.hpp"

#include <cstdint>

namespace postern {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford: no i, l, o, u
__extension__ using Bits80 = unsigned __int128;
constexpr int kRandomBits = 36;
constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << 44) - 1;

}  // namespace

SessionId::SessionId(WallTime now, Random& random) noexcept : letters_{} {
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  auto bits = static_cast<Bits80>(static_cast<std::uint64_t>(milliseconds) & kTimeMask) << kRandomBits;
  bits |= random.next() >> (64 - kRandomBits);
  for (std::size_t i = kLength; i-- > 0; bits >>= 5)
    letters_[i] = kAlphabet[static_cast<std::size_t>(bits & 31)];
}

}  // namespace postern
