#include <array>
#include <cstdint>
#include <string>

#include "postern/sasl/sasl.hpp"

namespace postern::sasl {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;
constexpr std::size_t kGroup = 4;        // letters
constexpr std::size_t kGroupOctets = 3;  // what they stand for
constexpr unsigned kLetterBits = 6;
constexpr unsigned kLetterMask = 0x3f;

constexpr auto kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

std::size_t padding_of(std::string_view text) noexcept {
  if (text.ends_with("==")) return 2;
  return text.ends_with('=') ? 1 : 0;
}

/// Makes a Secret of a text that was reserved in one piece, so that no earlier piece of it is left in memory.
Secret seal(std::string& octets) {
  Secret secret(octets);
  wipe(octets);
  return secret;
}

bool decode_into(std::string& octets, std::string_view letters) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char letter : letters) {
    const auto value = kValues[static_cast<unsigned char>(letter)];
    if (value == kNone) return false;
    bits = (bits << kLetterBits) | value;
    count += kLetterBits;
    if (count < 8) continue;
    count -= 8;
    octets += static_cast<char>(bits >> count & 0xff);
  }
  // What is left over has to be zero: otherwise several texts would mean one value (RFC 4648 §3.5).
  return (bits & ((1U << count) - 1)) == 0;
}

}  // namespace

std::optional<Secret> decode_base64(std::string_view text) {
  if (text.size() % kGroup != 0) return std::nullopt;
  std::string octets;
  octets.reserve(text.size() / kGroup * kGroupOctets);
  const bool good = decode_into(octets, text.substr(0, text.size() - padding_of(text)));
  auto secret = seal(octets);
  if (!good) return std::nullopt;
  return secret;
}

Secret encode_base64(std::string_view octets) {
  std::string text;
  text.reserve((octets.size() + kGroupOctets - 1) / kGroupOctets * kGroup);
  while (!octets.empty()) {
    const auto group = octets.substr(0, kGroupOctets);
    octets.remove_prefix(group.size());
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < kGroupOctets; ++i) {
      bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    }
    for (std::size_t i = 0; i < kGroup; ++i) {
      const auto value = bits >> (kLetterBits * (kGroup - 1 - i)) & kLetterMask;
      text += i <= group.size() ? kAlphabet[value] : '=';
    }
  }
  return seal(text);
}

}  // namespace postern::sasl
