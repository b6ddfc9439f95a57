#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace postern::pop3 {

/// Turns the octets of one message, as an IMAP literal has them, into POP3's wire form (RFC 1939 §3), in
/// chunks of any size: an LF that no CR precedes becomes CRLF, a "." at the start of a line is doubled, a
/// missing last line end is added (also to a message of no octets), a CR that no LF follows is text. Every
/// line end that a client could see as one is CRLF afterwards, so strict and lenient clients find the same
/// end.
///
/// The last line end is held back until more comes: a message that is cut never ends, at the client, where a
/// line ends, and the caller can send the tail and the terminator in one piece.
class DotStuffer {
 public:
  /// What becomes of a NUL. Outlook hangs on one; Dovecot's IMAP sends 0x80 instead.
  enum class Nul : std::uint8_t { replace, pass };

  /// The least room that feed() has to be given: a line end that was held back, a dot, and an octet.
  static constexpr std::size_t kLeastRoom = 4;

  struct Fed {
    std::size_t consumed;
    std::size_t produced;
  };

  /// RETR: the whole message.
  explicit DotStuffer(Nul nul) noexcept : nul_(nul) {}
  /// TOP: the header, the empty line behind it and `lines` lines of the body. Without an empty line all of it
  /// is header.
  DotStuffer(Nul nul, std::uint64_t lines) noexcept : nul_(nul), counts_(true), lines_(lines) {}

  /// Takes what it can of `literal` and writes it into `out`; to be called again with the rest until
  /// everything is consumed or it is complete.
  Fed feed(std::string_view literal, std::span<char> out) noexcept;

  /// TOP: the last line that was asked for has been consumed, its LF included. RETR: never.
  bool is_complete() const noexcept { return complete_; }

  /// Behind the last octet, or once it is complete: what is still to be sent before the terminator. It ends
  /// in CRLF.
  std::string_view tail() const noexcept { return held_ == Held::cr ? "\r\r\n" : "\r\n"; }

 private:
  enum class Held : std::uint8_t { nothing, cr, line_end };

  struct Run {
    const char* copied;  ///< the run goes out up to here
    const char* next;    ///< and was consumed up to here
  };

  bool release_held(const char*& at, char*& to) noexcept;
  Run find_run(const char* at, const char* limit) noexcept;
  void end_line(bool is_empty) noexcept;
  char* copy(const char* from, const char* end, char* to) const noexcept;

  Nul nul_;
  bool counts_ = false;
  bool in_header_ = true;
  bool complete_ = false;
  bool at_line_start_ = true;  ///< nothing of the line has been seen but, maybe, the CR that is held
  Held held_ = Held::nothing;
  std::uint64_t lines_ = 0;  ///< still to come, behind the header
};

}  // namespace postern::pop3
