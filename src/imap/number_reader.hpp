#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "imap/cursor.hpp"
#include "postern/imap/response.hpp"
#include "postern/imap/response_parser.hpp"

namespace postern::imap {

/// The response that consists of numbers and begins with this word, if there is one.
std::optional<ResponseKind> find_number_list(std::string_view word) noexcept;

/// The rest of a SEARCH, ESEARCH or VANISHED response, behind the keyword, in chunks: nothing of it is held
/// but a batch of ranges and the word that a chunk ends in.
class NumberReader {
 public:
  enum class Stop : std::uint8_t { need_more, batch, done, fault };

  /// `out` gets what is said beside the numbers.
  void begin(ResponseKind kind, Response& out) noexcept;
  /// Takes octets off `text` until a batch is full, the line has ended (its LF is taken), or all are taken.
  /// With `done` there may be a last batch.
  Stop read(std::string_view& text);

  std::span<const NumberRange> batch() const noexcept { return {batch_.data(), count_}; }
  void clear_batch() noexcept { count_ = 0; }
  std::string_view tag() const noexcept { return tag_; }
  Fault fault() const noexcept { return fault_; }

 private:
  /// What the next word of an ESEARCH is.
  enum class Expect : std::uint8_t { name, set, count, min, max, modseq, unknown };

  Fault word(std::string_view word);
  Fault word_in_group(std::string_view word);
  Fault name(std::string_view word) noexcept;
  Fault range(std::string_view word) noexcept;
  Fault delimiter(char octet) noexcept;
  Fault take_word(std::string_view piece, char octet);
  Stop fail(Fault fault) noexcept;

  ResponseKind kind_ = ResponseKind::search;
  Response* out_ = nullptr;
  Expect expect_ = Expect::name;
  bool in_value_ = false;  ///< of an ESEARCH item; the value ends at a space
  bool is_tag_next_ = false;
  std::size_t nesting_ = 0;
  std::array<char, 96> carry_;  ///< the beginning of a word; tags of ours and numbers are far shorter
  std::size_t carried_ = 0;
  std::array<NumberRange, kNumberBatch> batch_;
  std::size_t count_ = 0;
  std::string tag_;
  Fault fault_;
};

}  // namespace postern::imap
