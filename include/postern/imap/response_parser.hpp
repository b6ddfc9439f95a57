#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "postern/base/units.hpp"
#include "postern/imap/response.hpp"

namespace postern::imap {

/// Longest line of a response, all its pieces between literals together. Lists of numbers are not held, so
/// they may be longer (a plain SEARCH of 50,000 messages is one line of 289 KB).
inline constexpr std::size_t kMaxResponseLine = 64 * 1024;
/// Largest literal that is not a body: names of mailboxes, envelopes nobody asked for.
inline constexpr std::size_t kMaxPlainLiteral = 64 * 1024;
/// Deepest nesting of parentheses.
inline constexpr std::size_t kMaxNesting = 32;
/// Ranges in one step `numbers`.
inline constexpr std::size_t kNumberBatch = 64;

/// What a server says, in chunks of any size. It is fed what is buffered and tells how much it took; a body
/// literal is never taken but left to the caller:
///
///     parsed = parser.parse(buffered); buffer.consume(parsed.consumed);
///     need_more   read more, parse again with what is buffered then (all of it was consumed)
///     response    response() is complete
///     body        a body begins, see body(). Of a literal, the caller takes body().size octets from its
///                 own buffer, and goes on with parse() for the rest of the response
///     numbers     some more numbers(); response().kind says of what. The response follows
///     error       error() says what was wrong; all that is left is to close the connection
///
/// How the input is cut makes no difference to the steps. Views live until the next call. Memory is bounded
/// by the limits above, and what a long line needed is given back with the next call.
class ResponseParser {
 public:
  enum class Step : std::uint8_t { need_more, response, body, numbers, error };

  struct Parsed {
    std::size_t consumed;
    Step step;
  };

  /// `max_body`: a larger body is an error (at most 2^63-1).
  explicit ResponseParser(Bytes max_body);
  ResponseParser(ResponseParser&&) noexcept;
  ResponseParser& operator=(ResponseParser&&) noexcept;
  ~ResponseParser();

  Parsed parse(std::string_view input);

  const Response& response() const noexcept;
  const Body& body() const noexcept;
  std::span<const NumberRange> numbers() const noexcept;
  /// Of our own words, without anything that the server said.
  std::string_view error() const noexcept;

 private:
  class Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace postern::imap
