#include "imap/fetch_reader.hpp"
#include "imap/float_size.hpp"

namespace postern::imap {

FetchReader::Stop FetchReader::uid(Cursor& cursor) {
  const auto number = cursor.take_number(kMaxNumber32);
  if (!number || *number == 0) return fail("malformed UID");
  const auto value = static_cast<std::uint32_t>(*number);
  if (fetch_->uid && *fetch_->uid != value) return fail("two UIDs in one FETCH response");
  fetch_->uid = value;
  return Stop::go_on;
}

FetchReader::Stop FetchReader::size(Cursor& cursor) {
  Cursor after = cursor;
  const auto number = after.take_number(kMaxNumber64);
  if (number && (after.peek() == ' ' || after.peek() == ')')) {
    cursor = after;
    fetch_->size = number;
    return Stop::go_on;
  }
  const auto word = cursor.take_atom();
  if (ascii::equal(word, "NIL")) return Stop::go_on;
  fetch_->size = parse_float_size(word);
  fetch_->size_was_float = true;
  return fetch_->size ? Stop::go_on : fail("malformed RFC822.SIZE");
}

FetchReader::Stop FetchReader::flags(Cursor& cursor) {
  const auto text = cursor.rest();
  const auto end = text.find(')');
  if (!text.starts_with('(') || end == std::string_view::npos) return fail("malformed FLAGS");
  keywords_.clear();
  fetch_->flags = parse_flags(text.substr(0, end + 1), keywords_);
  fetch_->has_flags = true;
  cursor.skip(end + 1);
  return Stop::go_on;
}

FetchReader::Stop FetchReader::internal_date(Cursor& cursor) {
  internal_date_.clear();
  fetch_->internal_date = {};
  if (cursor.peek() != '"') return skip_value(cursor);
  if (!cursor.take_quoted(internal_date_)) return fail("quoted string without an end");
  fetch_->internal_date = internal_date_;
  return Stop::go_on;
}

FetchReader::Stop FetchReader::email_id(Cursor& cursor) {
  return object_id(cursor, email_id_, fetch_->email_id);
}
FetchReader::Stop FetchReader::thread_id(Cursor& cursor) {
  return object_id(cursor, thread_id_, fetch_->thread_id);
}

/// "(id)", or NIL where there is no thread (RFC 8474 §5.2).
FetchReader::Stop FetchReader::object_id(Cursor& cursor, std::string& room, std::string_view& out) {
  out = {};
  if (!cursor.take('(')) return skip_value(cursor);
  room = cursor.take_atom();
  out = room;
  return cursor.take(')') ? Stop::go_on : fail("malformed object id");
}

FetchReader::Stop FetchReader::gm_msgid(Cursor& cursor) {
  // An unsigned number of 64 bits, by Gmail's own description.
  fetch_->gm_msgid = cursor.take_number(std::numeric_limits<std::uint64_t>::max());
  return fetch_->gm_msgid ? Stop::go_on : fail("malformed X-GM-MSGID");
}

/// An atom, or a string.
FetchReader::Stop FetchReader::guid(Cursor& cursor) {
  guid_.clear();
  if (cursor.peek() == '"') {
    if (!cursor.take_quoted(guid_)) return fail("quoted string without an end");
  } else if (cursor.peek() == '{' || cursor.peek() == '~') {
    return skip_value(cursor);
  } else {
    guid_ = cursor.take_atom();
  }
  fetch_->guid = guid_;
  return Stop::go_on;
}

/// "(n)" (RFC 7162 §3.1.4.2). What servers make of it otherwise ("-1") is nothing that anything depends on.
FetchReader::Stop FetchReader::modseq(Cursor& cursor) {
  Cursor after = cursor;
  if (!after.take('(')) return skip_value(cursor);
  fetch_->modseq = after.take_number(kMaxNumber64);
  if (!fetch_->modseq || !after.take(')')) return skip_value(cursor);
  cursor = after;
  return Stop::go_on;
}

FetchReader::Stop FetchReader::whole_message(Cursor& cursor) {
  body_ = Body();
  return body_value(cursor, Section::message);
}
FetchReader::Stop FetchReader::whole_header(Cursor& cursor) {
  body_ = Body();
  return body_value(cursor, Section::header);
}
FetchReader::Stop FetchReader::whole_text(Cursor& cursor) {
  body_ = Body();
  return body_value(cursor, Section::text);
}

/// The value of an attribute nobody asked for: an atom, a string or a list. A missing one is no harm.
FetchReader::Stop FetchReader::skip_value(Cursor& cursor) {
  switch (cursor.peek()) {
    case '(':
      cursor.skip(1);
      nesting_ = 1;
      return skip_list(cursor);
    case '"':
      return cursor.skip_quoted() ? Stop::go_on : fail("quoted string without an end");
    case '{':
    case '~':
      return skip_literal(cursor);
    default:
      cursor.take_atom();
      return Stop::go_on;
  }
}

FetchReader::Stop FetchReader::skip_list(Cursor& cursor) {
  while (nesting_ != 0) {
    switch (cursor.peek()) {
      case '(':
        if (++nesting_ > kMaxNesting) return fail("nested too deeply");
        cursor.skip(1);
        break;
      case ')':
        --nesting_;
        cursor.skip(1);
        break;
      case ' ':
        cursor.skip(1);
        break;
      case '"':
        if (!cursor.skip_quoted()) return fail("quoted string without an end");
        break;
      case '{':
      case '~':
        return skip_literal(cursor);
      default:
        if (cursor.take_atom().empty()) return fail("line ends inside a list");
    }
  }
  behind_value_ = true;
  return Stop::go_on;
}

FetchReader::Stop FetchReader::skip_literal(Cursor& cursor) {
  if (const auto fault = cursor.take_literal(kMaxPlainLiteral, literal_size_); !fault.empty())
    return fail(fault);
  return Stop::literal;
}

}  // namespace postern::imap
