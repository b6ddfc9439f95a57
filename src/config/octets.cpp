#include "config/octets.hpp"

#include <cstddef>

namespace postern::config {
namespace {

// yaml-cpp keeps every token of a [...] or {...} until it ends, about 260 octets for each: 16 MiB of "[" took
// 4 GB and half a minute. A configuration of as many values as are allowed has less than a million of these.
constexpr std::string_view kIndicators = "[{,:?";
constexpr std::size_t kMostIndicators = 2'000'000;

/// The length of the UTF-8 sequence (RFC 3629 §4) that the text begins with, 0 if it is none.
std::size_t sequence_length(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = octet(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((octet(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && octet(1) < 0xa0) || (first == 0xf0 && octet(1) < 0x90);
  const bool surrogate = first == 0xed && octet(1) >= 0xa0;
  const bool beyond_unicode = first == 0xf4 && octet(1) >= 0x90;
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

bool is_control(char character) {
  const auto octet = static_cast<unsigned char>(character);
  return (octet < 0x20 && octet != '\t' && octet != '\n' && octet != '\r') || octet == 0x7f;
}

std::string hex(char character) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto octet = static_cast<unsigned char>(character);
  return {'0', 'x', kHex[octet >> 4], kHex[octet & 15]};
}

}  // namespace

bool check_octets(std::string_view text, Report& report) {
  Position position{1, 1};
  std::size_t indicators = 0;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0 || is_control(text[0])) {
      report.add(position,
                 "found the octet " + hex(text[0]) + ", expected text in UTF-8 without control characters");
      return false;
    }
    if (kIndicators.find(text[0]) != std::string_view::npos && ++indicators > kMostIndicators) {
      report.add(position,
                 "found more than 2000000 of '[', '{', ',', ':' and '?', expected a configuration file");
      return false;
    }
    if (text[0] == '\n') {
      ++position.line;
      position.column = 0;
    }
    position.column += static_cast<unsigned>(length);
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace postern::config
