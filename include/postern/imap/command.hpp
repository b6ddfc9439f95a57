#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/random.hpp"
#include "postern/base/secret.hpp"

namespace postern::imap {

/// The tags of one connection: a random prefix, so that no text of a message can hold a tag that is still to
/// come, and a counter.
class Tags {
 public:
  explicit Tags(Random& random) noexcept;
  /// "K7TQX2-1". Never the same twice.
  std::string next();

 private:
  static constexpr std::size_t kPrefix = 6;  ///< 30 bits of chance

  std::string prefix_;
  std::uint64_t count_ = 0;
};

/// Which literals may be sent without waiting (RFC 7888): as this connection's own capability list said,
/// after TLS. Anywhere else a server executes what stands in the literal as commands.
enum class NonSyncLiterals : std::uint8_t {
  none,
  small,  ///< LITERAL-: up to 4096 octets
  all,    ///< LITERAL+
};

/// A piece of a command. The whole command goes out in one piece, unless it has literals that have to wait.
class Segment {
 public:
  std::string_view octets() const noexcept { return is_secret_ ? secret_.view() : text_; }
  /// It holds a credential: its copies have to be wiped, and it is never logged.
  bool is_secret() const noexcept { return is_secret_; }
  /// The next piece may be sent only when the server has answered this one with "+".
  bool waits() const noexcept { return waits_; }

 private:
  friend class Command;

  std::string text_;
  Secret secret_;
  bool is_secret_ = false;
  bool waits_ = false;
};

/// One command, built from its parts. Every text that is not ours goes through string() or mailbox(), so
/// nothing that a user, a configuration or a server said can become a command of its own. Ends itself with
/// CRLF on finish().
class Command {
 public:
  Command(std::string tag, std::string_view name, NonSyncLiterals literals);

  /// A space and text of ours: keywords, numbers, UID sets, parentheses.
  Command& words(std::string_view ours);
  /// A space and a string: quoted if it is short and plain, otherwise a literal. Never an atom.
  Command& string(std::string_view text);
  /// The same, in pieces that are wiped.
  Command& secret(std::string_view text);
  /// A space and text of ours that is a credential: a SASL initial response.
  Command& secret_words(std::string_view base64);
  /// A space and the name of a mailbox, in UTF-8: it is encoded (RFC 3501 §5.1.3).
  Command& mailbox(std::string_view utf8);
  /// The end of the line. Nothing may be added behind it.
  Command& finish();

  /// False once a string with a NUL (no string can hold one, RFC 3501 §9) or a name that is not UTF-8 was
  /// given; the command must not be sent then.
  bool is_valid() const noexcept { return valid_; }
  const std::string& tag() const noexcept { return tag_; }
  const std::vector<Segment>& segments() const noexcept { return segments_; }

 private:
  Segment& open_segment();
  void add_string(std::string_view text, bool is_secret);
  void add_octets(std::string_view octets, bool is_secret);
  void add_literal_header(std::size_t size);

  std::string tag_;
  NonSyncLiterals literals_;
  std::vector<Segment> segments_;
  bool valid_ = true;
};

}  // namespace postern::imap
