#include "postern/config/uidl_template.hpp"

#include <algorithm>
#include <string>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "unit/config/rendered.hpp"

namespace {

using namespace postern;
using Source = config::UidlPiece::Source;

constexpr std::size_t kNumberOctets = 4;

bool has(const config::UidlTemplate& uidl, Source source) {
  return std::any_of(uidl.pieces.begin(), uidl.pieces.end(),
                     [&](const config::UidlPiece& piece) { return piece.source == source; });
}

std::uint32_t number(fuzz::Input& input) {
  std::uint32_t value = 0;
  for (const char octet : input.take(kNumberOctets)) value = value << 8 | static_cast<unsigned char>(octet);
  return std::max(value, 1U);  // UID and UIDVALIDITY are never zero
}

void check_id(const std::string& id, std::size_t prefix) {
  POSTERN_ASSERT(!id.empty() && prefix + id.size() <= config::kLongestUidl);
  for (const char c : id) POSTERN_ASSERT(c > ' ' && c <= '~');
}

void check_pieces(const config::UidlTemplate& uidl, std::size_t prefix) {
  bool was_text = false;
  for (const config::UidlPiece& piece : uidl.pieces) {
    const bool is_text = piece.source == Source::text;
    POSTERN_ASSERT(!is_text || (!was_text && !piece.text.empty()));
    was_text = is_text;
  }
  // What the pieces would be written as means the same pieces.
  const auto again = config::parse_uidl_template(config::written(uidl), prefix);
  POSTERN_ASSERT(again.has_value() && again->pieces == uidl.pieces);
}

}  // namespace

/// A choice of the prefix, two pairs of UID and UIDVALIDITY, then a template: if it is one, ids have their
/// length and letters, and the pairs have one id only if the template does not look at where they differ.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t prefix = (input.choice() & 1) != 0 ? config::kUidlFolderPrefix : 0;
  const config::Numbers one{number(input), number(input), 1};
  const config::Numbers other{number(input), number(input), 1};
  const auto uidl = config::parse_uidl_template(input.rest(), prefix);
  if (!uidl) {
    POSTERN_ASSERT(uidl.error().message.starts_with("found '") ||
                   uidl.error().message.starts_with("found %{"));
    return 0;
  }
  POSTERN_ASSERT(uidl->text == input.rest());
  check_pieces(*uidl, prefix);
  check_id(config::rendered(*uidl, {1, 1, 1}, "s"), prefix);
  check_id(config::rendered(*uidl, {UINT32_MAX, UINT32_MAX, UINT64_MAX}, "s"), prefix);
  if (config::rendered(*uidl, one, "s") != config::rendered(*uidl, other, "s")) return 0;
  POSTERN_ASSERT(!has(*uidl, Source::uid) || one.uid == other.uid);
  POSTERN_ASSERT(!has(*uidl, Source::uidvalidity) || one.uidvalidity == other.uidvalidity);
  return 0;
}
