#include "postern/pop3/dot.hpp"

namespace postern::pop3 {

std::string_view EolRepair::apply(std::string_view octets, bool bare_lf, std::string& room) {
  const bool stuffs = before_ == Before::bare_lf && octets.starts_with('.');
  if (!bare_lf && !stuffs) {
    pass(octets);
    return octets;
  }
  room.clear();
  repair(octets, room);
  return room;
}

/// Only the end matters for what comes next. There is no bare LF in these octets.
void EolRepair::pass(std::string_view octets) noexcept {
  if (octets.empty()) return;
  const char last = octets.back();
  octets.remove_suffix(1);
  const bool began_line = octets.empty() ? before_ == Before::line_start : octets.back() == '\n';
  before_ = Before::text;
  if (last == '\n') before_ = Before::line_start;
  if (last == '\r') before_ = Before::cr;
  if (last == '.' && began_line) before_ = Before::lone_dot;
}

void EolRepair::repair(std::string_view octets, std::string& out) {
  while (!octets.empty()) {
    const auto lf = octets.find('\n');
    const auto piece = octets.substr(0, lf);
    if (before_ == Before::bare_lf && piece.starts_with('.')) out += '.';
    out += piece;
    pass(piece);
    if (lf == std::string_view::npos) return;
    octets.remove_prefix(lf + 1);
    if (before_ == Before::cr) {
      out += '\n';
      before_ = Before::line_start;
      continue;
    }
    if (before_ == Before::lone_dot) out += '.';
    out += "\r\n";
    before_ = Before::bare_lf;
    ++repaired_;
  }
}

}  // namespace postern::pop3
