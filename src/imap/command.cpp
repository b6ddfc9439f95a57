#include "postern/imap/command.hpp"

#include <algorithm>
#include <utility>

#include "postern/imap/mailbox_name.hpp"

namespace postern::imap {
namespace {

/// Longest quoted string: old servers have small buffers for them, literals are safe at any length.
constexpr std::size_t kMaxQuoted = 255;
/// RFC 7888 §5: what LITERAL- allows.
constexpr std::size_t kMaxSmallLiteral = 4096;
/// Crockford's base32: letters that are told apart when they are read aloud from a log.
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool can_be_quoted(std::string_view text) noexcept {
  return text.size() <= kMaxQuoted &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// With a space before it. Reserved at once: no copy of a secret is left behind by a string that grew.
std::string quoted(std::string_view text) {
  std::string out;
  out.reserve(2 * text.size() + 3);
  out += " \"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

}  // namespace

Tags::Tags(Random& random) noexcept {
  auto chance = random.next();
  for (std::size_t i = 0; i < kPrefix; ++i) {
    prefix_ += kAlphabet[chance % kAlphabet.size()];
    chance /= kAlphabet.size();
  }
  prefix_ += '-';
}

std::string Tags::next() {
  return prefix_ + std::to_string(++count_);
}

Command::Command(std::string tag, std::string_view name, NonSyncLiterals literals)
    : tag_(std::move(tag)), literals_(literals) {
  auto& segment = open_segment();
  segment.text_ = tag_;
  segment.text_ += ' ';
  segment.text_ += name;
}

/// The piece that goes on: the last one, unless it is secret or has to be answered first.
Segment& Command::open_segment() {
  if (segments_.empty() || segments_.back().is_secret_ || segments_.back().waits_) segments_.emplace_back();
  return segments_.back();
}

Command& Command::words(std::string_view ours) {
  auto& segment = open_segment();
  segment.text_ += ' ';
  segment.text_ += ours;
  return *this;
}

Command& Command::string(std::string_view text) {
  add_string(text, false);
  return *this;
}

Command& Command::secret(std::string_view text) {
  add_string(text, true);
  return *this;
}

Command& Command::secret_words(std::string_view base64) {
  open_segment().text_ += ' ';
  add_octets(base64, true);
  return *this;
}

Command& Command::mailbox(std::string_view utf8) {
  const auto name = encode_mailbox_name(utf8);
  if (!name) {
    valid_ = false;
    return *this;
  }
  return string(*name);
}

Command& Command::finish() {
  open_segment().text_ += "\r\n";
  return *this;
}

void Command::add_string(std::string_view text, bool is_secret) {
  if (text.find('\0') != std::string_view::npos) {
    valid_ = false;
    return;
  }
  if (can_be_quoted(text)) {
    auto string = quoted(text);
    add_octets(string, is_secret);
    if (is_secret) wipe(string);
    return;
  }
  add_literal_header(text.size());
  add_octets(text, is_secret);
}

void Command::add_octets(std::string_view octets, bool is_secret) {
  if (!is_secret) {
    open_segment().text_ += octets;
    return;
  }
  auto& segment = segments_.emplace_back();
  segment.is_secret_ = true;
  segment.secret_ = Secret(octets);
}

void Command::add_literal_header(std::size_t size) {
  const bool waits =
      literals_ == NonSyncLiterals::none || (literals_ == NonSyncLiterals::small && size > kMaxSmallLiteral);
  auto& segment = open_segment();
  segment.text_ += " {";
  segment.text_ += std::to_string(size);
  segment.text_ += waits ? "}\r\n" : "+}\r\n";
  segment.waits_ = waits;
}

}  // namespace postern::imap
