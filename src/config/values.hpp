#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "postern/base/address.hpp"
#include "postern/base/result.hpp"
#include "postern/base/units.hpp"

/// What single values look like. No files, no positions; everything answers "that is not one" with nothing.
namespace postern::config {

/// "500ms", "30s", "5m", "1h": a whole number and its unit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// The other way round, in the largest unit that leaves a whole number.
std::string format_duration(std::chrono::milliseconds duration);

/// "512KiB", "64MiB", "2GiB", "70B": a whole number and its unit.
std::optional<Bytes> parse_size(std::string_view text);
/// The other way round, in the largest unit that leaves a whole number.
std::string format_size(Bytes size);

/// Decimal digits without sign and leading zeros ("0600" is 384 to some YAML readers and 600 to others).
std::optional<std::int64_t> parse_count(std::string_view text);

/// "192.0.2.1:995", "[2001:db8::1]:995". With port 0 the system chooses.
std::optional<SocketAddress> parse_bind_address(std::string_view text);

/// A name that is a metric label as well: 1 to 32 of a-z, 0-9, '_' and '-'.
bool is_name(std::string_view text);
/// A DNS name (RFC 1123 §2.1; '_' is let through, because people use it) or an address without brackets.
bool is_host(std::string_view text);
/// A DNS name that is no address.
bool is_domain(std::string_view text);
/// A user name as a mail program sends it: no spaces and no control characters.
bool is_user(std::string_view text);
/// The length of the UTF-8 sequence (RFC 3629 §4) that the text begins with, 0 if it is none.
std::size_t utf8_length(std::string_view text);
/// 1 to 255 octets of UTF-8 without control characters: the name of a folder, a text of a server.
bool is_line(std::string_view text);
/// What separates a user name from a folder: 1 to 4 of ! $ % & * + , / : ; = ? ^ | ~. Others are part of user
/// names (letters, digits, '@', '.', '_', '-'), separate the view ('#'), or look like quotes or brackets.
bool is_separator(std::string_view text);
/// 64 hex digits.
bool is_sha256(std::string_view text);

/// Whether YAML's core schema makes a number or a boolean of the unquoted word.
bool is_number(std::string_view text);
bool is_boolean(std::string_view text);

/// Why a text with `${...}` has no value.
struct ExpansionError {
  std::string message;
};

/// Puts environment variables in the place of every `${env:NAME}`.
Result<std::string, ExpansionError> expand_environment(std::string_view text);

}  // namespace postern::config
