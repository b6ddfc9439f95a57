#include "support/imap_store.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "postern/base/assert.hpp"
#include "support/imap_conversation.hpp"

namespace postern::test {

const ImapMessage* ImapMailbox::find(std::uint32_t uid) const noexcept {
  const auto found =
      std::lower_bound(messages.begin(), messages.end(), uid,
                       [](const ImapMessage& message, std::uint32_t wanted) { return message.uid < wanted; });
  return found == messages.end() || found->uid != uid ? nullptr : &*found;
}

ImapMessage* ImapMailbox::find(std::uint32_t uid) noexcept {
  return const_cast<ImapMessage*>(std::as_const(*this).find(uid));
}

ImapStore::ImapStore() = default;

ImapStore::ImapStore(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) deliver(text);
}

void ImapStore::serve(Peer& peer) {
  ++connections;
  const auto conversation = std::make_shared<ImapConversation>(*this, peer);
  conversation->greet();
  peer.answer_lines([conversation](Peer&, std::string_view line) { conversation->on_line(line); });
}

std::uint32_t ImapStore::add(Message message, const std::string& mailbox) {
  Mailbox& box = mailboxes[mailbox];
  message.uid = box.uidnext++;
  box.messages.push_back(std::move(message));
  return box.messages.back().uid;
}

std::uint32_t ImapStore::deliver(std::string text, const std::string& mailbox) {
  Message message;
  message.text = std::move(text);
  return add(std::move(message), mailbox);
}

void ImapStore::expunge(std::uint32_t uid, const std::string& mailbox) {
  message(uid, mailbox);
  remove({uid}, mailbox, "");
}

void ImapStore::remove(const std::vector<std::uint32_t>& uids, const std::string& mailbox,
                       const std::string& command) {
  std::erase_if(mailboxes.at(mailbox).messages, [&](Message& message) {
    if (!std::binary_search(uids.begin(), uids.end(), message.uid)) return false;
    removals.push_back(Removal{mailbox, message.uid, command, message.text});
    gone_[{mailbox, message.uid}] = std::move(message);
    return true;
  });
}

void ImapStore::once(const std::string& command, Script script) {
  script.insert(script.begin(), [this, command](Peer&) {
    instead.erase(command);
    return true;
  });
  instead[command] = std::move(script);
}

std::size_t ImapStore::count(std::string_view command) const {
  const auto matches = [command](const std::string& line) {
    return line == command || name_of(line) == command;
  };
  return static_cast<std::size_t>(std::count_if(commands.begin(), commands.end(), matches));
}

std::vector<std::uint32_t> ImapStore::removed(std::string_view mailbox) const {
  std::vector<std::uint32_t> all;
  for (const Removal& removal : removals) {
    if (removal.mailbox == mailbox && !removal.command.empty()) all.push_back(removal.uid);
  }
  return all;
}

std::vector<std::uint32_t> ImapStore::uids(std::string_view mailbox) const {
  std::vector<std::uint32_t> all;
  const auto box = mailboxes.find(mailbox);
  if (box == mailboxes.end()) return all;
  for (const Message& message : box->second.messages) all.push_back(message.uid);
  return all;
}

std::vector<std::uint32_t> ImapStore::flagged(const std::string& flag, std::string_view mailbox) const {
  std::vector<std::uint32_t> all;
  const auto box = mailboxes.find(mailbox);
  if (box == mailboxes.end()) return all;
  for (const Message& message : box->second.messages) {
    if (message.flags.contains(flag)) all.push_back(message.uid);
  }
  return all;
}

ImapMessage& ImapStore::message(std::uint32_t uid, std::string_view mailbox) {
  const auto box = mailboxes.find(mailbox);
  POSTERN_ASSERT(box != mailboxes.end());
  ImapMessage* found = box->second.find(uid);
  POSTERN_ASSERT(found != nullptr);
  return *found;
}

std::string ImapStore::literal(std::string_view text) {
  return "{" + std::to_string(text.size()) + "}\r\n" + std::string(text);
}

std::string_view ImapStore::name_of(std::string_view command) {
  const std::size_t from = command.starts_with("UID ") ? 4 : 0;
  return command.substr(0, command.find(' ', from));
}

}  // namespace postern::test
