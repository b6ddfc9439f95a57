#include "unit/config/rendered.hpp"

#include <sstream>

namespace postern::config {
namespace {

using Source = UidlPiece::Source;

std::string digits(std::uint64_t number, const UidlPiece& piece) {
  std::ostringstream out;
  if (piece.hex) out << std::hex;
  out << number;
  std::string text = out.str();
  while (text.size() < piece.width) text.insert(text.begin(), '0');
  return text;
}

const char* name(Source source) {
  switch (source) {
    case Source::text:
      break;
    case Source::uid:
      return "uid";
    case Source::uidvalidity:
      return "uidvalidity";
    case Source::guid:
      return "guid";
    case Source::email_id:
      return "email_id";
    case Source::gm_msgid:
      return "x_gm_msgid";
    case Source::header:
      return "header:";
  }
  return "";
}

}  // namespace

std::string rendered(const UidlTemplate& uidl, const Numbers& numbers, const std::string& stored) {
  std::string out;
  for (const UidlPiece& piece : uidl.pieces) {
    if (piece.source == Source::text) {
      out += piece.text;
    } else if (piece.source == Source::uid) {
      out += digits(numbers.uid, piece);
    } else if (piece.source == Source::uidvalidity) {
      out += digits(numbers.uidvalidity, piece);
    } else if (piece.source == Source::gm_msgid) {
      out += digits(numbers.gm_msgid, piece);
    } else {
      out += stored;
    }
  }
  return out;
}

std::string written(const UidlTemplate& uidl) {
  std::string out;
  for (const UidlPiece& piece : uidl.pieces) {
    if (piece.source == Source::text) {
      for (const char c : piece.text) out += c == '%' ? std::string("%%") : std::string(1, c);
      continue;
    }
    std::string format = piece.width > 0 ? "0" + std::to_string(piece.width) : "";
    if (piece.hex) format += 'x';
    if (!format.empty()) format.insert(format.begin(), ':');
    out += "%{" + (name(piece.source) + piece.text) + format + "}";
  }
  return out;
}

}  // namespace postern::config
