#include "support/imap_words.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace postern::test {
namespace {

constexpr std::string_view kAtomSpecials = "(){ %*\"\\]";
constexpr std::string_view kPatternSpecials = "(){ \"\\";

char upper(char octet) {
  return octet >= 'a' && octet <= 'z' ? static_cast<char>(octet - 'a' + 'A') : octet;
}
char lower(char octet) {
  return octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet - 'A' + 'a') : octet;
}

}  // namespace

bool ImapSet::has_star() const noexcept {
  return std::any_of(ranges.begin(), ranges.end(),
                     [](const Range& range) { return range.first == 0 || range.last == 0; });
}

bool ImapSet::is_reversed() const noexcept {
  return std::any_of(ranges.begin(), ranges.end(), [](const Range& range) {
    return range.first == 0 ? range.last != 0 : range.last != 0 && range.last < range.first;
  });
}

bool ImapSet::contains(std::uint32_t uid, std::uint32_t greatest) const noexcept {
  return std::any_of(ranges.begin(), ranges.end(), [uid, greatest](const Range& range) {
    const std::uint32_t a = range.first == 0 ? greatest : range.first;
    const std::uint32_t b = range.last == 0 ? greatest : range.last;
    return uid >= std::min(a, b) && uid <= std::max(a, b);
  });
}

bool ImapWords::take(char octet) noexcept {
  if (!next_is(octet)) return false;
  rest_.remove_prefix(1);
  return true;
}

void ImapWords::expect(char octet) {
  if (!take(octet)) {
    throw ImapSyntaxError("expected '" + std::string(1, octet) + "' before \"" + std::string(rest_) + "\"");
  }
}

void ImapWords::end() const {
  if (!rest_.empty()) throw ImapSyntaxError("surplus \"" + std::string(rest_) + "\"");
}

std::string ImapWords::run_without(std::string_view specials) {
  const std::size_t size = std::min(rest_.find_first_of(specials), rest_.size());
  if (size == 0) throw ImapSyntaxError("expected a word before \"" + std::string(rest_) + "\"");
  const std::string_view word = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return std::string(word);
}

std::string ImapWords::quoted() {
  std::string text;
  expect('"');
  while (!take('"')) {
    const bool escaped = take('\\');
    if (rest_.empty() || (escaped && !next_is('"') && !next_is('\\'))) {
      throw ImapSyntaxError("a quoted string that is none");
    }
    text += rest_.front();
    rest_.remove_prefix(1);
  }
  return text;
}

std::string ImapWords::atom() {
  return run_without(kAtomSpecials);
}
std::string ImapWords::keyword() {
  return imap_upper(atom());
}
std::string ImapWords::string() {
  return next_is('"') ? quoted() : atom();
}
std::string ImapWords::pattern() {
  return next_is('"') ? quoted() : run_without(kPatternSpecials);
}

std::string ImapWords::flag() {
  if (!take('\\')) return atom();
  std::string name = atom();
  std::transform(name.begin(), name.end(), name.begin(), lower);
  name.front() = upper(name.front());
  return "\\" + name;
}

std::vector<std::string> ImapWords::flags() {
  std::vector<std::string> all;
  if (!take('(')) {
    all.push_back(flag());
    return all;
  }
  while (!take(')')) {
    if (!all.empty()) space();
    all.push_back(flag());
  }
  return all;
}

std::uint32_t ImapWords::number() {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
  if (error != std::errc()) throw ImapSyntaxError("expected a number before \"" + std::string(rest_) + "\"");
  rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
  return value;
}

ImapSet ImapWords::set() {
  ImapSet set;
  const auto end_of_range = [this] {
    if (take('*')) return std::uint32_t{0};
    const std::uint32_t uid = number();
    if (uid == 0) throw ImapSyntaxError("0 is no UID");
    return uid;
  };
  do {
    ImapSet::Range range{end_of_range(), 0};
    range.last = take(':') ? end_of_range() : range.first;
    set.ranges.push_back(range);
  } while (take(','));
  return set;
}

std::string ImapWords::until(char octet) {
  const std::size_t end = rest_.find(octet);
  if (end == std::string_view::npos) {
    throw ImapSyntaxError("no '" + std::string(1, octet) + "' in \"" + std::string(rest_) + "\"");
  }
  std::string text(rest_.substr(0, end));
  rest_.remove_prefix(end + 1);
  return text;
}

std::string imap_upper(std::string_view text) {
  std::string all(text);
  std::transform(all.begin(), all.end(), all.begin(), upper);
  return all;
}

std::string imap_quoted(std::string_view text) {
  std::string all = "\"";
  for (const char octet : text) {
    if (octet == '"' || octet == '\\') all += '\\';
    all += octet;
  }
  return all + '"';
}

std::string imap_ranges(const std::vector<std::uint32_t>& uids) {
  std::string all;
  for (std::size_t from = 0; from < uids.size();) {
    std::size_t to = from;
    while (to + 1 < uids.size() && uids[to + 1] == uids[to] + 1) ++to;
    if (!all.empty()) all += ',';
    all += std::to_string(uids[from]);
    if (to != from) all += ":" + std::to_string(uids[to]);
    from = to + 1;
  }
  return all;
}

}  // namespace postern::test
