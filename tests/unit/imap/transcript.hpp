#pragma once

#include <string>
#include <string_view>

#include "postern/base/units.hpp"
#include "postern/imap/response_parser.hpp"

namespace postern::imap {

/// Drives a parser as a session does, with a buffer of its own, and writes down what it said: a line for each
/// response, body, list of numbers or error. The same for the same octets, however they are cut. Shared by
/// the unit tests and the fuzz target.
class Transcript {
 public:
  explicit Transcript(Bytes max_body = Bytes{1} << 40) : parser_(max_body) {}

  /// More octets have come. Nothing happens after an error.
  void feed(std::string_view octets);

  const std::string& text() const noexcept { return text_; }
  bool failed() const noexcept { return failed_; }
  /// Octets that the parser left to its caller.
  std::size_t left() const noexcept { return buffer_.size(); }

 private:
  bool take_body();
  bool step();
  void write_body(const Body& body);
  void write_numbers();

  ResponseParser parser_;
  std::string buffer_;
  std::string text_;
  Bytes body_left_ = 0;
  bool in_body_ = false;
  bool in_numbers_ = false;
  bool failed_ = false;
};

/// What is set in a response, in one line: "fetch 3 uid=4 size=153 flags=[\Seen $Foo]".
std::string describe(const Response& response);

/// The transcript of a text that comes whole, or cut at one place.
std::string transcript(std::string_view text);
std::string transcript(std::string_view text, std::size_t cut);

}  // namespace postern::imap
