#include "imap/fetch_reader.hpp"

namespace postern::imap {
namespace {

constexpr Fault kUnfinished = "line ends inside a FETCH response";
constexpr Fault kNoGap = "no space or parenthesis behind a value";
constexpr Fault kTooDeep = "nested too deeply";

bool ends_value(char octet) noexcept {
  return octet == ' ' || octet == ')';
}

/// Strings keep the memory that one message needed only if it is little.
void empty(std::string& text) noexcept {
  constexpr std::size_t kKeep = 4096;
  if (text.capacity() > kKeep) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

}  // namespace

struct FetchReader::Attribute {
  std::string_view name;
  Setter read;
};

/// In the order of their likelihood: the snapshot has the first two of a million messages.
const FetchReader::Attribute FetchReader::kAttributes[] = {
    {"UID", &FetchReader::uid},
    {"RFC822.SIZE", &FetchReader::size},
    {"FLAGS", &FetchReader::flags},
    {"MODSEQ", &FetchReader::modseq},
    {"INTERNALDATE", &FetchReader::internal_date},
    {"EMAILID", &FetchReader::email_id},
    {"THREADID", &FetchReader::thread_id},
    {"X-GM-MSGID", &FetchReader::gm_msgid},
    {"X-GUID", &FetchReader::guid},
    {"RFC822", &FetchReader::whole_message},
    {"RFC822.HEADER", &FetchReader::whole_header},
    {"RFC822.TEXT", &FetchReader::whole_text},
};

void FetchReader::begin(Fetch& out, std::optional<std::uint32_t> uid) noexcept {
  groups_ = 0;
  nesting_ = 0;
  behind_value_ = false;
  fetch_ = &out;
  out.uid = uid;
  fault_ = {};
}

void FetchReader::forget() noexcept {
  for (auto* text : {&body_text_, &keywords_, &internal_date_, &email_id_, &thread_id_, &guid_}) empty(*text);
}

bool FetchReader::may_go_on_with(char octet) const noexcept {
  const bool ends_line = octet == '\r' || octet == '\n';  // read() knows what to say of that
  return (!behind_value_ && nesting_ == 0) || ends_value(octet) || ends_line;
}

FetchReader::Stop FetchReader::read(Cursor& cursor) {
  if (nesting_ != 0) {  // behind a literal that was skipped inside a list
    if (const auto stop = skip_list(cursor); stop != Stop::go_on) return stop;
  }
  for (;;) {
    if (behind_value_ && !ends_value(cursor.peek())) {
      return fail(cursor.empty() ? kUnfinished : kNoGap);
    }
    behind_value_ = false;
    cursor.skip_spaces();
    if (cursor.take(')')) {
      if (const auto stop = closed(cursor); stop != Stop::go_on) return stop;
    } else if (cursor.take('(')) {
      if (++groups_ > kMaxNesting) return fail(kTooDeep);
    } else if (cursor.empty() || groups_ == 0) {
      return fail(kUnfinished);
    } else {
      behind_value_ = true;
      const auto stop = attribute(cursor);
      if (stop != Stop::go_on) return stop;
    }
  }
}

/// Some servers put one parenthesis too many at the end. Behind a body that is not forgiven: it could be its
/// text.
FetchReader::Stop FetchReader::closed(Cursor& cursor) {
  if (groups_ == 0) return fail("parenthesis closed that was not opened");
  if (--groups_ != 0) return Stop::go_on;
  while (cursor.peek() == ' ' || (cursor.peek() == ')' && !fetch_->has_body)) cursor.skip(1);
  return cursor.empty() ? Stop::done : fail("text behind the end of a FETCH response");
}

FetchReader::Stop FetchReader::attribute(Cursor& cursor) {
  const auto name = cursor.take_name();
  if (name.empty()) return fail("name of an attribute expected");
  if (cursor.peek() == '[') return section(cursor, name);
  for (const auto& known : kAttributes) {
    if (!ascii::equal(name, known.name)) continue;
    cursor.skip_spaces();
    return (this->*known.read)(cursor);
  }
  cursor.skip_spaces();
  return skip_value(cursor);
}

/// "[...]" and "<n>", then the value. Quotes in a section may hold a bracket (RFC 3501 §9 header-list).
FetchReader::Stop FetchReader::section(Cursor& cursor, std::string_view name) {
  cursor.skip(1);
  const auto start = cursor.rest();
  while (!cursor.empty() && cursor.peek() != ']') {
    if (cursor.peek() != '"') {
      cursor.skip(1);
    } else if (!cursor.skip_quoted()) {
      return fail("quoted string without an end");
    }
  }
  const auto text = start.substr(0, start.size() - cursor.rest().size());
  if (!cursor.take(']')) return fail("section without an end");
  body_ = Body();
  if (const auto stop = origin(cursor); stop != Stop::go_on) return stop;
  cursor.skip_spaces();
  if (!ascii::equal(name, "BODY") && !ascii::equal(name, "BINARY") && !ascii::equal(name, "BODY.PEEK"))
    return skip_value(cursor);
  if (text.empty()) return body_value(cursor, Section::message);
  if (ascii::equal(text, "HEADER")) return body_value(cursor, Section::header);
  if (ascii::equal(text, "TEXT")) return body_value(cursor, Section::text);
  return body_value(cursor, Section::other);
}

FetchReader::Stop FetchReader::origin(Cursor& cursor) {
  if (!cursor.take('<')) return Stop::go_on;
  body_.origin = cursor.take_number(kMaxNumber64);
  if (!body_.origin || !cursor.take('>')) return fail("malformed origin of a partial body");
  return Stop::go_on;
}

/// Whatever is no string and not NIL is the next attribute: the value was left out (seen with Yandex).
FetchReader::Stop FetchReader::body_value(Cursor& cursor, Section section) {
  body_.section = section;
  body_.uid = fetch_->uid;
  fetch_->has_body = true;
  if (cursor.peek() == '"') return quoted_body(cursor);
  if (cursor.peek() == '{' || cursor.peek() == '~') return literal_body(cursor);
  if (ascii::begins_with(cursor.rest(), "NIL") && cursor.rest().size() > 3 && ends_value(cursor.rest()[3])) {
    cursor.skip(3);
    body_.form = BodyForm::nil;
    return Stop::body;
  }
  body_.form = BodyForm::absent;
  behind_value_ = false;
  return Stop::body;
}

FetchReader::Stop FetchReader::quoted_body(Cursor& cursor) {
  empty(body_text_);
  if (!cursor.take_quoted(body_text_)) return fail("quoted string without an end");
  if (body_text_.size() > max_body_) return fail("body too large");
  body_.form = BodyForm::quoted;
  body_.text = body_text_;
  body_.size = body_text_.size();
  return Stop::body;
}

FetchReader::Stop FetchReader::literal_body(Cursor& cursor) {
  if (const auto fault = cursor.take_literal(kMaxNumber64, body_.size); !fault.empty()) return fail(fault);
  if (body_.size > max_body_) return fail("body too large");
  body_.form = BodyForm::literal;
  return Stop::body;
}

FetchReader::Stop FetchReader::fail(Fault fault) noexcept {
  fault_ = fault;
  return Stop::fault;
}

}  // namespace postern::imap
