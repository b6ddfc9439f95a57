#include "maildrop/translate/unique_id.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "postern/base/assert.hpp"

namespace postern::maildrop {
namespace {

using Source = config::UidlPiece::Source;

constexpr std::size_t kDigestDigits = 32;
constexpr std::size_t kPrefixDigits = config::kUidlFolderPrefix - 1;

/// The first hexadecimal digits of the SHA-256.
std::string hash(std::string_view text, std::size_t digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  POSTERN_ASSERT(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  std::string out;
  for (std::size_t i = 0; i < digits; ++i) {
    const unsigned octet = digest[i / 2];
    out += kDigits[i % 2 == 0 ? octet >> 4 : octet & 15];
  }
  return out;
}

void append_number(std::string& out, const config::UidlPiece& piece, std::uint64_t number) {
  std::array<char, 20> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, piece.hex ? 16 : 10).ptr;
  const auto size = static_cast<std::size_t>(end - digits.data());
  if (size < piece.width) out.append(piece.width - size, '0');
  out.append(digits.data(), size);
}

/// X-GM-MSGID comes as digits; the template may want it in hexadecimal.
void append_value(std::string& out, const config::UidlPiece& piece, std::string_view value) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool is_number = error == std::errc() && end == value.data() + value.size();
  if (piece.source == Source::gm_msgid && is_number) {
    append_number(out, piece, number);
  } else {
    out += value;
  }
}

}  // namespace

bool is_unique_id(std::string_view id) noexcept {
  return !id.empty() && id.size() <= config::kLongestUidl &&
         std::all_of(id.begin(), id.end(), [](char c) { return c >= 0x21 && c <= 0x7E; });
}

void append_unique_id(std::string& out, const config::UidlTemplate& form, std::uint32_t uidvalidity,
                      std::uint32_t uid) {
  for (const config::UidlPiece& piece : form.pieces) {
    if (piece.source == Source::text) out += piece.text;
    if (piece.source == Source::uid) append_number(out, piece, uid);
    if (piece.source == Source::uidvalidity) append_number(out, piece, uidvalidity);
  }
}

namespace {

/// Such as of a message without the header field: Dovecot's.
std::string id_without_value(std::uint32_t uidvalidity, std::uint32_t uid) {
  static const config::UidlTemplate kOfNumbers = config::Imap().uidl;
  std::string id;
  append_unique_id(id, kOfNumbers, uidvalidity, uid);
  return id;
}

}  // namespace

std::string make_unique_id(const config::UidlTemplate& form, std::uint32_t uidvalidity, std::uint32_t uid,
                           std::string_view values) {
  std::string id;
  for (const config::UidlPiece& piece : form.pieces) {
    switch (piece.source) {
      case Source::text:
        id += piece.text;
        break;
      case Source::uid:
        append_number(id, piece, uid);
        break;
      case Source::uidvalidity:
        append_number(id, piece, uidvalidity);
        break;
      default: {
        const std::string_view value = values.substr(0, values.find('\n'));
        if (value.empty()) return id_without_value(uidvalidity, uid);
        append_value(id, piece, value);
        values.remove_prefix(std::min(value.size() + 1, values.size()));
      }
    }
  }
  const bool fits = is_unique_id(id) && id.size() + config::kUidlFolderPrefix <= config::kLongestUidl;
  return fits ? id : digest(id);
}

std::string digest(std::string_view text) {
  return hash(text, kDigestDigits);
}

std::string folder_prefix(std::string_view mailbox, std::string_view mailbox_id) {
  return hash(mailbox_id.empty() ? mailbox : mailbox_id, kPrefixDigits) + ".";
}

}  // namespace postern::maildrop
