#include "imap/data_line.hpp"

namespace postern::imap {
namespace {

struct StatusItem {
  std::string_view name;
  std::optional<std::uint64_t> StatusItems::* member;
};
constexpr StatusItem kStatusItems[] = {
    {"MESSAGES", &StatusItems::messages},
    {"RECENT", &StatusItems::recent},
    {"UNSEEN", &StatusItems::unseen},
    {"UIDNEXT", &StatusItems::uidnext},
    {"UIDVALIDITY", &StatusItems::uidvalidity},
    {"HIGHESTMODSEQ", &StatusItems::highestmodseq},
    {"SIZE", &StatusItems::size},
};

struct ListFlag {
  std::string_view name;
  bool ListItem::* member;
};
constexpr ListFlag kListFlags[] = {
    {"\\Noselect", &ListItem::noselect}, {"\\NonExistent", &ListItem::noselect},
    {"\\All", &ListItem::all},           {"\\Archive", &ListItem::archive},
    {"\\Drafts", &ListItem::drafts},     {"\\Flagged", &ListItem::flagged},
    {"\\Junk", &ListItem::junk},         {"\\Sent", &ListItem::sent},
    {"\\Trash", &ListItem::trash},
};

bool take_mailbox(Cursor& cursor, std::string& room, Response& out) {
  const auto begin = room.size();
  cursor.skip_spaces();
  if (!cursor.take_astring(room)) return false;
  out.mailbox = std::string_view(room).substr(begin);
  return true;
}

/// Skips one value that may be a list; lists in lists are counted, not entered.
bool skip_value(Cursor& cursor) noexcept {
  std::size_t nesting = 0;
  do {
    cursor.skip_spaces();
    if (cursor.empty()) return false;
    if (cursor.take('(')) {
      ++nesting;
    } else if (cursor.peek() == ')') {
      if (nesting == 0) return false;
      cursor.skip(1);
      --nesting;
    } else if (cursor.peek() == '"') {
      if (!cursor.skip_quoted()) return false;
    } else {
      cursor.take_atom();
    }
  } while (nesting != 0);
  return true;
}

Fault read_status(Cursor& cursor, std::string& room, Response& out) {
  constexpr Fault kFault = "malformed STATUS response";
  if (!take_mailbox(cursor, room, out)) return kFault;
  cursor.skip_spaces();
  if (!cursor.take('(')) return kFault;
  for (;;) {
    cursor.skip_spaces();
    if (cursor.take(')')) return {};
    const auto name = cursor.take_atom();
    if (name.empty()) return kFault;
    cursor.skip_spaces();
    const StatusItem* known = nullptr;
    for (const auto& item : kStatusItems) {
      if (ascii::equal(name, item.name)) known = &item;
    }
    if (known == nullptr) {
      if (!skip_value(cursor)) return kFault;
      continue;
    }
    out.items.*known->member = cursor.take_number(kMaxNumber64);
    if (!(out.items.*known->member)) return kFault;
  }
}

/// "NIL", or one character between quotes.
bool take_delimiter(Cursor& cursor, std::string& room, char& out) {
  cursor.skip_spaces();
  if (cursor.peek() != '"') return ascii::equal(cursor.take_atom(), "NIL");
  const auto begin = room.size();
  if (!cursor.take_quoted(room) || room.size() > begin + 1) return false;
  if (room.size() == begin + 1) out = room.back();
  room.resize(begin);
  return true;
}

Fault read_list(Cursor& cursor, std::string& room, Response& out) {
  constexpr Fault kFault = "malformed LIST response";
  cursor.skip_spaces();
  const auto end = cursor.rest().find(')');
  if (!cursor.take('(') || end == std::string_view::npos) return kFault;
  Words words(cursor.rest().substr(0, end - 1));
  for (auto word = words.next(); !word.empty(); word = words.next()) {
    for (const auto& flag : kListFlags) {
      if (ascii::equal(word, flag.name)) out.list.*flag.member = true;
    }
  }
  cursor.skip(end);
  if (!take_delimiter(cursor, room, out.list.delimiter)) return kFault;
  return take_mailbox(cursor, room, out) ? Fault() : kFault;  // LIST-EXTENDED may say more (RFC 5258)
}

}  // namespace

ResponseKind find_data(std::string_view word) noexcept {
  if (ascii::equal(word, "CAPABILITY")) return ResponseKind::capability;
  if (ascii::equal(word, "FLAGS")) return ResponseKind::flags;
  if (ascii::equal(word, "LIST")) return ResponseKind::list;
  if (ascii::equal(word, "STATUS")) return ResponseKind::mailbox_status;
  if (ascii::equal(word, "ID")) return ResponseKind::id;
  return ResponseKind::other;
}

Fault read_data(ResponseKind kind, std::string_view rest, std::string& room, Response& out) {
  Cursor cursor(rest);
  cursor.skip_spaces();
  out.kind = kind;
  switch (kind) {
    case ResponseKind::flags:
      if (cursor.peek() != '(' || !rest.ends_with(')')) return "malformed FLAGS response";
      out.flags = parse_flags(cursor.rest(), room);
      return {};
    case ResponseKind::list:
      return read_list(cursor, room, out);
    case ResponseKind::mailbox_status:
      return read_status(cursor, room, out);
    default:
      out.text = cursor.rest();
      return {};
  }
}

}  // namespace postern::imap
