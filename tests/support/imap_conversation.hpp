#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/imap_store.hpp"
#include "support/imap_words.hpp"

namespace postern::test {

/// One connection to an ImapStore.
class ImapConversation : public std::enable_shared_from_this<ImapConversation> {
 public:
  ImapConversation(ImapStore& store, Peer& peer) : store_(&store), peer_(peer) {}

  void greet();
  /// The next line, or what follows a literal.
  void on_line(std::string_view line);

 private:
  enum class State : std::uint8_t { fresh, authenticated, selected };
  using Handler = void (ImapConversation::*)(ImapWords&);
  struct Command;
  static const Command* find_command(std::string_view name);

  // Lines and literals.
  bool ended_with_crlf() const;
  bool take_literal(std::string& line);
  void on_command();
  void on_sasl_response(std::string_view line);
  void perform(const std::string& text, std::function<void()> run);
  void execute();
  void finish();
  void fail(const std::string& why);

  // What is said.
  void say(const std::string& untagged) { answer_ += "* " + untagged + "\r\n"; }
  void done(const std::string& condition) { answer_ += tag_ + " " + condition + "\r\n"; }
  std::string announce(const std::vector<std::string>& capabilities);
  bool has(std::string_view capability) const;

  // In any state.
  void capability(ImapWords& words);
  void noop(ImapWords& words);
  void log_out(ImapWords& words);
  void id(ImapWords& words);

  // Before the login.
  void start_tls(ImapWords& words);
  void log_in(ImapWords& words);
  void authenticate(ImapWords& words);
  void admit(const std::function<bool(const ImapStore&)>& fits);

  // Behind it.
  void select(ImapWords& words);
  void status(ImapWords& words);
  void list(ImapWords& words);
  void create(ImapWords& words);
  std::string mailbox_name(ImapWords& words) const;
  void describe_flags(const ImapMailbox& box);

  // In a mailbox.
  void unselect(ImapWords& words);
  void fetch(ImapWords& words);
  void search(ImapWords& words);
  void store(ImapWords& words);
  void expunge(ImapWords& words);
  void uid_expunge(ImapWords& words);
  void copy(ImapWords& words);
  void move(ImapWords& words);
  void transfer(ImapWords& words, bool moves);
  void expunge_those(const std::function<bool(std::uint32_t)>& chosen);
  bool is_writable(const ImapMailbox& box) const { return !box.read_only && !examined_; }
  ImapMailbox& box() { return store_->mailboxes.at(mailbox_); }
  ImapSet exact_set(ImapWords& words) const;
  std::vector<std::uint32_t> known_in(const ImapSet& set) const;
  std::size_t number_of(std::uint32_t uid) const;
  bool fetch_one(std::uint32_t uid, const std::vector<struct ImapItem>& items);
  std::optional<ImapMessage> remains(std::uint32_t uid) const;
  /// Tells what happened to the mailbox, and forgets or learns the messages.
  void tell_new();
  void tell_gone();
  void tell() {
    tell_gone();
    tell_new();
  }

  ImapStore* store_;
  Peer& peer_;
  State state_ = State::fresh;
  bool secured_ = false;
  bool awaits_response_ = false;        ///< to the "+" of AUTHENTICATE
  std::vector<std::string> announced_;  ///< capabilities that this connection was told
  std::set<std::string> tags_;
  std::string mailbox_;
  bool examined_ = false;
  std::vector<std::uint32_t> known_;  ///< the messages that the client was told of, by number

  std::string line_;  ///< of the command that comes, literals as quoted strings
  std::size_t line_octets_ = 0;
  std::string tag_;
  std::string text_;
  std::string name_;
  std::string answer_;
  std::string held_;  ///< the answer to a UID FETCH that is to come behind the next
};

}  // namespace postern::test
