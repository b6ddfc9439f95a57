#include "config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>

#include "config/report.hpp"
#include "postern/base/ascii.hpp"

namespace postern::config {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
// From large to small, for format_duration.
constexpr std::array<Unit, 4> kUnits{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

struct SizeUnit {
  std::string_view name;
  Bytes octets;
};
// From large to small, for format_size. Powers of 1000 are left out: half of the people mean those of 1024.
constexpr std::array<SizeUnit, 4> kSizeUnits{
    {{"GiB", Bytes{1} << 30}, {"MiB", Bytes{1} << 20}, {"KiB", Bytes{1} << 10}, {"B", 1}}};

// Far above every range in the table of settings, and times 3,600,000 still an int64.
constexpr std::size_t kMostDigits = 12;
constexpr std::size_t kLongestName = 32;
// RFC 1035 §2.3.4: 255 octets on the wire are 253 characters.
constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kLongestLabel = 63;
// RFC 5321 §4.5.3.1 has 64 for the local part and 255 for the domain.
constexpr std::size_t kLongestUser = 320;
// No file system has longer names of folders, and in modified UTF-7, at most three octets for each, it fits
// the 1,000 octets of a command that old servers take (RFC 2683 §3.2.1.5).
constexpr std::size_t kLongestLine = 255;
constexpr std::size_t kLongestSeparator = 4;
constexpr std::string_view kSeparators = "!$%&*+,/:;=?^|~";

constexpr std::string_view kVariableOpen = "${";
constexpr std::string_view kVariablePrefix = "${env:";

using ascii::is_digit;

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::size_t count_digits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
}

bool is_label(std::string_view label) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; };
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), fits);
}

bool is_variable_name(std::string_view name) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return !name.empty() && !is_digit(name.front()) && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

std::optional<std::int64_t> parse_count(std::string_view text) {
  const std::size_t digits = count_digits(text);
  if (digits == 0 || digits != text.size() || digits > kMostDigits) return std::nullopt;
  if (digits > 1 && text.front() == '0') return std::nullopt;
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  const std::size_t digits = count_digits(text);
  const auto count = parse_count(text.substr(0, digits));
  if (!count) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (unit.name == text.substr(digits)) return milliseconds(*count * unit.milliseconds);
  }
  return std::nullopt;
}

std::string format_duration(milliseconds duration) {
  for (const Unit& unit : kUnits) {
    if (duration.count() != 0 && duration.count() % unit.milliseconds == 0)
      return std::to_string(duration.count() / unit.milliseconds) + std::string(unit.name);
  }
  return "0s";
}

std::optional<Bytes> parse_size(std::string_view text) {
  const std::size_t digits = count_digits(text);
  const auto count = parse_count(text.substr(0, digits));
  if (!count) return std::nullopt;
  for (const SizeUnit& unit : kSizeUnits) {
    if (unit.name != text.substr(digits)) continue;
    // A setting's range has 63 bits.
    if (static_cast<Bytes>(*count) > INT64_MAX / unit.octets) return std::nullopt;
    return static_cast<Bytes>(*count) * unit.octets;
  }
  return std::nullopt;
}

std::string format_size(Bytes size) {
  for (const SizeUnit& unit : kSizeUnits) {
    if (size != 0 && size % unit.octets == 0)
      return std::to_string(size / unit.octets) + std::string(unit.name);
  }
  return "0B";
}

std::optional<SocketAddress> parse_bind_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_count(text.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;  // 0: the system chooses, the log says which
  std::string_view ip = text.substr(0, colon);
  const bool bracketed = ip.size() >= 2 && ip.front() == '[' && ip.back() == ']';
  if (bracketed) ip = ip.substr(1, ip.size() - 2);
  // Without brackets nobody knows whether ::1:995 ends with a port.
  if (bracketed != (ip.find(':') != std::string_view::npos)) return std::nullopt;
  return SocketAddress::parse(ip, static_cast<std::uint16_t>(*port));
}

bool is_name(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), fits);
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > kLongestHost) return false;
  std::string_view last;
  for (std::string_view rest = text;;) {
    const std::size_t dot = rest.find('.');
    last = rest.substr(0, dot);
    if (!is_label(last)) return false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  // A name that ends in a number is a misspelt address: 192.0.2.300.
  return count_digits(last) != last.size();
}

bool is_host(std::string_view text) {
  return SocketAddress::parse(text, 0).has_value() || is_domain(text);
}

bool is_user(std::string_view text) {
  const auto fits = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; };
  return !text.empty() && text.size() <= kLongestUser && std::all_of(text.begin(), text.end(), fits);
}

std::size_t utf8_length(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = octet(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((octet(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && octet(1) < 0xa0) || (first == 0xf0 && octet(1) < 0x90);
  const bool surrogate = first == 0xed && octet(1) >= 0xa0;
  const bool beyond_unicode = first == 0xf4 && octet(1) >= 0x90;
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

bool is_line(std::string_view text) {
  if (text.empty() || text.size() > kLongestLine) return false;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    // U+0080 to U+009F are control characters as well.
    const bool is_control = first < 0x20 || first == 0x7f ||
                            (first == 0xc2 && length == 2 && static_cast<unsigned char>(text[1]) < 0xa0);
    if (length == 0 || is_control) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_separator(std::string_view text) {
  return !text.empty() && text.size() <= kLongestSeparator &&
         text.find_first_not_of(kSeparators) == std::string_view::npos;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), is_hex);
}

bool is_boolean(std::string_view text) {
  constexpr std::array<std::string_view, 6> kWords{"true", "True", "TRUE", "false", "False", "FALSE"};
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

bool is_number(std::string_view text) {
  // YAML 1.2 §10.3.2: [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? and 0x..., 0o...
  const auto skip_sign = [&] {
    text.remove_prefix(!text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0);
  };
  const auto skip_digits = [&] {
    const std::size_t digits = count_digits(text);
    text.remove_prefix(digits);
    return digits;
  };
  if (text.starts_with("0x")) return text.size() > 2 && std::all_of(text.begin() + 2, text.end(), is_hex);
  if (text.starts_with("0o")) return text.size() > 2 && std::all_of(text.begin() + 2, text.end(), is_octal);
  skip_sign();
  std::size_t digits = skip_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += skip_digits();
  }
  if (digits == 0) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  skip_sign();
  return skip_digits() > 0 && text.empty();
}

Result<std::string, ExpansionError> expand_environment(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t open = text.find(kVariableOpen);
    out += text.substr(0, open);
    if (open == std::string_view::npos) return out;
    text.remove_prefix(open);
    const std::size_t close = text.find('}');
    const std::size_t end = close == std::string_view::npos ? text.size() : close + 1;
    const bool well_formed = text.starts_with(kVariablePrefix) && close != std::string_view::npos;
    const std::string name(well_formed ? text.substr(kVariablePrefix.size(), close - kVariablePrefix.size())
                                       : "");
    if (!is_variable_name(name))
      return ExpansionError{"found " + in_quotes(text.substr(0, end)) + ", expected ${env:NAME}"};
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody calls setenv
    if (value == nullptr)
      return ExpansionError{"the environment variable " + in_quotes(name) + " is not set"};
    out += value;
    text.remove_prefix(end);
  }
}

}  // namespace postern::config
