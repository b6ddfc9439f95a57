#include "bench/mailbox.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>

namespace postern::bench {
namespace {

constexpr std::string_view kHeader = "From: user {:010}\r\nSubject: message {:010}\r\n\r\n";
constexpr std::size_t kHeaderOctets = 54;
constexpr std::string_view kLetters = "the quick brown fox jumps over the lazy dog and runs away from it ";
constexpr std::size_t kLine = 74;      // without its end
constexpr std::size_t kDotEvery = 25;  // lines: as often as that a line begins with a dot

/// Reads a number that ends at `end` or at the end of the text.
std::optional<std::uint32_t> take_number(std::string_view& text, char end) {
  std::uint32_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  if (end == '\0') return text.empty() ? std::optional(number) : std::nullopt;
  if (!text.starts_with(end)) return std::nullopt;
  text.remove_prefix(1);
  return number;
}

/// Lines of letters, the last of which is as long as it has to be; never one without an end.
std::string make_plain(std::size_t octets) {
  std::string text;
  text.reserve(octets);
  for (std::size_t line = 0; text.size() < octets; ++line) {
    const std::size_t left = octets - text.size();
    std::size_t length = left <= kLine + 2 ? left - 2 : kLine;
    if (left - length - 2 == 1) --length;  // nothing fits into a line of one octet
    for (std::size_t i = 0; i < length; ++i) text += kLetters[(line * 7 + i) % kLetters.size()];
    if (line % kDotEvery == 0 && length > 0) text[text.size() - length] = '.';
    text += "\r\n";
  }
  return text;
}

std::string stuff(std::string_view plain) {
  std::string stuffed;
  bool at_start = true;
  for (const char octet : plain) {
    if (at_start && octet == '.') stuffed += '.';
    stuffed += octet;
    at_start = octet == '\n';
  }
  return stuffed + ".\r\n";
}

}  // namespace

std::optional<Mailbox> Mailbox::of_user(std::string_view name) {
  const auto messages = take_number(name, 'x');
  const auto octets = messages ? take_number(name, '.') : std::nullopt;
  const auto user = octets ? take_number(name, '\0') : std::nullopt;
  if (!user) return std::nullopt;
  if (*messages > 0 && *octets < kHeaderOctets + 2) return std::nullopt;
  return Mailbox{*messages, *octets, *user};
}

std::string Mailbox::user_name() const {
  return fmt::format("{}x{}.{}", messages, octets, user);
}

std::string header_of(const Mailbox& mailbox, std::uint32_t number) {
  return fmt::format(kHeader, mailbox.user, number);
}

const Body& body_of(std::uint32_t octets) {
  static std::map<std::uint32_t, Body> bodies;
  Body& body = bodies[octets];
  if (body.plain.empty()) {
    body.plain = make_plain(octets - kHeaderOctets);
    body.stuffed = stuff(body.plain);
  }
  return body;
}

std::string unique_id(std::uint32_t number) {
  return fmt::format("{:08x}0a1b2c3d", number);
}

}  // namespace postern::bench
