#include "postern/imap/mailbox_name.hpp"

#include <cstddef>
#include <cstdint>

namespace postern::imap {
namespace {

/// Base64 with "," for "/", because that is a delimiter of hierarchies.
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

constexpr bool is_plain(std::uint32_t letter) noexcept {
  return letter >= ' ' && letter <= '~';
}
constexpr bool is_surrogate(std::uint32_t unit) noexcept {
  return unit >= 0xD800 && unit <= 0xDFFF;
}

/// Takes a letter off valid UTF-8; nothing if it is malformed, overlong, a surrogate, or above U+10FFFF (RFC
/// 3629 §3).
std::optional<std::uint32_t> take_letter(std::string_view& text) noexcept {
  const auto first = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  if (first < 0x80) return first;
  if (first < 0xC2 || first > 0xF4) return std::nullopt;
  const std::size_t more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
  if (text.size() < more) return std::nullopt;
  std::uint32_t letter = first & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if ((octet & 0xC0) != 0x80) return std::nullopt;
    letter = letter << 6 | (octet & 0x3FU);
  }
  text.remove_prefix(more);
  constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (letter < kLeast[more] || is_surrogate(letter) || letter > 0x10FFFF) return std::nullopt;
  return letter;
}

void append_utf8(std::string& out, std::uint32_t letter) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (letter >> shift & 0x3F)); };
  if (letter < 0x80) {
    out += static_cast<char>(letter);
  } else if (letter < 0x800) {
    out += static_cast<char>(0xC0 | letter >> 6);
    tail(0);
  } else if (letter < 0x10000) {
    out += static_cast<char>(0xE0 | letter >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | letter >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// UTF-16 as base64, between "&" and "-".
class Shifted {
 public:
  explicit Shifted(std::string& out) noexcept : out_(out) {}

  void add(std::uint32_t letter) {
    if (!open_) out_ += '&';
    open_ = true;
    if (letter >= 0x10000) {
      add_unit(0xD800 + ((letter - 0x10000) >> 10));
      add_unit(0xDC00 + ((letter - 0x10000) & 0x3FF));
    } else {
      add_unit(letter);
    }
  }

  void close() {
    if (!open_) return;
    if (bits_ != 0) out_ += kAlphabet[pending_ << (6 - bits_) & 0x3F];
    out_ += '-';
    open_ = false;
    bits_ = 0;
    pending_ = 0;
  }

 private:
  void add_unit(std::uint32_t unit) {
    pending_ = (pending_ << 16 | unit) & 0xFFFFFF;  // at most 4 bits were left
    bits_ += 16;
    for (; bits_ >= 6; bits_ -= 6) out_ += kAlphabet[pending_ >> (bits_ - 6) & 0x3F];
  }

  std::string& out_;
  bool open_ = false;
  std::uint32_t pending_ = 0;
  unsigned bits_ = 0;
};

/// What stands between "&" and "-", roughly: whoever calls compares with what would be written.
bool append_shifted(std::string& out, std::string_view base64) {
  std::uint32_t pending = 0;
  unsigned bits = 0;
  std::uint32_t high = 0;
  for (const char c : base64) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return false;
    pending = (pending << 6 | static_cast<std::uint32_t>(value)) & 0x3FFFFF;
    bits += 6;
    if (bits < 16) continue;
    bits -= 16;
    const auto unit = pending >> bits & 0xFFFF;
    if (high != 0) {
      if (unit < 0xDC00 || unit > 0xDFFF) return false;
      append_utf8(out, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
      high = 0;
    } else if (is_surrogate(unit)) {
      if (unit >= 0xDC00) return false;
      high = unit;
    } else {
      append_utf8(out, unit);
    }
  }
  return high == 0;
}

}  // namespace

std::optional<std::string> encode_mailbox_name(std::string_view utf8) {
  std::string out;
  Shifted shifted(out);
  while (!utf8.empty()) {
    const auto letter = take_letter(utf8);
    if (!letter || *letter == 0) return std::nullopt;
    if (!is_plain(*letter)) {
      shifted.add(*letter);
      continue;
    }
    shifted.close();
    out += static_cast<char>(*letter);
    if (*letter == '&') out += '-';
  }
  shifted.close();
  return out;
}

std::optional<std::string> decode_mailbox_name(std::string_view name) {
  std::string out;
  for (auto rest = name; !rest.empty();) {
    const auto shift = rest.find('&');
    out += rest.substr(0, shift);
    if (shift == std::string_view::npos) break;
    rest.remove_prefix(shift + 1);
    const auto end = rest.find('-');
    if (end == std::string_view::npos) return std::nullopt;
    if (end == 0) {
      out += '&';
    } else if (!append_shifted(out, rest.substr(0, end))) {
      return std::nullopt;
    }
    rest.remove_prefix(end + 1);
  }
  if (encode_mailbox_name(out) != name) return std::nullopt;
  return out;
}

}  // namespace postern::imap
