// UID FETCH of an ImapStore.
#include <algorithm>
#include <optional>
#include <utility>

#include "support/imap_conversation.hpp"

namespace postern::test {

/// What is asked of each message.
struct ImapItem {
  struct Part {
    std::size_t origin;
    std::size_t size;
  };
  std::string name;  ///< "UID", "BODY"
  std::optional<std::string> section;
  std::optional<Part> part;
};

namespace {

constexpr std::size_t kMaxQuoted = 1024;

ImapItem parse_item(ImapWords& words) {
  ImapItem item;
  item.name = words.keyword();
  const std::size_t bracket = item.name.find('[');
  if (bracket == std::string::npos) return item;
  item.section = imap_upper(item.name.substr(bracket + 1) + words.until(']'));
  item.name.erase(bracket);
  if (item.name != "BODY.PEEK") throw ImapSyntaxError(item.name + " sets \\Seen");
  item.name = "BODY";
  if (!words.take('<')) return item;
  const std::size_t origin = words.number();
  words.expect('.');
  item.part = ImapItem::Part{origin, words.number()};
  words.expect('>');
  if (item.part->size == 0) throw ImapSyntaxError("a part of no octets: Cyrus refuses it");
  return item;
}

std::vector<ImapItem> parse_items(ImapWords& words) {
  std::vector<ImapItem> items;
  if (!words.take('(')) {
    items.push_back(parse_item(words));
    return items;
  }
  do {
    items.push_back(parse_item(words));
  } while (words.take(' '));
  words.expect(')');
  return items;
}

/// Up to and with the first empty line.
std::string_view header_of(std::string_view text) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t lf = std::min(text.find('\n', begin), text.size() - 1);
    const std::string_view line = text.substr(begin, lf + 1 - begin);
    begin = lf + 1;
    if (line == "\r\n" || line == "\n") break;
  }
  return text.substr(0, begin);
}

/// The fields of these names, and an empty line. `names` is what stands in the parentheses, in upper case.
std::string fields_of(std::string_view text, std::string_view names) {
  std::string all;
  std::string_view header = header_of(text);
  bool taken = false;
  while (!header.empty()) {
    const std::size_t size = std::min(header.find('\n'), header.size() - 1) + 1;
    const std::string_view line = header.substr(0, size);
    header.remove_prefix(size);
    if (!line.starts_with(' ') && !line.starts_with('\t')) {
      const std::string name = imap_upper(line.substr(0, line.find(':')));
      taken = line.find(':') != std::string_view::npos &&
              (" " + std::string(names) + " ").find(" " + name + " ") != std::string::npos;
    }
    if (taken) all += line;
  }
  return all + "\r\n";
}

std::string section_of(std::string_view text, const std::string& section) {
  constexpr std::string_view kFields = "HEADER.FIELDS (";
  if (section.empty()) return std::string(text);
  if (section == "HEADER") return std::string(header_of(text));
  if (section == "TEXT") return std::string(text.substr(header_of(text).size()));
  if (!section.starts_with(kFields)) throw ImapSyntaxError("section " + section);
  return fields_of(text,
                   std::string_view(section).substr(kFields.size(), section.size() - kFields.size() - 1));
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char octet) { return octet >= ' ' && octet <= '~'; });
}

/// Writes what FETCH says of one message.
class Description {
 public:
  Description(const ImapStore& store, const ImapMessage& message, bool is_nil)
      : store_(store), message_(message), is_nil_(is_nil) {}

  void add(const ImapItem& item) {
    if (item.section) {
      bodies_ = true;
      add_body(item);
    } else if (item.name == "UID") {
      put("UID", std::to_string(message_.uid));
    } else if (!is_nil_) {
      add_attribute(item.name);
    }
  }

  bool has_body() const noexcept { return bodies_; }
  /// The text ends where the file is broken.
  bool breaks() const noexcept { return breaks_; }

  std::string flags() const {
    std::string all;
    for (const std::string& flag : message_.flags) all += (all.empty() ? "" : " ") + flag;
    return "(" + all + ")";
  }

  std::string text() {
    const auto uid = std::find_if(attributes_.begin(), attributes_.end(),
                                  [](const Attribute& one) { return one.name == "UID"; });
    if (uid != attributes_.end() && store_.order == ImapStore::Order::uid_first) {
      std::rotate(attributes_.begin(), uid, uid + 1);
    } else if (uid != attributes_.end() && store_.order == ImapStore::Order::uid_last) {
      std::rotate(uid, uid + 1, attributes_.end());
    }
    std::string all;
    for (const Attribute& one : attributes_) {
      all += (all.empty() ? "" : " ") + one.name + " " + one.value;
      if (one.is_cut) break;
    }
    return all;
  }

 private:
  struct Attribute {
    std::string name;
    std::string value;
    bool is_cut = false;
  };

  void put(std::string name, std::string value, bool is_cut = false) {
    attributes_.push_back(Attribute{std::move(name), std::move(value), is_cut});
  }

  void add_attribute(const std::string& name) {
    if (name == "FLAGS") {
      put(name, flags());
    } else if (name == "INTERNALDATE") {
      const bool is_whole = message_.internal_date.find(' ') != std::string::npos;
      put(name, imap_quoted(message_.internal_date + (is_whole ? "" : " 12:00:00 +0000")));
    } else if (name == "RFC822.SIZE") {
      if (message_.has_size) put(name, size());
    } else if (name == "EMAILID") {
      put(name, message_.email_id.empty() ? "NIL" : "(" + message_.email_id + ")");
    } else if (name == "X-GUID") {
      put(name, message_.guid.empty() ? "\"\"" : message_.guid);
    } else if (name == "X-GM-MSGID") {
      put(name, std::to_string(message_.gm_msgid));
    } else {
      throw ImapSyntaxError("FETCH of " + name);
    }
  }

