#include "unit/imap/transcript.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "postern/base/assert.hpp"

namespace postern::imap {
namespace {

constexpr std::array<std::string_view, 16> kKinds = {
    "tagged", "status", "continuation", "capability", "flags",  "exists", "recent", "expunge",
    "fetch",  "search", "esearch",      "vanished",   "status", "list",   "id",     "other"};
constexpr std::array<std::string_view, 5> kConditions = {"OK", "NO", "BAD", "PREAUTH", "BYE"};
constexpr std::array<std::string_view, 4> kForms = {"literal", "quoted", "nil", "absent"};
constexpr std::array<std::string_view, 4> kSections = {"message", "header", "text", "other"};

void add(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += ' ';
  out += name;
  out += "=[";
  out += value;
  out += ']';
}

template <class Number>
void add(std::string& out, std::string_view name, const std::optional<Number>& value) {
  if (value) out.append(" ").append(name).append("=").append(std::to_string(*value));
}

void add(std::string& out, std::string_view name, bool value) {
  if (value) out.append(" ").append(name);
}

void add(std::string& out, const Flags& flags) {
  add(out, "\\Seen", flags.seen);
  add(out, "\\Answered", flags.answered);
  add(out, "\\Flagged", flags.flagged);
  add(out, "\\Deleted", flags.deleted);
  add(out, "\\Draft", flags.draft);
  add(out, "\\Recent", flags.recent);
  add(out, "\\*", flags.new_keywords);
  add(out, "keywords", flags.keywords);
}

void add(std::string& out, const Fetch& fetch) {
  add(out, "uid", fetch.uid);
  add(out, "size", fetch.size);
  add(out, "float", fetch.size_was_float);
  add(out, "body", fetch.has_body);
  add(out, "flags", fetch.has_flags);
  add(out, fetch.flags);
  add(out, "date", fetch.internal_date);
  add(out, "email", fetch.email_id);
  add(out, "thread", fetch.thread_id);
  add(out, "gm", fetch.gm_msgid);
  add(out, "modseq", fetch.modseq);
}

void add(std::string& out, const StatusItems& items) {
  add(out, "messages", items.messages);
  add(out, "recent", items.recent);
  add(out, "unseen", items.unseen);
  add(out, "uidnext", items.uidnext);
  add(out, "uidvalidity", items.uidvalidity);
  add(out, "highestmodseq", items.highestmodseq);
  add(out, "size", items.size);
}

void add(std::string& out, const ListItem& list) {
  add(out, "noselect", list.noselect);
  add(out, "all", list.all);
  add(out, "archive", list.archive);
  add(out, "drafts", list.drafts);
  add(out, "flagged", list.flagged);
  add(out, "junk", list.junk);
  add(out, "sent", list.sent);
  add(out, "trash", list.trash);
  if (list.delimiter != '\0') add(out, "delimiter", std::string_view(&list.delimiter, 1));
}

void add(std::string& out, const Esearch& esearch) {
  add(out, "uid", esearch.uid);
  add(out, "all", esearch.all);
  add(out, "count", esearch.count);
  add(out, "min", esearch.min);
  add(out, "max", esearch.max);
  add(out, "modseq", esearch.modseq);
}

}  // namespace

std::string describe(const Response& response) {
  std::string out(kKinds[static_cast<std::size_t>(response.kind)]);
  if (response.kind == ResponseKind::tagged || response.kind == ResponseKind::status) {
    out.append(" ").append(kConditions[static_cast<std::size_t>(response.condition)]);
  }
  if (response.number != 0) out.append(" ").append(std::to_string(response.number));
  add(out, "earlier", response.vanished_earlier);
  add(out, "tag", response.tag);
  add(out, "code", response.code_name);
  add(out, "known", response.code != Code::none && response.code != Code::unknown);
  add(out, "arguments", response.code_arguments);
  add(out, "number", response.code_number);
  add(out, "text", response.text);
  add(out, "mailbox", response.mailbox);
  add(out, response.fetch);
  add(out, response.flags);
  add(out, response.items);
  add(out, response.list);
  add(out, response.esearch);
  return out;
}

void Transcript::feed(std::string_view octets) {
  if (failed_) return;
  buffer_ += octets;
  while (take_body() && step()) {
  }
}

/// Takes what there is of a body, as its caller has to. False: more of it is to come.
bool Transcript::take_body() {
  if (!in_body_) return true;
  const auto size = static_cast<std::size_t>(std::min<Bytes>(body_left_, buffer_.size()));
  text_.append(buffer_, 0, size);
  buffer_.erase(0, size);
  body_left_ -= size;
  if (body_left_ != 0) return false;
  text_ += "<\n";
  in_body_ = false;
  return true;
}

bool Transcript::step() {
  const auto parsed = parser_.parse(buffer_);
  POSTERN_ASSERT(parsed.consumed <= buffer_.size());
  buffer_.erase(0, parsed.consumed);
  if (parsed.step != ResponseParser::Step::numbers && in_numbers_ &&
      parsed.step != ResponseParser::Step::need_more) {
    text_ += '\n';
    in_numbers_ = false;
  }
  switch (parsed.step) {
    case ResponseParser::Step::need_more:
      POSTERN_ASSERT(buffer_.empty());
      return false;
    case ResponseParser::Step::error:
      text_.append("error: ").append(parser_.error()).append("\n");
      failed_ = true;
      return false;
    case ResponseParser::Step::body:
      write_body(parser_.body());
      break;
    case ResponseParser::Step::numbers:
      write_numbers();
      break;
    case ResponseParser::Step::response:
      text_ += describe(parser_.response()) + '\n';
      break;
  }
  return true;
}

void Transcript::write_body(const Body& body) {
  text_.append(kForms[static_cast<std::size_t>(body.form)]);
  text_.append(" ").append(kSections[static_cast<std::size_t>(body.section)]);
  add(text_, "uid", body.uid);
  add(text_, "origin", body.origin);
  if (body.form == BodyForm::quoted) add(text_, "text", body.text.empty() ? "''" : body.text);
  in_body_ = body.form == BodyForm::literal;
  if (!in_body_) {
    text_ += '\n';
    return;
  }
  body_left_ = body.size;
  text_.append(" ").append(std::to_string(body.size)).append(" >");
}

void Transcript::write_numbers() {
  POSTERN_ASSERT(!parser_.numbers().empty());
  if (!in_numbers_) text_ += "numbers";
  in_numbers_ = true;
  for (const auto& range : parser_.numbers()) {
    text_.append(" ").append(std::to_string(range.first));
    if (range.last != range.first) text_.append(":").append(std::to_string(range.last));
  }
}

std::string transcript(std::string_view text) {
  Transcript whole;
  whole.feed(text);
  return whole.text();
}

std::string transcript(std::string_view text, std::size_t cut) {
  Transcript parts;
  parts.feed(text.substr(0, cut));
  parts.feed(text.substr(cut));
  return parts.text();
}

}  // namespace postern::imap
