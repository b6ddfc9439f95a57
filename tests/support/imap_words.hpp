#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace postern::test {

/// What a command must not look like. A model of a server throws it; whoever runs the model fails the test.
class ImapSyntaxError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A set of UIDs as it stands in a command (RFC 3501 §9 sequence-set).
class ImapSet {
 public:
  struct Range {
    std::uint32_t first;
    std::uint32_t last;  ///< 0: "*"
  };
  std::vector<Range> ranges;

  bool has_star() const noexcept;
  bool is_reversed() const noexcept;
  /// `greatest`: the UID that "*" means, 0 in an empty mailbox.
  bool contains(std::uint32_t uid, std::uint32_t greatest) const noexcept;
};

/// The text of a command, taken apart from the front. Strict: one space between two words, none at the end.
/// Literals have become quoted strings before.
class ImapWords {
 public:
  explicit ImapWords(std::string_view text) noexcept : rest_(text) {}

  bool next_is(char octet) const noexcept { return rest_.starts_with(octet); }
  /// Whether it was there.
  bool take(char octet) noexcept;
  void expect(char octet);
  void space() { expect(' '); }
  void end() const;

  std::string atom();
  /// An atom in upper case.
  std::string keyword();
  /// A quoted string or an atom.
  std::string string();
  /// The same, with the wildcards of LIST.
  std::string pattern();
  /// "\Deleted" or a keyword; those of the system in their usual letters.
  std::string flag();
  /// One flag, or some in parentheses.
  std::vector<std::string> flags();
  std::uint32_t number();
  ImapSet set();
  /// Everything up to an octet, which is taken too.
  std::string until(char octet);

  std::string_view rest() const noexcept { return rest_; }

 private:
  std::string run_without(std::string_view specials);
  std::string quoted();

  std::string_view rest_;
};

std::string imap_upper(std::string_view text);
/// A string as ImapWords reads it, whatever its octets are.
std::string imap_quoted(std::string_view text);
/// Ascending UIDs as a set, neighbours joined: "1:3,7".
std::string imap_ranges(const std::vector<std::uint32_t>& uids);

}  // namespace postern::test
