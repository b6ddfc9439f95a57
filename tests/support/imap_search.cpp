// UID SEARCH of an ImapStore.
#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "support/imap_conversation.hpp"

namespace postern::test {
namespace {

using Key = std::function<bool(const ImapMessage&)>;

/// "1-Feb-2026" as a number that grows with the date.
std::uint32_t parse_date(const std::string& text) {
  constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                        "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  ImapWords words(text);
  const std::uint32_t day = words.number();
  words.expect('-');
  const std::string name = imap_upper(words.until('-'));
  const auto month = std::find(kMonths.begin(), kMonths.end(), name);
  const std::uint32_t year = words.number();
  if (month == kMonths.end() || day == 0 || day > 31) throw ImapSyntaxError("no date: " + text);
  return (year * 100 + static_cast<std::uint32_t>(month - kMonths.begin()) + 1) * 100 + day;
}

std::uint32_t date_of(const ImapMessage& message) {
  return parse_date(message.internal_date.substr(0, message.internal_date.find(' ')));
}

Key carries(std::string flag, bool wanted) {
  return [flag = std::move(flag), wanted](const ImapMessage& message) {
    return message.flags.contains(flag) == wanted;
  };
}

Key all_of(std::vector<Key> keys) {
  return [keys = std::move(keys)](const ImapMessage& message) {
    return std::all_of(keys.begin(), keys.end(), [&message](const Key& key) { return key(message); });
  };
}

class SearchParser {
 public:
  SearchParser(ImapWords& words, std::uint32_t greatest) : words_(words), greatest_(greatest) {}

  Key keys() {
    std::vector<Key> all = {key()};
    while (words_.take(' ')) all.push_back(key());
    return all_of(std::move(all));
  }

 private:
  Key key() {
    if (words_.take('(')) {
      Key inner = keys();
      words_.expect(')');
      return inner;
    }
    const std::string name = words_.keyword();
    if (name == "ALL") return [](const ImapMessage&) { return true; };
    if (name == "DELETED" || name == "UNDELETED") return carries("\\Deleted", name == "DELETED");
    if (name == "SEEN" || name == "UNSEEN") return carries("\\Seen", name == "SEEN");
    if (name != "KEYWORD" && name != "UNKEYWORD" && name != "UID" && name != "NOT" && name != "SINCE" &&
        name != "BEFORE") {
      throw ImapSyntaxError("SEARCH of " + name);
    }
    words_.space();
    if (name == "KEYWORD" || name == "UNKEYWORD") return carries(words_.atom(), name == "KEYWORD");
    if (name == "UID") return uid_key();
    if (name == "NOT") return std::not_fn(key());
    const std::uint32_t date = parse_date(words_.string());
    if (name == "SINCE") return [date](const ImapMessage& message) { return date_of(message) >= date; };
    return [date](const ImapMessage& message) { return date_of(message) < date; };
  }

  Key uid_key() {
    const ImapSet set = words_.set();
    if (set.is_reversed()) throw ImapSyntaxError("a reversed range");
    return [set, greatest = greatest_](const ImapMessage& message) {
      return set.contains(message.uid, greatest);
    };
  }

  ImapWords& words_;
  std::uint32_t greatest_;
};

}  // namespace

void ImapConversation::search(ImapWords& words) {
  words.space();
  const bool is_extended = words.rest().starts_with("RETURN ");
  if (is_extended) {
    words.atom();
    words.space();
    words.expect('(');
    if (words.until(')') != "ALL") throw ImapSyntaxError("SEARCH RETURN other than ALL");
    words.space();
  }
  const Key key = SearchParser(words, known_.empty() ? 0 : known_.back()).keys();
  words.end();
  if (is_extended && !has("ESEARCH")) return done(store_->bad + " Unknown argument RETURN.");
  std::vector<std::uint32_t> found;
  for (const std::uint32_t uid : known_) {
    const ImapMessage* message = box().find(uid);
    if (message != nullptr && key(*message)) found.push_back(uid);
  }
  if (is_extended) {
    say("ESEARCH (TAG " + imap_quoted(tag_) + ") UID" + (found.empty() ? "" : " ALL " + imap_ranges(found)));
  } else {
    std::string numbers;
    for (const std::uint32_t uid : found) numbers += " " + std::to_string(uid);
    say("SEARCH" + numbers);
  }
  tell();
  done("OK Search completed.");
}

}  // namespace postern::test
