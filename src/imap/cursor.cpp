#include "imap/cursor.hpp"

namespace postern::imap {
namespace {

constexpr Fault kBadLiteral = "malformed literal";
constexpr Fault kLargeLiteral = "literal too large";

}  // namespace

bool Cursor::skip_quoted() noexcept {
  if (!take('"')) return false;
  while (at_ != end_) {
    const char c = *at_++;
    if (c == '"') return true;
    if (c == '\\' && at_ != end_) ++at_;
  }
  return false;
}

bool Cursor::take_quoted(std::string& out) {
  if (!take('"')) return false;
  for (;;) {
    const auto text = rest();
    const auto stop = text.find_first_of("\"\\");
    if (stop == std::string_view::npos) return false;
    out += text.substr(0, stop);
    skip(stop + 1);
    if (text[stop] == '"') return true;
    if (empty()) return false;
    out += *at_++;
  }
}

bool Cursor::take_astring(std::string& out) {
  if (peek() == '"') return take_quoted(out);
  if (peek() != '{' && peek() != '~') {
    const auto atom = take_atom();
    out += atom;
    return !atom.empty();
  }
  const auto line = rest().substr(0, rest().find('\n'));
  Cursor header(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
  std::uint64_t size = 0;
  if (!header.take_literal(kMaxNumber64, size).empty()) return false;
  if (rest().size() - line.size() < size + 1) return false;
  out += rest().substr(line.size() + 1, size);
  skip(line.size() + 1 + size);
  return true;
}

Fault Cursor::take_literal(std::uint64_t most, std::uint64_t& size) noexcept {
  take('~');  // literal8 (RFC 3516): the octets are as they are in any case
  if (!take('{') || !ascii::is_digit(peek())) return kBadLiteral;
  const auto number = take_number(most);
  if (!number) return kLargeLiteral;
  take('+');
  if (!take('}') || !empty()) return kBadLiteral;
  size = *number;
  return {};
}

std::optional<std::uint64_t> trailing_literal(std::string_view line, std::uint64_t most,
                                              Fault& fault) noexcept {
  if (!line.ends_with('}')) return std::nullopt;
  const auto brace = line.rfind('{');
  if (brace == std::string_view::npos) return std::nullopt;
  std::uint64_t size = 0;
  fault = Cursor(line.substr(brace)).take_literal(most, size);
  if (fault.empty()) return size;
  if (fault == kBadLiteral) fault = {};  // a brace in the text of some extension
  return std::nullopt;
}

}  // namespace postern::imap
