#include "postern/config/uidl_template.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "config/report.hpp"
#include "config/suggest.hpp"
#include "config/values.hpp"
#include "postern/base/ascii.hpp"

namespace postern::config {
namespace {

using Source = UidlPiece::Source;

// The names in use are far shorter (X-UIDL, Message-ID).
constexpr std::size_t kLongestHeader = 64;

struct Field {
  std::string_view name;
  Source source;
  std::size_t decimal;  ///< digits of the largest number; 0 where there is no number
  std::size_t hex;
};
// UID and UIDVALIDITY have 32 bits (RFC 9051 §9), Gmail's number 64.
constexpr std::array<Field, 6> kFields{{{"uid", Source::uid, 10, 8},
                                        {"uidvalidity", Source::uidvalidity, 10, 8},
                                        {"guid", Source::guid, 0, 0},
                                        {"email_id", Source::email_id, 0, 0},
                                        {"x_gm_msgid", Source::gm_msgid, 20, 16},
                                        {"header", Source::header, 0, 0}}};

constexpr std::string_view kKnown =
    "%{uid}, %{uidvalidity}, %{guid}, %{email_id}, %{x_gm_msgid}, %{header:NAME} or %%";

const Field& field_of(Source source) {
  return *std::find_if(kFields.begin(), kFields.end(), [&](const Field& f) { return f.source == source; });
}

bool is_number(const UidlPiece& piece) {
  return piece.source != Source::text && field_of(piece.source).decimal > 0;
}

bool is_stored(const UidlPiece& piece) {
  return piece.source != Source::text && piece.source != Source::uid && piece.source != Source::uidvalidity;
}

std::size_t most_digits(const UidlPiece& piece) {
  const Field& field = field_of(piece.source);
  return piece.hex ? field.hex : field.decimal;
}

/// Octets at most; of an id in words at least, because nobody knows more.
std::size_t longest(const UidlPiece& piece) {
  if (piece.source == Source::text) return piece.text.size();
  return is_number(piece) ? std::max<std::size_t>(piece.width, most_digits(piece)) : 1;
}

bool varies_in_length(const UidlPiece& piece) {
  return piece.source != Source::text && (!is_number(piece) || piece.width < most_digits(piece));
}

/// As it is written in a template.
std::string spelled(const UidlPiece& piece) {
  std::string out = "%{" + std::string(field_of(piece.source).name);
  if (piece.source == Source::header) out += ":" + piece.text;
  if (piece.hex || piece.width > 0) out += ':';
  if (piece.width > 0) out += "0" + std::to_string(piece.width);
  return out + (piece.hex ? "x}" : "}");
}

bool is_header_name(std::string_view text) {
  // RFC 5322 §3.6.8 knows more characters, but no header uses them, and in IMAP they would need quotes.
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= kLongestHeader && std::all_of(text.begin(), text.end(), fits);
}

bool is_uidl_octet(char c) {
  return c > ' ' && c <= '~';
}

/// "x", "08x" and "010".
bool read_format(std::string_view format, UidlPiece& piece) {
  piece.hex = format.ends_with('x');
  if (piece.hex) format.remove_suffix(1);
  if (format.empty()) return piece.hex;
  const auto width = format.front() == '0' ? parse_count(format.substr(1)) : std::nullopt;
  if (!width || *width == 0 || *width > static_cast<std::int64_t>(kLongestUidl)) return false;
  piece.width = static_cast<unsigned>(*width);
  return true;
}

/// Takes a template apart.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<std::vector<UidlPiece>, UidlError> run() {
    while (!rest_.empty()) {
      if (auto error = rest_.front() == '%' ? percent() : text()) return *std::move(error);
    }
    return std::move(pieces_);
  }

 private:
  std::optional<UidlError> text() {
    const std::size_t size = std::min(rest_.find('%'), rest_.size());
    const std::string_view text = rest_.substr(0, size);
    if (!std::all_of(text.begin(), text.end(), is_uidl_octet))
      return UidlError{"found " + in_quotes(text) + ", expected ASCII without spaces and control characters"};
    append(text);
    rest_.remove_prefix(size);
    return std::nullopt;
  }

  std::optional<UidlError> percent() {
    if (rest_.starts_with("%%")) {
      append("%");
      rest_.remove_prefix(2);
      return std::nullopt;
    }
    const std::size_t close = rest_.find('}');
    if (!rest_.starts_with("%{") || close == std::string_view::npos) {
      const std::string hint =
          rest_.starts_with("%{") ? ""
                                  : "; Dovecot's '%08Xu%08Xv' is written '%{uid:08x}%{uidvalidity:08x}' here";
      return UidlError{"found " + in_quotes(rest_) + ", expected " + std::string(kKnown) + hint};
    }
    const std::string_view whole = rest_.substr(0, close + 1);
    rest_.remove_prefix(whole.size());
    return field(whole, whole.substr(2, whole.size() - 3));
  }

