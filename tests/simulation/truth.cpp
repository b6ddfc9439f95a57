#include "simulation/truth.hpp"

#include <algorithm>

namespace postern::sim {
namespace {

constexpr std::string_view kCanary = "canary:";

/// RFC 1939 §3: an LF alone is a line end too.
std::string on_wire(std::string_view text, bool needs_line) {
  std::string wire;
  while (!text.empty()) {
    const std::size_t lf = text.find('\n');
    std::string_view line = text.substr(0, lf);
    text.remove_prefix(lf == std::string_view::npos ? text.size() : lf + 1);
    if (lf != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('.')) wire += '.';
    wire.append(line).append("\r\n");
    needs_line = false;
  }
  if (needs_line) wire += "\r\n";
  return wire + ".\r\n";
}

}  // namespace

std::vector<std::size_t> Account::at(TimePoint when) const {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const Letter& letter = letters[i];
    if (letter.came <= when && (!letter.removed || *letter.removed > when)) all.push_back(i);
  }
  return all;
}

std::optional<std::vector<std::size_t>> Account::throughout(TimePoint from, TimePoint to) const {
  const auto in_between = [&](TimePoint when) { return when >= from && when <= to; };
  for (const Letter& letter : letters) {
    if (in_between(letter.came) || (letter.removed && in_between(*letter.removed))) return std::nullopt;
  }
  return at(from);
}

std::string Account::retr(std::size_t letter) const {
  return on_wire(letters[letter].text, !is_pop3());
}

std::uint64_t Account::size(std::size_t letter) const {
  const std::string& text = letters[letter].text;
  if (!lists_wire_sizes) return text.size();
  std::uint64_t size = text.size();
  for (std::size_t lf = text.find('\n'); lf != std::string::npos; lf = text.find('\n', lf + 1)) {
    if (lf == 0 || text[lf - 1] != '\r') ++size;
  }
  return text.ends_with('\n') ? size : size + 2;
}

std::string Account::top(std::size_t letter, std::uint64_t lines) const {
  const std::string& text = letters[letter].text;
  const std::string_view eol = is_pop3() ? "\r\n" : "\n";  // of lines that are counted
  std::size_t at = 0;
  bool in_header = true;
  while (at < text.size() && (in_header || lines > 0)) {
    const std::size_t end = text.find(eol, at);
    const std::string_view line(text.data() + at, std::min(end, text.size()) - at);
    at = end == std::string::npos ? text.size() : end + eol.size();
    if (!in_header) --lines;
    if (line.empty() || line == "\r") in_header = false;
  }
  return on_wire(std::string_view(text).substr(0, at), !is_pop3());
}

std::string write_letter(Dice& dice, const std::string& owner, std::size_t number, std::size_t size,
                         config::Protocol protocol) {
  const std::string mark = std::string(kCanary) + owner + "/" + std::to_string(number) + ";";
  const bool is_pop3 = protocol == config::Protocol::pop3;
  std::string text = "Subject: " + mark + "\r\nX-Filler: " + std::string(dice.below(60), 'x') + "\r\n\r\n";
  unsigned line = 0;
  const bool has_bare_lf = dice.chance(20);
  while (text.size() < size) {
    text += dice.pick({"", "", "", ".", "..", ". ", "\r", " "});
    text += mark + std::to_string(++line);
    text += has_bare_lf && dice.chance(10) ? "\n" : "\r\n";
    if (dice.chance(10)) text += dice.pick({".\r\n", "\r\n", "..\r\n", "+OK\r\n", "-ERR [AUTH]\r\n"});
  }
  if (is_pop3 && !text.ends_with("\r\n")) text += mark + "the end\r\n";
  if (!is_pop3 && dice.chance(20)) text += mark + "no line end";
  if (!is_pop3 && dice.chance(5)) text += "\r";
  return text;
}

std::vector<std::string> owners_in(std::string_view octets) {
  std::vector<std::string> all;
  for (std::size_t at = octets.find(kCanary); at != std::string_view::npos; at = octets.find(kCanary, at)) {
    at += kCanary.size();
    const std::size_t end = octets.find_first_of("/;\r\n", at);
    if (end == std::string_view::npos || octets[end] != '/') continue;
    const std::string owner(octets.substr(at, end - at));
    if (std::find(all.begin(), all.end(), owner) == all.end()) all.push_back(owner);
  }
  return all;
}

}  // namespace postern::sim
