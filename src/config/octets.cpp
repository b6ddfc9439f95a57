#include "config/octets.hpp"

#include <cstddef>

#include "config/values.hpp"

namespace postern::config {
namespace {

// yaml-cpp keeps every token of a [...] or {...} until it ends, about 260 octets for each: 16 MiB of "[" took
// 4 GB and half a minute. A configuration of as many values as are allowed has less than a million of these.
constexpr std::string_view kIndicators = "[{,:?";
constexpr std::size_t kMostIndicators = 2'000'000;

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
    const std::size_t length = utf8_length(text);
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
