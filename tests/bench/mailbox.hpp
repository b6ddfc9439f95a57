#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::bench {

/// A mailbox that its user's name describes: "15x4096.7" is user 7 with 15 messages of 4096 octets. The store
/// makes it up and the load generator expects it, so neither has to be told.
struct Mailbox {
  std::uint32_t messages = 0;
  std::uint32_t octets = 0;  ///< of each message, as the store counts it: CRLF line ends, dots not doubled
  std::uint32_t user = 0;

  /// Nothing for a name that is none of ours, or for messages too small to have a header.
  static std::optional<Mailbox> of_user(std::string_view name);
  std::string user_name() const;
  std::uint64_t total() const noexcept { return std::uint64_t{messages} * octets; }
};

/// The header of a message, which names its user and its number, so that no two messages are the same. Its
/// length is always the same.
std::string header_of(const Mailbox& mailbox, std::uint32_t number);

/// What follows the header of a message of so many octets: as it is, and as POP3 sends it, with doubled dots
/// and the end. Both live as long as the program.
struct Body {
  std::string plain;
  std::string stuffed;  ///< RFC 1939 §3, with the final "." CRLF
};
const Body& body_of(std::uint32_t octets);

std::string unique_id(std::uint32_t number);

}  // namespace postern::bench
