// What an ImapStore does with mailboxes as a whole, and with the messages of the one that is selected.
#include <algorithm>
#include <set>
#include <utility>

#include "support/imap_conversation.hpp"

namespace postern::test {
namespace {

const std::set<std::string>& system_flags() {
  static const std::set<std::string> all = {"\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"};
  return all;
}

std::string joined(const std::set<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

}  // namespace

std::string ImapConversation::mailbox_name(ImapWords& words) const {
  const std::string name = words.string();
  return imap_upper(name) == "INBOX" ? "INBOX" : name;
}

void ImapConversation::describe_flags(const ImapMailbox& box) {
  std::set<std::string> all = system_flags();
  for (const ImapMessage& message : box.messages) all.insert(message.flags.begin(), message.flags.end());
  say("FLAGS (" + joined(all) + ")");
  if (box.keeps_keywords) all.insert("\\*");
  say("OK [PERMANENTFLAGS (" + joined(all) + ")] Flags permitted.");
}

void ImapConversation::select(ImapWords& words) {
  words.space();
  const std::string name = mailbox_name(words);
  words.end();
  if (state_ == State::selected && has("QRESYNC")) say("OK [CLOSED] Previous mailbox closed.");
  state_ = State::authenticated;
  const auto found = store_->mailboxes.find(name);
  if (found == store_->mailboxes.end()) return done(store_->select_refusal);
  const ImapMailbox& box = found->second;
  state_ = State::selected;
  mailbox_ = name;
  examined_ = name_ == "EXAMINE";
  known_.clear();
  for (const ImapMessage& message : box.messages) known_.push_back(message.uid);
  describe_flags(box);
  say(std::to_string(known_.size()) + " EXISTS");
  say("0 RECENT");
  if (store_->select_sends_uidvalidity) {
    say("OK [UIDVALIDITY " + std::to_string(box.uidvalidity) + "] UIDs valid");
  }
  if (store_->select_sends_uidnext) {
    say("OK [UIDNEXT " + std::to_string(box.uidnext) + "] Predicted next UID");
  }
  if (box.uid_not_sticky) say("NO [UIDNOTSTICKY] UIDs are not persistent");
  if (!box.mailbox_id.empty()) say("OK [MAILBOXID (" + box.mailbox_id + ")] Ok");
  done(is_writable(box) ? "OK [READ-WRITE] Select completed." : "OK [READ-ONLY] Select completed.");
}

void ImapConversation::unselect(ImapWords& words) {
  words.end();
  if (!has("UNSELECT")) return done(store_->bad + " Unknown command.");
  state_ = State::authenticated;
  done("OK Unselect completed.");
}

void ImapConversation::status(ImapWords& words) {
  words.space();
  const std::string name = mailbox_name(words);
  words.space();
  words.expect('(');
  const auto found = store_->mailboxes.find(name);
  std::string items;
  do {
    const std::string item = words.keyword();
    if (found == store_->mailboxes.end()) continue;
    const ImapMailbox& box = found->second;
    std::string value;
    if (item == "MESSAGES") value = std::to_string(box.messages.size());
    if (item == "UIDNEXT") value = std::to_string(box.uidnext);
    if (item == "UIDVALIDITY") value = std::to_string(box.uidvalidity);
    if (value.empty()) throw ImapSyntaxError("STATUS of " + item);
    items += (items.empty() ? "" : " ") + item + " " + value;
  } while (words.take(' '));
  words.expect(')');
  words.end();
  if (!store_->has_status) return done(store_->bad + " Unknown command.");
  if (found == store_->mailboxes.end()) return done(store_->select_refusal);
  say("STATUS " + imap_quoted(name) + " (" + items + ")");
  done("OK Status completed.");
}

void ImapConversation::list(ImapWords& words) {
  bool asks_use = false, only_use = false;
  words.space();
  if (words.take('(')) {
    only_use = words.until(')') == "SPECIAL-USE";
    words.space();
  }
  words.string();
  words.space();
  const std::string pattern = words.pattern();
  if (words.take(' ')) {
    if (words.keyword() != "RETURN") throw ImapSyntaxError("LIST ... RETURN");
    words.space();
    words.expect('(');
    asks_use = words.until(')') == "SPECIAL-USE";
  }
  words.end();
  if ((asks_use || only_use) && !has("SPECIAL-USE")) return done(store_->bad + " Unknown option.");
  for (const auto& [name, box] : store_->mailboxes) {
    if (pattern != "*" && pattern != "%" && pattern != name) continue;
    if (only_use && box.special_use.empty()) continue;
    const bool tells = asks_use || only_use || store_->list_shows_special_use;
    std::string attributes = "\\HasNoChildren";
    if (tells && !box.special_use.empty()) attributes += " " + box.special_use;
    say("LIST (" + attributes + ") \"/\" " + imap_quoted(name));
  }
  done("OK List completed.");
}

void ImapConversation::create(ImapWords& words) {
  words.space();
  const std::string name = mailbox_name(words);
  words.end();
  if (store_->mailboxes.contains(name)) return done("NO [ALREADYEXISTS] Mailbox already exists");
  store_->mailboxes[name].uidvalidity = static_cast<std::uint32_t>(100 + store_->mailboxes.size());
  done("OK Create completed.");
}

/// A set that says which messages something is done to, without leaving it to the server.
ImapSet ImapConversation::exact_set(ImapWords& words) const {
  words.space();
  ImapSet set = words.set();
  if (set.has_star()) throw ImapSyntaxError("\"*\" in a set");
  if (set.is_reversed()) throw ImapSyntaxError("a reversed range");
  return set;
}

/// The UIDs of a set that this session was told of.
std::vector<std::uint32_t> ImapConversation::known_in(const ImapSet& set) const {
  std::vector<std::uint32_t> all;
  const std::uint32_t greatest = known_.empty() ? 0 : known_.back();
  std::copy_if(known_.begin(), known_.end(), std::back_inserter(all),
               [&set, greatest](std::uint32_t uid) { return set.contains(uid, greatest); });
  return all;
}

/// 0: this session does not know it, or knows that it is gone.
std::size_t ImapConversation::number_of(std::uint32_t uid) const {
  const auto at = std::lower_bound(known_.begin(), known_.end(), uid);
  return at == known_.end() || *at != uid ? 0 : static_cast<std::size_t>(at - known_.begin()) + 1;
}

void ImapConversation::tell_new() {
  const std::size_t before = known_.size();
  const std::uint32_t greatest = known_.empty() ? 0 : known_.back();
  for (const ImapMessage& message : box().messages) {
    if (message.uid > greatest) known_.push_back(message.uid);
  }
  if (known_.size() == before) return;
  say(std::to_string(known_.size()) + " EXISTS");
  say("0 RECENT");
}

void ImapConversation::tell_gone() {
  std::vector<std::uint32_t> gone, left;
  for (const std::uint32_t uid : known_) (box().find(uid) == nullptr ? gone : left).push_back(uid);
  if (store_->sends_vanished && !gone.empty()) say("VANISHED " + imap_ranges(gone));
  std::size_t told = 0;
  for (const std::uint32_t uid : gone) {
    if (store_->sends_vanished) break;
    const std::string number = std::to_string(number_of(uid) - told);
    for (int times = store_->doubles_expunge ? 2 : 1; times > 0; --times) say(number + " EXPUNGE");
    ++told;
  }
  known_ = std::move(left);
}

void ImapConversation::store(ImapWords& words) {
  const ImapSet set = exact_set(words);
  words.space();
  const std::string action = words.keyword();
  words.space();
  const std::vector<std::string> flags = words.flags();
  words.end();
  if (action != "+FLAGS.SILENT" && action != "-FLAGS.SILENT") throw ImapSyntaxError("UID STORE " + action);
  if (!is_writable(box())) {
    return done(store_->read_only_says_ok ? "OK Store ignored with read-only mailbox."
                                          : "NO Mailbox is read-only");
  }
  for (const std::uint32_t uid : known_in(set)) {
    ImapMessage* message = box().find(uid);
    for (const std::string& flag : flags) {
      if (message == nullptr || (!flag.starts_with('\\') && !box().keeps_keywords)) continue;
      if (flag.starts_with('\\') && !system_flags().contains(flag)) throw ImapSyntaxError("STORE of " + flag);
      if (action.front() == '+') message->flags.insert(flag);
      if (action.front() == '-') message->flags.erase(flag);
    }
  }
  tell();
  done("OK Store completed.");
}

void ImapConversation::expunge_those(const std::function<bool(std::uint32_t)>& chosen) {
  if (!is_writable(box())) {
    return done(store_->read_only_says_ok ? "OK Expunge completed." : "NO Mailbox is read-only");
  }
  std::vector<std::uint32_t> doomed;
  for (const ImapMessage& message : box().messages) {
    if (message.flags.contains("\\Deleted") && chosen(message.uid)) doomed.push_back(message.uid);
  }
  store_->remove(doomed, mailbox_, text_);
  tell();
  done("OK Expunge completed.");
}

void ImapConversation::expunge(ImapWords& words) {
  words.end();
  if (has("UIDPLUS")) throw ImapSyntaxError("EXPUNGE where there is UID EXPUNGE");
  expunge_those([](std::uint32_t) { return true; });
}

void ImapConversation::uid_expunge(ImapWords& words) {
  const ImapSet set = exact_set(words);
  words.end();
  if (!has("UIDPLUS")) return done(store_->bad + " Unknown command.");
  expunge_those([&set](std::uint32_t uid) { return set.contains(uid, 0); });
}

void ImapConversation::copy(ImapWords& words) {
  transfer(words, false);
}

void ImapConversation::move(ImapWords& words) {
  transfer(words, true);
}

void ImapConversation::transfer(ImapWords& words, bool moves) {
  const ImapSet set = exact_set(words);
  words.space();
  const std::string target = mailbox_name(words);
  words.end();
  if (moves && !has("MOVE")) return done(store_->bad + " Unknown command.");
  if (moves && !is_writable(box())) return done("NO Mailbox is read-only");
  const auto found = store_->mailboxes.find(target);
  if (found == store_->mailboxes.end()) {
    return done(store_->trycreate ? "NO [TRYCREATE] Mailbox doesn't exist" : "NO Mailbox does not exist");
  }
  std::vector<std::uint32_t> from, to;
  for (const std::uint32_t uid : known_in(set)) {
    const ImapMessage* message = box().find(uid);
    if (message == nullptr) continue;
    ImapMessage copied = *message;
    from.push_back(uid);
    to.push_back(store_->add(std::move(copied), target));
  }
  std::string code;
  if (has("UIDPLUS") && !from.empty()) {
    const std::string uidvalidity = std::to_string(found->second.uidvalidity);
    code = "[COPYUID " + uidvalidity + " " + imap_ranges(from) + " " + imap_ranges(to) + "] ";
  }
  if (!moves) {
    tell();
    return done("OK " + code + "Copy completed.");
  }
  if (!code.empty()) say("OK " + code + "Moved UIDs.");
  store_->remove(from, mailbox_, text_);
  tell();
  done("OK Move completed.");
}

}  // namespace postern::test
