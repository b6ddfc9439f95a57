#include "postern/base/ascii.hpp"
#include "postern/imap/response.hpp"

namespace postern::imap {
namespace {

struct SystemFlag {
  std::string_view name;
  bool Flags::* member;
};

constexpr SystemFlag kSystemFlags[] = {
    {"\\Seen", &Flags::seen},       {"\\Answered", &Flags::answered}, {"\\Flagged", &Flags::flagged},
    {"\\Deleted", &Flags::deleted}, {"\\Draft", &Flags::draft},       {"\\Recent", &Flags::recent},
    {"\\*", &Flags::new_keywords},
};

bool set_system_flag(Flags& flags, std::string_view word) noexcept {
  if (!word.starts_with('\\')) return false;
  for (const auto& flag : kSystemFlags) {
    if (!ascii::equal(word, flag.name)) continue;
    flags.*flag.member = true;
    return true;
  }
  return false;
}

}  // namespace

std::string_view Words::next() noexcept {
  return ascii::take_word(rest_);
}

bool Flags::has(std::string_view keyword) const noexcept {
  Words words(keywords);
  for (auto word = words.next(); !word.empty(); word = words.next()) {
    if (ascii::equal(word, keyword)) return true;
  }
  return false;
}

Flags parse_flags(std::string_view text, std::string& room) {
  if (text.starts_with('(')) text.remove_prefix(1);
  if (text.ends_with(')')) text.remove_suffix(1);
  const auto begin = room.size();
  Flags flags;
  Words words(text);
  for (auto word = words.next(); !word.empty(); word = words.next()) {
    if (set_system_flag(flags, word)) continue;
    if (room.size() > begin) room += ' ';
    room += word;
  }
  flags.keywords = std::string_view(room).substr(begin);
  return flags;
}

}  // namespace postern::imap
