#include "postern/base/log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace postern {
namespace {

constexpr std::size_t kMaxValue = 256;  // octets of one value; whatever a peer sends, a line stays readable

/// Length of the valid UTF-8 sequence that `text` begins with, 0 if there is none (RFC 3629 §4).
std::size_t utf8_length(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i, unsigned char low, unsigned char high) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned char low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = lead == 0xED ? 0x9F : 0xBF;
    return tail(1, low, high) && tail(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned char low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xF4 ? 0x8F : 0xBF;
    return tail(1, low, high) && tail(2, 0x80, 0xBF) && tail(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

/// Of one valid sequence, or of an octet that is none.
char32_t code_point(std::string_view character) noexcept {
  constexpr std::array<unsigned, 5> kLeadBits = {0, 0xFF, 0x1F, 0x0F, 0x07};  // by the sequence's length
  char32_t value = static_cast<unsigned char>(character[0]) & kLeadBits[character.size()];
  for (const char c : character.substr(1)) value = (value << 6) | (static_cast<unsigned char>(c) & 0x3FU);
  return value;
}

/// What a terminal obeys instead of showing it: controls (C0, DEL, C1), separators of lines, and what turns
/// the direction of text around (UAX #9 §2), with which a name makes its line look like another one.
bool is_control(char32_t c) noexcept {
  const bool separates_lines = c == 0x2028 || c == 0x2029;
  const bool turns_text = c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
                          (c >= 0x2066 && c <= 0x2069);
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || separates_lines || turns_text;
}

/// A quoted string that is valid in logfmt and in JSON: `\u` and four digits for what is_control() and for
/// octets that are not UTF-8.
void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  std::size_t i = 0;
  while (i < value.size()) {
    const std::size_t length = utf8_length(value.substr(i));
    const std::string_view character = value.substr(i, std::max<std::size_t>(length, 1));
    if (i + character.size() > kMaxValue) break;
    if (character == "\"" || character == "\\") {
      out.append("\\").append(character);
    } else if (const char32_t number = code_point(character); length == 0 || is_control(number)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(number));
    } else {
      out.append(character);
    }
    i += character.size();
  }
  if (i < value.size()) out += "...";
  out += '"';
}

bool is_plain(std::string_view value) noexcept {
  if (value.empty() || value.size() > kMaxValue) return false;
  for (const char c : value) {
    if (c <= 0x20 || c >= 0x7F || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

}  // namespace

bool Log::admits(FailureKind kind) noexcept {
  if (!failure_row(kind).rate_limited) return true;
  const std::int64_t second =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count() + 1;
  auto& last = last_second_[static_cast<std::size_t>(kind)];
  std::int64_t seen = last.load(std::memory_order_relaxed);
  return seen != second && last.compare_exchange_strong(seen, second, std::memory_order_relaxed);
}

LogLine::LogLine(Log& log, LogLevel level, std::string_view event, std::string_view message)
    : log_(log), level_(level), enabled_(log.enabled(level)) {
  if (!enabled_) return;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(log.clock().wall_now());
  const auto milliseconds = static_cast<int>(now.time_since_epoch().count() % 1000);
  const std::string stamp = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                                        fmt::gmtime(std::chrono::system_clock::to_time_t(now)), milliseconds);
  text_.reserve(512);
  if (log_.format() == LogFormat::json) text_ += '{';
  field("ts", stamp).field("level", label(level)).field("msg", message).field("event", event);
}

LogLine::~LogLine() {
  if (!enabled_) return;
  if (log_.format() == LogFormat::json) text_ += '}';
  log_.sink().write(level_, text_);
}

void LogLine::key(std::string_view name) {
  if (log_.format() == LogFormat::json) {
    if (text_.size() > 1) text_ += ',';
    text_.append("\"").append(name).append("\":");
  } else {
    if (!text_.empty()) text_ += ' ';
    text_.append(name).append("=");
  }
}

LogLine& LogLine::field(std::string_view name, std::string_view value) {
  if (!enabled_) return *this;
  key(name);
  if (log_.format() == LogFormat::logfmt && is_plain(value)) {
    text_ += value;
  } else {
    append_quoted(text_, value);
  }
  return *this;
}

LogLine& LogLine::number(std::string_view name, std::uint64_t value) {
  if (!enabled_) return *this;
  key(name);
  fmt::format_to(std::back_inserter(text_), "{}", value);
  return *this;
}

LogLine& LogLine::field(std::string_view name, bool value) {
  if (!enabled_) return *this;
  key(name);
  text_ += value ? "true" : "false";
  return *this;
}

LogLine& LogLine::field(std::string_view name, Duration value) {
  if (!enabled_) return *this;
  key(name);
  fmt::format_to(std::back_inserter(text_), "{:.3f}",
                 std::chrono::duration<double, std::milli>(value).count());
  return *this;
}

}  // namespace postern