  /// `whole` is "%{uid:08x}", `inner` what stands between the braces.
  std::optional<UidlError> field(std::string_view whole, std::string_view inner) {
    const std::size_t colon = inner.find(':');
    const std::string_view name = inner.substr(0, colon);
    const auto* known =
        std::find_if(kFields.begin(), kFields.end(), [&](const Field& f) { return f.name == name; });
    if (known == kFields.end()) return unknown(whole, name);
    UidlPiece piece;
    piece.source = known->source;
    const bool has_format = colon != std::string_view::npos;
    const std::string_view format = has_format ? inner.substr(colon + 1) : "";
    if (piece.source == Source::header) {
      if (!is_header_name(format))
        return UidlError{"found " + in_quotes(whole) +
                         ", expected %{header:NAME} with a name of 1 to 64 letters, digits, '-' and '_'"};
      piece.text = format;
    } else if (has_format && known->decimal == 0) {
      return UidlError{"found " + in_quotes(whole) + ", expected " + spelled(piece) +
                       ", because it is no number"};
    } else if (has_format && !read_format(format, piece)) {
      return UidlError{"found " + in_quotes(whole) + ", expected a format such as :x, :08x or :010"};
    }
    pieces_.push_back(std::move(piece));
    return std::nullopt;
  }

  static UidlError unknown(std::string_view whole, std::string_view name) {
    std::vector<std::string_view> names;
    names.reserve(kFields.size());
    for (const Field& field : kFields) names.push_back(field.name);
    return {"found " + in_quotes(whole) + ", expected " + std::string(kKnown) + did_you_mean(name, names)};
  }

  void append(std::string_view text) {
    if (pieces_.empty() || pieces_.back().source != Source::text) pieces_.emplace_back();
    pieces_.back().text += text;
  }

  std::string_view rest_;
  std::vector<UidlPiece> pieces_;
};

std::optional<UidlError> check_identity(const UidlTemplate& uidl) {
  const bool tells_apart = std::any_of(uidl.pieces.begin(), uidl.pieces.end(), [](const UidlPiece& piece) {
    return piece.source == Source::uid || is_stored(piece);
  });
  if (tells_apart) return std::nullopt;
  return UidlError{"found " + in_quotes(uidl.text) +
                   ", which gives all messages the same id, expected %{uid}, %{guid}, %{email_id}, "
                   "%{x_gm_msgid} or %{header:NAME} in it"};
}

std::optional<UidlError> check_length(const UidlTemplate& uidl, std::size_t prefix) {
  std::size_t octets = prefix;
  for (const UidlPiece& piece : uidl.pieces) octets += longest(piece);
  if (octets <= kLongestUidl) return std::nullopt;
  const std::string folder =
      prefix == 0 ? "" : ", " + std::to_string(prefix) + " of them before it for folders other than INBOX";
  return UidlError{"found " + in_quotes(uidl.text) + ", which makes ids of up to " + std::to_string(octets) +
                   " octets" + folder + ", expected no more than " + std::to_string(kLongestUidl)};
}

/// Whether nothing in the text could be a digit of a number beside it.
bool separates(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") != std::string_view::npos;
}

/// Between two parts of varying length there has to be something that shows where one ends. The first part
/// then reaches up to the first octet that is no digit, and so on; equal sources have equal values and need
/// nothing between them.
std::optional<UidlError> check_ends(const UidlTemplate& uidl) {
  const UidlPiece* before = nullptr;
  bool separated = false;
  for (const UidlPiece& piece : uidl.pieces) {
    if (piece.source == Source::text) separated = separated || separates(piece.text);
    if (!varies_in_length(piece)) continue;
    const bool is_other = before != nullptr && (before->source != piece.source || before->text != piece.text);
    if (is_other && !separated)
      return UidlError{"found " + spelled(*before) + " and " + spelled(piece) +
                       " without a mark where one ends, so that two messages could get one id, expected a "
                       "character other than 0-9 and a-f between them or full width (:08x or :010)"};
    before = &piece;
    separated = false;
  }
  return std::nullopt;
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) out.append(c == '%' ? 2 : 1, c);
}

}  // namespace

bool UidlTemplate::is_computed() const noexcept {
  return std::none_of(pieces.begin(), pieces.end(), is_stored);
}

Result<UidlTemplate, UidlError> parse_uidl_template(std::string_view text, std::size_t prefix) {
  auto pieces = Parser(text).run();
  if (!pieces) return std::move(pieces).error();
  UidlTemplate uidl{std::string(text), *std::move(pieces)};
  if (auto error = check_identity(uidl)) return *std::move(error);
  if (auto error = check_length(uidl, prefix)) return *std::move(error);
  if (auto error = check_ends(uidl)) return *std::move(error);
  return uidl;
}

std::string canonical_text(const UidlTemplate& uidl) {
  std::string out;
  for (UidlPiece piece : uidl.pieces) {
    if (piece.source == Source::text) {
      append_escaped(out, piece.text);
      continue;
    }
    if (piece.width == 1) piece.width = 0;  // every number has a digit
    // RFC 9051 §6.4.5.1 finds header fields by their names in whatever letters.
    if (piece.source == Source::header) piece.text = ascii::to_lower(piece.text);
    out += spelled(piece);
  }
  return out;
}

}  // namespace postern::config
