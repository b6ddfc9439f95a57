#include "support/imap_conversation.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "postern/sasl/sasl.hpp"

namespace postern::test {
namespace {

/// No string of a gateway is longer.
constexpr std::size_t kMaxLiteral = 64 * 1024;
/// RFC 7888 §5.
constexpr std::size_t kMaxSmallLiteral = 4096;

/// What a gateway has no business to send, and why.
const std::map<std::string_view, const char*>& forbidden() {
  static const std::map<std::string_view, const char*> all = {
      {"CLOSE", "it expunges what the user did not delete"},
      {"ENABLE", "it changes what the server says"},
      {"FETCH", "sequence numbers"},
      {"STORE", "sequence numbers"},
      {"COPY", "sequence numbers"},
      {"MOVE", "sequence numbers"},
      {"SEARCH", "sequence numbers"},
      {"IDLE", "nobody waits for news"},
  };
  return all;
}

bool is_tag(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char octet) {
    return (octet >= '0' && octet <= '9') || (octet >= 'A' && octet <= 'Z') ||
           (octet >= 'a' && octet <= 'z') || octet == '-' || octet == '.';
  });
}

bool is_printable(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char octet) { return octet >= ' ' && octet <= '~'; });
}

bool is_plain_of(const ImapStore& store, std::string_view response) {
  return response == sasl::plain_initial_response(store.user, store.password).view();
}

}  // namespace

struct ImapConversation::Command {
  enum class Place : std::uint8_t { anywhere, before_login, after_login, in_mailbox };
  Place place;
  Handler run;

  bool fits(State state) const {
    switch (place) {
      case Place::anywhere:
        return true;
      case Place::before_login:
        return state == State::fresh;
      case Place::after_login:
        return state != State::fresh;
      case Place::in_mailbox:
        return state == State::selected;
    }
    return false;
  }
};

