#include "config/report.hpp"

#include <utility>

namespace postern::config {
namespace {

// Long enough for any key and path that a person wrote, short enough for a line of a log.
constexpr std::size_t kLongestQuote = 80;

}  // namespace

Problems Report::take() {
  Problems out;
  for (auto& entry : problems_) {
    const auto& place = entry.first;
    Problem problem{mark({place.first, place.second}), std::move(entry.second)};
    const auto is_same = [&](const Problem& other) {
      return other.mark.line == place.first && other.mark.column == place.second &&
             other.message == problem.message;
    };
    if (out.empty() || !is_same(out.back())) out.push_back(std::move(problem));
  }
  problems_.clear();
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "'";
  for (const char character : text.substr(0, kLongestQuote)) {
    const auto octet = static_cast<unsigned char>(character);
    if (octet >= 0x20 && octet != 0x7f) {
      out += character;
    } else {
      out += {'\\', 'x', kHex[octet >> 4], kHex[octet & 15]};
    }
  }
  // A cut may fall into a UTF-8 sequence: drop what is left of it.
  if (text.size() > kLongestQuote) {
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xc0) == 0x80) out.pop_back();
    if (static_cast<unsigned char>(out.back()) >= 0xc0) out.pop_back();
    out += "...";
  }
  return out + "'";
}

}  // namespace postern::config
