#include "imap/number_reader.hpp"

#include <cstring>
#include <utility>

namespace postern::imap {
namespace {

constexpr Fault kLongWord = "word too long in a list of numbers";

constexpr bool is_delimiter(char c) noexcept {
  return c == ' ' || c == ',' || c == '\n' || c == '(' || c == ')';
}

std::size_t word_length(std::string_view text) noexcept {
  std::size_t length = 0;
  while (length != text.size() && !is_delimiter(text[length])) ++length;
  return length;
}

std::optional<std::uint64_t> whole_number(std::string_view word) noexcept {
  Cursor cursor(word);
  const auto number = cursor.take_number(kMaxNumber64);
  return cursor.empty() ? number : std::nullopt;
}

}  // namespace

std::optional<ResponseKind> find_number_list(std::string_view word) noexcept {
  if (ascii::equal(word, "SEARCH")) return ResponseKind::search;
  if (ascii::equal(word, "ESEARCH")) return ResponseKind::esearch;
  if (ascii::equal(word, "VANISHED")) return ResponseKind::vanished;
  return std::nullopt;
}

void NumberReader::begin(ResponseKind kind, Response& out) noexcept {
  kind_ = kind;
  out_ = &out;
  expect_ = kind == ResponseKind::esearch ? Expect::name : Expect::set;
  in_value_ = false;
  is_tag_next_ = false;
  nesting_ = 0;
  carried_ = 0;
  count_ = 0;
  tag_.clear();
  fault_ = {};
}

NumberReader::Stop NumberReader::read(std::string_view& text) {
  while (!text.empty()) {
    const auto length = word_length(text);
    const auto piece = text.substr(0, length);
    text.remove_prefix(length);
    if (text.empty()) {
      if (carried_ + length > carry_.size()) return fail(kLongWord);
      if (length != 0) std::memcpy(carry_.data() + carried_, piece.data(), length);
      carried_ += length;
      return Stop::need_more;
    }
    const char octet = text.front();
    text.remove_prefix(1);
    if (const auto fault = take_word(piece, octet); !fault.empty()) return fail(fault);
    if (octet == '\n') return nesting_ == 0 ? Stop::done : fail("line ends inside parentheses");
    if (const auto fault = delimiter(octet); !fault.empty()) return fail(fault);
    if (count_ == batch_.size()) return Stop::batch;
  }
  return Stop::need_more;
}

/// A word whose end `octet` was met, with what a chunk before had of it.
Fault NumberReader::take_word(std::string_view piece, char octet) {
  if (carried_ + piece.size() > carry_.size())
    return kLongWord;  // also of a word that is whole: cuts say nothing
  if (carried_ != 0) {
    if (!piece.empty()) std::memcpy(carry_.data() + carried_, piece.data(), piece.size());
    piece = {carry_.data(), std::exchange(carried_, 0) + piece.size()};
  }
  if (octet == '\n' && piece.ends_with('\r')) piece.remove_suffix(1);
  return piece.empty() ? Fault() : word(piece);
}

Fault NumberReader::delimiter(char octet) noexcept {
  switch (octet) {
    case '(':
      is_tag_next_ = false;
      return ++nesting_ > kMaxNesting ? Fault("nested too deeply") : Fault();
    case ')':
      if (nesting_ == 0) return "parenthesis closed that was not opened";
      if (--nesting_ == 0 && expect_ == Expect::unknown) expect_ = Expect::name;
      return {};
    case ' ':
      if (nesting_ == 0 && in_value_) expect_ = Expect::name;
      in_value_ = false;
      return {};
    default:  // a comma: the value goes on
      return {};
  }
}

Fault NumberReader::word(std::string_view word) {
  if (nesting_ != 0) return word_in_group(word);
  if (expect_ == Expect::name) return name(word);
  in_value_ = kind_ == ResponseKind::esearch;
  if (expect_ == Expect::set) return range(word);
  if (expect_ == Expect::unknown) return {};
  const auto number = whole_number(word);
  if (!number) return "number expected in ESEARCH";
  auto& esearch = out_->esearch;
  if (expect_ == Expect::count) esearch.count = number;
  if (expect_ == Expect::min) esearch.min = number;
  if (expect_ == Expect::max) esearch.max = number;
  if (expect_ == Expect::modseq) esearch.modseq = number;
  return {};
}

/// "(TAG "x")" of an ESEARCH, "(EARLIER)" of a VANISHED, "(MODSEQ n)" of a SEARCH.
Fault NumberReader::word_in_group(std::string_view word) {
  if (is_tag_next_) {
    if (word.size() >= 2 && word.starts_with('"') && word.ends_with('"')) {
      word = word.substr(1, word.size() - 2);
    }
    tag_ = word;
    is_tag_next_ = false;
  } else if (kind_ == ResponseKind::esearch) {
    is_tag_next_ = expect_ == Expect::name && tag_.empty() && ascii::equal(word, "TAG");
  } else if (kind_ == ResponseKind::vanished && ascii::equal(word, "EARLIER")) {
    out_->vanished_earlier = true;
  }
  return {};
}

Fault NumberReader::name(std::string_view word) noexcept {
  struct Item {
    std::string_view name;
    Expect value;
  };
  constexpr Item kItems[] = {{"ALL", Expect::set},
                             {"COUNT", Expect::count},
                             {"MIN", Expect::min},
                             {"MAX", Expect::max},
                             {"MODSEQ", Expect::modseq}};
  if (ascii::equal(word, "UID")) {
    out_->esearch.uid = true;
    return {};
  }
  expect_ = Expect::unknown;
  for (const auto& item : kItems) {
    if (ascii::equal(word, item.name)) expect_ = item.value;
  }
  if (expect_ == Expect::set) out_->esearch.all = true;
  return {};
}

/// "5" or "5:7", also the wrong way round (RFC 3501 §9 seq-range). Zero and "*" are no numbers of messages.
Fault NumberReader::range(std::string_view word) noexcept {
  constexpr Fault kFault = "malformed number in a list of numbers";
  Cursor cursor(word);
  auto first = cursor.take_number(kMaxNumber32);
  auto last = first;
  if (cursor.take(':')) last = cursor.take_number(kMaxNumber32);
  if (!first || !last || *first == 0 || *last == 0 || !cursor.empty()) return kFault;
  if (*first > *last) std::swap(first, last);
  batch_[count_++] = {static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*last)};
  return {};
}

NumberReader::Stop NumberReader::fail(Fault fault) noexcept {
  fault_ = fault;
  return Stop::fault;
}

}  // namespace postern::imap
