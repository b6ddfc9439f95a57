#include <algorithm>

#include "imap/data_line.hpp"
#include "imap/response_machine.hpp"
#include "imap/status_line.hpp"

/// What a line of a response says: the part of the machine that knows the words.
namespace postern::imap {
namespace {

/// "A12": letters, digits, and whatever else a tag may have (RFC 3501 §9 tag); ours are plainer.
bool is_tag(std::string_view word) noexcept {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return c > ' ' && c < '\x7f' && c != '+' && c != '*' && c != '(' && c != ')' && c != '{' && c != '"';
  });
}

}  // namespace

/// The response looks into its line, so a line of the input has to be kept.
std::string_view ResponseParser::Machine::keep(std::string_view text) {
  if (!in_input_) return text;
  kept_ = text;
  return kept_;
}

ResponseParser::Machine::Outcome ResponseParser::Machine::read_response(std::string_view line,
                                                                        std::string_view last_line,
                                                                        Cursor& cursor) {
  if (line.starts_with('+')) {
    const auto text = keep(line.substr(line.starts_with("+ ") ? 2 : 1));
    response_.text = text;
    return finish(ResponseKind::continuation);
  }
  if (!cursor.take('*')) return read_tagged(cursor);
  cursor.skip_spaces();
  return ascii::is_digit(cursor.peek()) ? read_numbered(last_line, cursor) : read_words(last_line, cursor);
}

ResponseParser::Machine::Outcome ResponseParser::Machine::read_tagged(Cursor& cursor) {
  Cursor kept(keep(cursor.rest()));
  response_.tag = kept.take_atom();
  kept.skip_spaces();
  const auto condition = find_condition(kept.take_atom());
  if (!is_tag(response_.tag) || !condition || *condition > Condition::bad) return fail("not a response");
  response_.condition = *condition;
  read_status_text(kept.rest(), response_);
  return finish(ResponseKind::tagged);
}

ResponseParser::Machine::Outcome ResponseParser::Machine::read_numbered(std::string_view last_line,
                                                                        Cursor& cursor) {
  const auto number = cursor.take_number(kMaxNumber32);
  if (!number) return fail("number too large");
  response_.number = static_cast<std::uint32_t>(*number);
  cursor.skip_spaces();
  const auto word = cursor.take_name();
  if (ascii::equal(word, "FETCH") || ascii::equal(word, "UIDFETCH")) {
    in_fetch_ = true;
    const bool is_uid = word.size() > std::string_view("FETCH").size();
    fetch_.begin(response_.fetch, is_uid ? std::optional(response_.number) : std::nullopt);
    return read_fetch(cursor);
  }
  if (ascii::equal(word, "EXISTS")) return finish(ResponseKind::exists);
  if (ascii::equal(word, "RECENT")) return finish(ResponseKind::recent);
  if (ascii::equal(word, "EXPUNGE")) return finish(ResponseKind::expunge);
  Fault fault;
  if (const auto size = trailing_literal(last_line, kMaxPlainLiteral, fault)) return keep_literal(*size);
  return fault.empty() ? finish(ResponseKind::other) : fail(fault);
}

ResponseParser::Machine::Outcome ResponseParser::Machine::read_words(std::string_view last_line,
                                                                     Cursor& cursor) {
  // Exchange leaves the OK out before some codes: "* [COPYUID 1 2 3] ...".
  Cursor after = cursor;
  const auto word = after.take_name();
  const auto condition = cursor.peek() == '[' ? Condition::ok : find_condition(word);
  if (condition) {
    response_.condition = *condition;
    read_status_text(keep(cursor.peek() == '[' ? cursor.rest() : after.rest()), response_);
    return finish(ResponseKind::status);
  }
  // A list that is written otherwise than "* SEARCH" is not skipped: it would be taken for an empty one.
  if (word.empty() || find_number_list(word)) return fail("not a response");
  Fault fault;
  if (const auto size = trailing_literal(last_line, kMaxPlainLiteral, fault)) return keep_literal(*size);
  if (!fault.empty()) return fail(fault);
  const auto kind = find_data(word);
  if (kind == ResponseKind::other) return finish(kind);
  const auto rest = keep(after.rest());
  room_.reserve(rest.size());
  fault = read_data(kind, rest, room_, response_);
  return fault.empty() ? finish(kind) : fail(fault);
}

ResponseParser::Machine::Outcome ResponseParser::Machine::read_fetch(Cursor& cursor) {
  switch (fetch_.read(cursor)) {
    case FetchReader::Stop::body:
      line_used_up_ = fetch_.body().form == BodyForm::literal;
      return Step::body;
    case FetchReader::Stop::literal:
      literal_left_ = fetch_.literal_size();
      state_ = State::drop;
      return std::nullopt;
    case FetchReader::Stop::fault:
      return fail(fetch_.fault());
    case FetchReader::Stop::go_on:
    case FetchReader::Stop::done:
      break;
  }
  return finish(ResponseKind::fetch);
}

ResponseParser::Machine::Outcome ResponseParser::Machine::keep_literal(std::uint64_t size) {
  if (line_.size() + size > kMaxResponseLine + kMaxPlainLiteral) return fail("response too large");
  literal_left_ = size;
  state_ = State::keep;
  return std::nullopt;
}

}  // namespace postern::imap
