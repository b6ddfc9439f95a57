#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "imap/cursor.hpp"
#include "postern/imap/response.hpp"
#include "postern/imap/response_parser.hpp"

namespace postern::imap {

/// A FETCH response, piece by piece: a piece is what stands between two literals. All that is kept over the
/// literal is here, and no depth of parentheses makes it call itself.
class FetchReader {
 public:
  enum class Stop : std::uint8_t {
    go_on,    ///< inside only
    body,     ///< a body begins; of a literal, the piece is used up
    literal,  ///< the piece is used up; a literal of literal_size() that nobody wants follows
    done,     ///< the response is over, the piece used up
    fault,
  };

  explicit FetchReader(Bytes max_body) noexcept : max_body_(max_body) {}

  /// `out` is empty, and stays where it is. `uid`: UIDFETCH (RFC 9586) names the UID where FETCH has the
  /// sequence number.
  void begin(Fetch& out, std::optional<std::uint32_t> uid) noexcept;
  /// Gives back what the last response needed. Its views die.
  void forget() noexcept;
  /// Whether an octet can stand where the reader is: behind a body it has to be a space or a parenthesis,
  /// which tells a body that was longer than announced without waiting for the end of its line.
  bool may_go_on_with(char octet) const noexcept;
  /// The first piece begins behind the word FETCH. To be called again behind a body or a literal.
  Stop read(Cursor& cursor);

  const Body& body() const noexcept { return body_; }
  std::uint64_t literal_size() const noexcept { return literal_size_; }
  Fault fault() const noexcept { return fault_; }

 private:
  using Setter = Stop (FetchReader::*)(Cursor&);
  struct Attribute;
  static const Attribute kAttributes[];

  Stop attribute(Cursor& cursor);
  Stop closed(Cursor& cursor);
  Stop section(Cursor& cursor, std::string_view name);
  Stop origin(Cursor& cursor);
  Stop body_value(Cursor& cursor, Section section);
  Stop quoted_body(Cursor& cursor);
  Stop literal_body(Cursor& cursor);

  Stop uid(Cursor& cursor);
  Stop size(Cursor& cursor);
  Stop flags(Cursor& cursor);
  Stop internal_date(Cursor& cursor);
  Stop email_id(Cursor& cursor);
  Stop thread_id(Cursor& cursor);
  Stop gm_msgid(Cursor& cursor);
  Stop guid(Cursor& cursor);
  Stop modseq(Cursor& cursor);
  Stop whole_message(Cursor& cursor);
  Stop whole_header(Cursor& cursor);
  Stop whole_text(Cursor& cursor);

  Stop skip_value(Cursor& cursor);
  Stop skip_list(Cursor& cursor);
  Stop skip_literal(Cursor& cursor);
  Stop object_id(Cursor& cursor, std::string& room, std::string_view& out);
  Stop fail(Fault fault) noexcept;

  const Bytes max_body_;
  std::size_t groups_ =
      0;  ///< parentheses open around the attributes: one, or more of servers that like them
  std::size_t nesting_ = 0;    ///< parentheses open in a value that is skipped
  bool behind_value_ = false;  ///< a value has just ended: a space or a parenthesis has to follow
  std::uint64_t literal_size_ = 0;
  Fetch* fetch_ = nullptr;  ///< its views look into the strings here
  Body body_;
  std::string body_text_;
  std::string keywords_;
  std::string internal_date_;
  std::string email_id_;
  std::string thread_id_;
  std::string guid_;
  Fault fault_;
};

}  // namespace postern::imap