const ImapConversation::Command* ImapConversation::find_command(std::string_view name) {
  using Place = Command::Place;
  using Self = ImapConversation;
  static const std::map<std::string_view, Command> all = {
      {"CAPABILITY", {Place::anywhere, &Self::capability}},
      {"NOOP", {Place::anywhere, &Self::noop}},
      {"LOGOUT", {Place::anywhere, &Self::log_out}},
      {"ID", {Place::anywhere, &Self::id}},
      {"STARTTLS", {Place::before_login, &Self::start_tls}},
      {"LOGIN", {Place::before_login, &Self::log_in}},
      {"AUTHENTICATE", {Place::before_login, &Self::authenticate}},
      {"SELECT", {Place::after_login, &Self::select}},
      {"EXAMINE", {Place::after_login, &Self::select}},
      {"STATUS", {Place::after_login, &Self::status}},
      {"LIST", {Place::after_login, &Self::list}},
      {"CREATE", {Place::after_login, &Self::create}},
      {"UNSELECT", {Place::in_mailbox, &Self::unselect}},
      {"EXPUNGE", {Place::in_mailbox, &Self::expunge}},
      {"UID FETCH", {Place::in_mailbox, &Self::fetch}},
      {"UID SEARCH", {Place::in_mailbox, &Self::search}},
      {"UID STORE", {Place::in_mailbox, &Self::store}},
      {"UID EXPUNGE", {Place::in_mailbox, &Self::uid_expunge}},
      {"UID COPY", {Place::in_mailbox, &Self::copy}},
      {"UID MOVE", {Place::in_mailbox, &Self::move}},
  };
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

void ImapConversation::greet() {
  if (!store_->greeting.empty()) {
    peer_.then(store_->greeting);
    return;
  }
  std::string code;
  if (store_->capabilities_in_greeting) code = "[CAPABILITY " + announce(store_->capabilities) + "] ";
  peer_.then({step::send("* OK " + code + store_->greeting_text + "\r\n")});
}

void ImapConversation::fail(const std::string& why) {
  peer_.fail("IMAP: " + why + ": " + text_);
}

bool ImapConversation::ended_with_crlf() const {
  const std::string& all = peer_.received();
  const std::size_t taken = all.size() - peer_.input().size();
  return taken >= 2 && all.compare(taken - 2, 2, "\r\n") == 0;
}

void ImapConversation::on_line(std::string_view line) {
  if (!ended_with_crlf()) return fail("a line that does not end with CRLF");
  if (awaits_response_) return on_sasl_response(line);
  if (!is_printable(line)) return fail("octets outside 0x20-0x7E in a line");
  line_octets_ += line.size();
  if (line_octets_ > store_->max_line) return fail("a line of " + std::to_string(line_octets_) + " octets");
  std::string rest(line);
  const bool goes_on = take_literal(rest);
  line_ += rest;
  if (!goes_on) on_command();
}

/// Whether the line ends with a literal. It is taken off, and its octets will follow `line_`.
bool ImapConversation::take_literal(std::string& line) {
  const std::size_t open = line.rfind('{');
  if (open == std::string::npos || !line.ends_with('}') || (open != 0 && line[open - 1] != ' ')) return false;
  std::size_t size = 0;
  const char* end = line.data() + line.size() - 1;
  const auto [behind, error] = std::from_chars(line.data() + open + 1, end, size);
  const bool at_once = behind + 1 == end && *behind == '+';
  if (error != std::errc() || (behind != end && !at_once)) return false;
  line.erase(open);
  if (size > kMaxLiteral) fail("a literal of " + std::to_string(size) + " octets");
  const bool is_small = size <= kMaxSmallLiteral;
  const auto told = [this](const char* name) {
    return std::find(announced_.begin(), announced_.end(), name) != announced_.end();
  };
  if (at_once && !told("LITERAL+") && !(told("LITERAL-") && is_small)) {
    fail("{n+} without LITERAL+: what follows would be executed");
  }
  if (!at_once && !peer_.input().empty()) fail("a literal that did not wait for \"+\"");
  if (!at_once) peer_.send("+ go ahead\r\n");
  peer_.first({[self = shared_from_this(), size](Peer& peer) {
    if (peer.input().size() < size) return false;
    const std::string octets = peer.input().substr(0, size);
    peer.input().erase(0, size);
    if (octets.find('\0') != std::string::npos) self->fail("NUL in a literal");
    self->line_ += imap_quoted(octets);
    return true;
  }});
  return true;
}

void ImapConversation::on_command() {
  const std::string line = std::exchange(line_, {});
  line_octets_ = 0;
  const std::size_t space = line.find(' ');
  tag_ = line.substr(0, space);
  text_ = space == std::string::npos ? "" : line.substr(space + 1);
  name_ = imap_upper(ImapStore::name_of(text_));
  store_->commands.push_back(text_);
  peer_.set_tag(tag_);
  if (!is_tag(tag_) || text_.empty() || name_.empty() || name_.ends_with(' '))
    return fail("no command: " + line);
  if (!tags_.insert(tag_).second) return fail("a tag again: " + tag_);
  if (const auto found = forbidden().find(name_); found != forbidden().end()) return fail(found->second);
  if (name_ == "EXAMINE" && !store_->allows_examine) return fail("Courier changes UIDVALIDITY");
  const std::string& waiting = peer_.input();
  const auto lines = static_cast<std::size_t>(std::count(waiting.begin(), waiting.end(), '\n'));
  if (1 + lines > store_->max_queued) return fail(std::to_string(1 + lines) + " commands in the queue");
  const bool is_login = name_ == "LOGIN" || name_ == "AUTHENTICATE";
  if (is_login && lines != 0) return fail("something follows a login");
  if (is_login && (name_ == "LOGIN" || std::count(text_.begin(), text_.end(), ' ') == 2)) ++store_->logins;
  perform(text_, [this] { execute(); });
}

void ImapConversation::on_sasl_response(std::string_view line) {
  awaits_response_ = false;
  if (!peer_.input().empty()) return fail("something follows a login");
  if (line != "*") ++store_->logins;
  name_ = "SASL";
  perform("SASL", [this, response = std::string(line)] {
    if (response == "*") {
      done("BAD cancelled");
    } else {
      admit([&response](const ImapStore& store) { return is_plain_of(store, response); });
    }
    finish();
  });
}

/// Does a command, or what the test wants instead.
void ImapConversation::perform(const std::string& text, std::function<void()> run) {
  const auto wanted = [this, &text](const auto& map) {
    const auto found = map.find(text);
    return found != map.end() ? found : map.find(name_);
  };
  Script script;
  const auto append = [&script](const Script& more) {
    script.insert(script.end(), more.begin(), more.end());
  };
  if (const auto late = wanted(store_->late); late != store_->late.end()) {
    script.push_back(step::pause(late->second));
  }
  if (const auto ahead = wanted(store_->ahead); ahead != store_->ahead.end()) append(ahead->second);
  if (const auto other = wanted(store_->instead); other != store_->instead.end()) {
    append(other->second);
    peer_.first(std::move(script));
    return;
  }
  const auto answer = wanted(store_->instead_answer);
  const bool has_answer = answer != store_->instead_answer.end();
  script.push_back([self = shared_from_this(), run = std::move(run), has_answer](Peer&) {
    run();
    if (has_answer) self->answer_.clear();
    return true;
  });
  if (has_answer) append(answer->second);
  script.push_back([self = shared_from_this()](Peer& peer) {
    peer.send(std::exchange(self->answer_, {}));
    return true;
  });
  peer_.first(std::move(script));
}

void ImapConversation::execute() {
  const Command* command = find_command(name_);
  if (command == nullptr) {
    done(store_->bad + " Unknown command.");
  } else if (!command->fits(state_)) {
    done(store_->bad + " Not now.");
  } else {
    ImapWords words(std::string_view(text_).substr(name_.size()));
    try {
      (this->*command->run)(words);
    } catch (const ImapSyntaxError& error) {
      fail(error.what());
    }
  }
  finish();
}

void ImapConversation::finish() {
  const bool another_waits = peer_.input().find('\n') != std::string::npos;
  if (store_->swaps_fetches && name_ == "UID FETCH" && held_.empty() && another_waits) {
    held_ = std::exchange(answer_, {});
    return;
  }
  answer_ += std::exchange(held_, {});
}

std::string ImapConversation::announce(const std::vector<std::string>& capabilities) {
  announced_ = capabilities;
  std::string words;
  for (const std::string& capability : capabilities) words += (words.empty() ? "" : " ") + capability;
  return words;
}

bool ImapConversation::has(std::string_view capability) const {
  const auto& all = state_ == State::fresh ? store_->capabilities : store_->capabilities_after;
  return std::find(all.begin(), all.end(), capability) != all.end();
}

void ImapConversation::capability(ImapWords& words) {
  words.end();
  say("CAPABILITY " + announce(state_ == State::fresh ? store_->capabilities : store_->capabilities_after));
  done("OK Capability completed.");
}

void ImapConversation::noop(ImapWords& words) {
  words.end();
  if (state_ == State::selected) tell();
  done("OK NOOP completed.");
}

void ImapConversation::log_out(ImapWords& words) {
  words.end();
  say("BYE Logging out");
  done("OK Logout completed.");
  peer_.close();
}

void ImapConversation::id(ImapWords& words) {
  words.space();
  if (!has("ID")) return done(store_->bad + " Unknown command.");
  if (words.rest() != "NIL") {
    words.expect('(');
    for (bool first = true; !words.take(')'); first = false) {
      if (!first) words.space();
      if (!words.next_is('"') && words.rest().substr(0, 3) != "NIL") words.expect('"');
      words.string();
    }
    words.end();
  }
  say("ID (\"name\" \"model\")");
  done("OK ID completed.");
}

void ImapConversation::start_tls(ImapWords& words) {
  words.end();
  if (!store_->tls || secured_) return done(store_->bad + " TLS is not available.");
  secured_ = true;
  announced_.clear();
  done("OK Begin TLS negotiation now.");
  peer_.send(std::exchange(answer_, {}));
  peer_.first({step::secure(store_->tls)});
}

void ImapConversation::log_in(ImapWords& words) {
  words.space();
  const std::string user = words.string();
  words.space();
  const std::string password = words.string();
  words.end();
  if (has("LOGINDISABLED")) throw ImapSyntaxError("LOGIN in spite of LOGINDISABLED");
  admit([&](const ImapStore& store) { return user == store.user && password == store.password; });
}

void ImapConversation::authenticate(ImapWords& words) {
  words.space();
  const std::string mechanism = words.keyword();
  if (mechanism != "PLAIN" || !has("AUTH=PLAIN")) return done("NO Unsupported authentication mechanism.");
  if (words.take(' ')) {
    if (!has("SASL-IR") && !store_->takes_initial_response) throw ImapSyntaxError("no SASL-IR here");
    admit([&words](const ImapStore& store) { return is_plain_of(store, words.rest()); });
    return;
  }
  words.end();
  awaits_response_ = true;
  answer_ += "+ \r\n";
}

/// From now on it is a conversation with the store of that user.
void ImapConversation::admit(const std::function<bool(const ImapStore&)>& fits) {
  if (!peer_.input().empty()) return fail("something follows a login");
  const auto& others = store_->neighbours;
  const auto other =
      std::find_if(others.begin(), others.end(), [&fits](const ImapStore* store) { return fits(*store); });
  if (!fits(*store_) && other == others.end()) return done(store_->login_refusal);
  if (!fits(*store_)) store_ = *other;
  state_ = State::authenticated;
  if (store_->capabilities_before_login_ok) say("CAPABILITY " + announce(store_->capabilities_after));
  std::string code;
  if (store_->capabilities_in_login_ok) code = "[CAPABILITY " + announce(store_->capabilities_after) + "] ";
  done("OK " + code + "Logged in");
}

}  // namespace postern::test
