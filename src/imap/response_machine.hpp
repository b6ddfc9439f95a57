#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "imap/cursor.hpp"
#include "imap/fetch_reader.hpp"
#include "imap/number_reader.hpp"
#include "postern/imap/response_parser.hpp"

namespace postern::imap {

/// What ResponseParser is. A response is lines between literals:
///
/// - A line that is whole in the input is read where it is; one that comes in parts is gathered in `line_`.
/// - Of a FETCH, each line is read as soon as it is there; bodies are left to the caller, other literals
/// dropped.
/// - Of any other response with literals, lines and literals are gathered in `line_` and read together.
/// - Lists of numbers go to the NumberReader as they come.
class ResponseParser::Machine {
 public:
  explicit Machine(Bytes max_body) noexcept : fetch_(max_body) {}

  Parsed parse(std::string_view input);

  const Response& response() const noexcept { return response_; }
  const Body& body() const noexcept { return fetch_.body(); }
  std::span<const NumberRange> numbers() const noexcept { return numbers_.batch(); }
  Fault error() const noexcept { return error_; }

 private:
  enum class State : std::uint8_t {
    line,      ///< in a line, or before one
    list,      ///< in a list of numbers
    list_end,  ///< all of its numbers were given
    drop,      ///< in a literal that nobody wants
    keep,      ///< in a literal that is gathered
    failed,
  };
  /// A step, or nothing: the state has changed, go on.
  using Outcome = std::optional<Step>;

  void start_over() noexcept;
  Outcome advance(std::string_view& input);
  Outcome read_line(std::string_view& input);
  Outcome read_input_line(std::string_view& input, std::size_t length);
  Outcome gather_line(std::string_view& input);
  Outcome read_gathered_line();
  Outcome read_list(std::string_view& input);
  Outcome pass_literal(std::string_view& input);

  Outcome read_response(std::string_view line, std::string_view last_line, Cursor& cursor);
  Outcome read_tagged(Cursor& cursor);
  Outcome read_numbered(std::string_view last_line, Cursor& cursor);
  Outcome read_words(std::string_view last_line, Cursor& cursor);
  Outcome read_fetch(Cursor& cursor);
  Outcome begin_list(ResponseKind kind) noexcept;
  Outcome keep_literal(std::uint64_t size);
  Outcome finish(ResponseKind kind) noexcept;
  Outcome fail(Fault fault) noexcept;
  std::string_view keep(std::string_view text);

  State state_ = State::line;
  bool given_ = false;          ///< a complete response was returned: the next call begins another one
  bool numbers_given_ = false;  ///< so was a batch
  bool in_fetch_ = false;
  bool in_input_ = false;        ///< the line that is read stands in the input
  bool line_complete_ = false;   ///< line_ ends in its line end
  bool line_used_up_ = false;    ///< nothing of the line that is read is left to be read
  std::size_t line_octets_ = 0;  ///< of all lines of this response
  std::string line_;
  std::size_t last_line_ = 0;  ///< where in line_ the last line begins
  std::size_t position_ = 0;   ///< how much of line_ was read (FETCH and lists only)
  std::uint64_t literal_left_ = 0;
  std::string kept_;  ///< a line of the input that the response looks into
  std::string room_;  ///< what had to be decoded
  FetchReader fetch_;
  NumberReader numbers_;
  Response response_;
  Fault error_;
};

}  // namespace postern::imap
