#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::pop3 {

/// The end of a multi-line answer on the wire: CRLF "." CRLF.
inline constexpr std::string_view kTerminator = "\r\n.\r\n";

/// Finds the terminator of a dot-stuffed answer in chunks of any size (RFC 1939 §3). Strict: a line ends at
/// CRLF only, so a bare LF before or after the dot is part of the message (a lenient reader could be made to
/// see an end that is none). Begins at the start of a line, so that an empty answer, `.CRLF` right behind the
/// status line, is found.
class DotScanner {
 public:
  struct Found {
    /// Octets of the chunk that belong to the answer, terminator included; the whole chunk while `complete`
    /// is false.
    std::size_t consumed;
    bool complete;
    /// Whether a bare LF (one that no CR precedes) is among the octets consumed; for EolRepair.
    bool bare_lf;
  };

  /// Takes the next chunk; must not be called after `complete`.
  Found feed(std::string_view chunk) noexcept;

  /// Octets at the end of what was fed that could be the beginning of the terminator (at most 4: CR LF . CR).
  /// While the answer is not complete these must not go to a client as the end of a message that was cut.
  /// None once it is complete.
  std::size_t held() const noexcept { return matched_ == kTerminator.size() ? 0 : matched_ - unseen_; }

 private:
  void step(char octet) noexcept;
  const char* skip_text(const char* at, const char* end) noexcept;

  std::size_t matched_ = 2;  ///< how much of the terminator the octets so far end with
  std::size_t unseen_ = 2;   ///< how much of that was never fed: it is the status line's CRLF
  bool bare_lf_ = false;     ///< met in this chunk
};

/// Repairs what an upstream should not send, for one answer: a bare LF becomes CRLF, and what this would turn
/// into another line is stuffed: a "." behind a bare LF, and a line of a single "." that a bare LF ends (its
/// repair would be a terminator in the middle of the message). Works on the octets that DotScanner, which
/// sees them as they came, consumed. The state lives on across chunks. What comes out has no bare LF, and
/// ends where the scanner said.
class EolRepair {
 public:
  /// What to send for the next octets of the answer: the octets themselves where nothing is to be done (then
  /// this costs nothing for each octet), otherwise their repaired form, kept in `room`, at most three times
  /// as long. `bare_lf` is what the scanner found in them.
  std::string_view apply(std::string_view octets, bool bare_lf, std::string& room);

  /// Bare LFs so far.
  std::uint64_t repaired() const noexcept { return repaired_; }

 private:
  /// What stands before the next octet. `lone_dot`: a "." that is all of its line so far and was not stuffed
  /// here.
  enum class Before : std::uint8_t { line_start, lone_dot, text, cr, bare_lf };

  void pass(std::string_view octets) noexcept;
  void repair(std::string_view octets, std::string& out);

  Before before_ = Before::line_start;
  std::uint64_t repaired_ = 0;
};

/// Writes a message in wire form: bare LF becomes CRLF, a "." at the start of a line is doubled, a missing
/// last line end is added, the terminator is not. `out` has to stand at the start of a line. For texts made
/// here; bodies of a translation have their own.
void append_stuffed(std::string& out, std::string_view text);

}  // namespace postern::pop3