  std::string size() const {
    if (!message_.size_as.empty()) return message_.size_as;
    return std::to_string(message_.size.value_or(message_.text.size()));
  }

  void add_body(const ImapItem& item) {
    const bool is_part = item.part && store_.partial == ImapStore::Partial::right;
    std::string name = item.section->empty() ? store_.body_name : "BODY[" + *item.section + "]";
    if (is_part) name += "<" + std::to_string(item.part->origin) + ">";
    if (is_nil_) return put(name, "NIL");
    std::string text = section_of(message_.text, *item.section);
    std::size_t origin = 0;
    if (is_part) {
      origin = std::min(item.part->origin, text.size());
      text = text.substr(origin, item.part->size);
    }
    if (text.size() < std::min(store_.quoted_below, kMaxQuoted) && is_plain(text)) {
      return put(name, imap_quoted(text));
    }
    std::string value = (store_.literal8 ? "~" : "") + ImapStore::literal(text);
    breaks_ = message_.breaks_at && item.section->empty() && origin + text.size() > *message_.breaks_at;
    if (breaks_) {
      const std::size_t left = *message_.breaks_at - std::min(origin, *message_.breaks_at);
      value.resize(value.size() - text.size() + left);
    }
    put(std::move(name), std::move(value), breaks_);
  }

  const ImapStore& store_;
  const ImapMessage& message_;
  bool is_nil_;
  bool bodies_ = false;
  bool breaks_ = false;
  std::vector<Attribute> attributes_;
};

ImapMessage placeholder(std::uint32_t uid) {
  ImapMessage invented;
  invented.uid = uid;
  invented.text =
      "From: System Administrator <root@localhost>\r\nSubject: message unavailable\r\n\r\n"
      "This message is no longer available on the server.\r\n";
  return invented;
}

}  // namespace

void ImapConversation::fetch(ImapWords& words) {
  words.space();
  const ImapSet set = words.set();
  if (set.is_reversed()) throw ImapSyntaxError("a reversed range");
  words.space();
  const std::vector<ImapItem> items = parse_items(words);
  words.end();
  const auto asks = [&items](std::string_view name) {
    return std::any_of(items.begin(), items.end(),
                       [name](const ImapItem& item) { return item.name == name; });
  };
  const bool is_partial =
      std::any_of(items.begin(), items.end(), [](const ImapItem& item) { return item.part; });
  if ((asks("EMAILID") && !has("OBJECTID")) || (asks("X-GM-MSGID") && !has("X-GM-EXT-1")) ||
      (asks("X-GUID") && !store_->knows_guid) ||
      (is_partial && store_->partial == ImapStore::Partial::unknown)) {
    return done(store_->bad + " Unknown parameter.");
  }
  if (store_->updates == ImapStore::Updates::before) tell_new();
  std::vector<std::uint32_t> uids = known_in(set);
  if (store_->descending) std::reverse(uids.begin(), uids.end());
  bool was_gone = false;
  for (const std::uint32_t uid : uids) {
    if (number_of(uid) == 0) continue;
    was_gone |= box().find(uid) == nullptr;
    if (!fetch_one(uid, items)) return;
    if (store_->updates == ImapStore::Updates::inside) tell();
  }
  if (store_->gone != ImapStore::Gone::placeholder) tell();
  const bool says_so = was_gone && store_->gone == ImapStore::Gone::nil;
  done(says_so ? "OK [EXPUNGEISSUED] Some messages were already expunged." : "OK Fetch completed.");
}

/// What there is to say of a message that is gone.
std::optional<ImapMessage> ImapConversation::remains(std::uint32_t uid) const {
  if (store_->gone == ImapStore::Gone::placeholder) return placeholder(uid);
  const auto found = store_->gone_.find({mailbox_, uid});
  if (store_->gone == ImapStore::Gone::nothing || found == store_->gone_.end()) return std::nullopt;
  ImapMessage message = found->second;
  message.flags.insert("\\Deleted");
  return message;
}

/// False: the connection breaks.
bool ImapConversation::fetch_one(std::uint32_t uid, const std::vector<ImapItem>& items) {
  const ImapMessage* message = box().find(uid);
  const bool is_nil = message == nullptr && store_->gone == ImapStore::Gone::nil;
  std::optional<ImapMessage> gone;
  if (message == nullptr) {
    gone = remains(uid);
    if (!gone) return true;
    message = &*gone;
  }
  if (!message->fetchable) return true;
  Description description(*store_, *message, is_nil);
  for (const ImapItem& item : items) {
    if (!store_->always_flags || item.name != "FLAGS") description.add(item);
  }
  if (is_nil && !description.has_body()) return true;
  std::string attributes = description.text();
  if (store_->always_flags) attributes.insert(0, "FLAGS " + description.flags() + " ");
  answer_ += "* " + std::to_string(number_of(uid)) + " FETCH (" + attributes;
  if (description.breaks()) {
    peer_.send(std::exchange(answer_, {}));
    peer_.close();
    return false;
  }
  if (!store_->extra_attribute.empty()) answer_ += " " + store_->extra_attribute;
  answer_ += ")\r\n";
  return true;
}

}  // namespace postern::test
