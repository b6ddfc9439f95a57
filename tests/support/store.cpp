#include "support/store.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "postern/sasl/sasl.hpp"

namespace postern::test {
namespace {

std::string_view word(std::string_view& rest) {
  const std::string_view first = rest.substr(0, rest.find(' '));
  rest.remove_prefix(std::min(rest.size(), first.size() + 1));
  return first;
}

unsigned number(std::string_view text) {
  unsigned value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The lines of a message that TOP shows.
std::string top(std::string_view text, unsigned lines) {
  const std::size_t header = text.find("\r\n\r\n");
  if (header == std::string_view::npos) return std::string(text);
  std::size_t end = header + 4;
  for (; lines > 0 && end < text.size(); --lines) end = text.find("\r\n", end) + 2;
  return std::string(text.substr(0, end));
}

}  // namespace

struct Store::Session {
  explicit Session(Store& door) : home(&door) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (is_in) --home->sessions_;
  }

  Store* home;  ///< where its mailbox is; before the login, where it came in
  std::string user;
  bool is_in = false;
  std::vector<unsigned> shown;  ///< by number: which message it is
  std::set<unsigned> deleted;   ///< numbers
};

std::string Store::on_wire(std::string_view text) {
  std::string wire;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    if (line.starts_with('.')) wire += '.';
    wire.append(line).append("\r\n");
    text.remove_prefix(std::min(text.size(), line.size() + 2));
  }
  return wire + ".\r\n";
}

std::size_t Store::count(std::string_view line) const {
  const auto matches = [line](std::string_view command) { return command == line || word(command) == line; };
  return static_cast<std::size_t>(std::count_if(commands.begin(), commands.end(), matches));
}

void Store::serve(Peer& peer) {
  auto session = std::make_shared<Session>(*this);
  peer.then(greeting);
  peer.answer_lines(
      [session](Peer& self, std::string_view line) { session->home->on_line(session, self, line); });
}

void Store::on_line(const std::shared_ptr<Session>& session, Peer& peer, std::string_view line) {
  commands.emplace_back(line);
  const std::string_view keyword = line.substr(0, line.find(' '));
  auto other = instead.find(line);
  if (other == instead.end()) other = instead.find(keyword);
  if (other != instead.end()) {
    if (keyword == "PASS" || keyword == "AUTH") ++logins;
    peer.first(other->second);
    return;
  }
  const auto delay = late.find(keyword);
  if (delay == late.end()) {
    say(*session, peer, line);
    return;
  }
  const auto speak = [this, session, text = std::string(line)](Peer& self) {
    say(*session, self, text);
    return true;
  };
  peer.first({step::pause(delay->second), speak});
}

void Store::say(Session& session, Peer& peer, std::string_view line) {
  const std::string_view keyword = word(line);
  if (keyword == "STLS" && tls) {
    peer.send("+OK begin\r\n");
    peer.first({step::secure(tls)});
    return;
  }
  peer.send(answer(session, keyword, line));
  if (keyword == "QUIT") peer.close();
}

std::string Store::answer(Session& session, std::string_view keyword, std::string_view argument) {
  if (keyword == "CAPA" && capabilities) {
    std::string lines = "+OK\r\n";
    for (const std::string& capability : *capabilities) lines += capability + "\r\n";
    return lines + ".\r\n";
  }
  if (keyword == "QUIT") {
    if (session.is_in) remove(session);
    return "+OK bye\r\n";
  }
  if (session.is_in) return transact(session, keyword, argument);
  if (keyword == "USER") {
    session.user = argument;
    return "+OK\r\n";
  }
  if (keyword == "PASS") return log_in(session, session.user, false, argument);
  if (keyword == "AUTH" && word(argument) == "PLAIN") return log_in(session, {}, true, argument);
  return "-ERR unknown command\r\n";
}

/// `proof`: the password, or what AUTH PLAIN brought.
bool Store::is_right(std::string_view name, bool plain, std::string_view proof) const {
  if (plain) return proof == sasl::plain_initial_response(user, password).view();
  return name == user && proof == password;
}

std::string Store::log_in(Session& session, std::string_view name, bool plain, std::string_view proof) {
  ++logins;
  const auto fits = [&](const Store* store) { return store->is_right(name, plain, proof); };
  const auto found = std::find_if(neighbours.begin(), neighbours.end(), fits);
  if (!fits(this) && found == neighbours.end()) return refusal;
  Store& home = fits(this) ? *this : **found;
  if (home.exclusive && home.sessions_ != 0) return "-ERR [IN-USE] mailbox is locked\r\n";
  session.home = &home;
  session.is_in = true;
  ++home.sessions_;
  for (unsigned id = 1; id <= home.messages.size(); ++id) {
    if (!home.gone.contains(id)) session.shown.push_back(id);
  }
  return "+OK logged in\r\n";
}

void Store::remove(const Session& session) {
  std::set<unsigned> removed;
  for (const unsigned message : session.deleted) {
    const unsigned id = session.shown[message - 1];
    if (!gone.contains(id)) removed.insert(id);
  }
  if (removes) gone.insert(removed.begin(), removed.end());
  committed.push_back(std::move(removed));
}

std::string Store::transact(Session& session, std::string_view keyword, std::string_view argument) {
  const unsigned message = number(word(argument));
  if (keyword == "NOOP") return "+OK\r\n";
  if (keyword == "RSET") {
    session.deleted.clear();
    return "+OK\r\n";
  }
  if (keyword == "STAT" || ((keyword == "LIST" || keyword == "UIDL") && message == 0)) {
    return listing(session, keyword);
  }
  if (!has(session, message)) return "-ERR no such message\r\n";
  const unsigned id = session.shown[message - 1];
  const std::string& text = messages[id - 1];
  if (keyword == "RETR") return "+OK " + std::to_string(text.size()) + " octets\r\n" + on_wire(text);
  if (keyword == "TOP") return "+OK\r\n" + on_wire(top(text, number(argument)));
  if (keyword == "LIST" || keyword == "UIDL") return "+OK " + describe(keyword, message, id) + "\r\n";
  if (keyword != "DELE") return "-ERR unknown command\r\n";
  session.deleted.insert(message);
  return "+OK deleted\r\n";
}

std::string Store::listing(const Session& session, std::string_view keyword) const {
  std::string lines;
  std::size_t count = 0, octets = 0;
  for (unsigned message = 1; message <= session.shown.size(); ++message) {
    if (!has(session, message)) continue;
    const unsigned id = session.shown[message - 1];
    ++count;
    octets += messages[id - 1].size();
    lines += describe(keyword, message, id) + "\r\n";
  }
  if (keyword == "STAT") return "+OK " + std::to_string(count) + " " + std::to_string(octets) + "\r\n";
  return "+OK\r\n" + lines + ".\r\n";
}

std::string Store::describe(std::string_view keyword, unsigned message, unsigned id) const {
  const std::string about =
      keyword == "UIDL" ? uid_prefix + std::to_string(id) : std::to_string(messages[id - 1].size());
  return std::to_string(message) + " " + about;
}

bool Store::has(const Session& session, unsigned message) const {
  if (message < 1 || message > session.shown.size() || session.deleted.contains(message)) return false;
  return !gone.contains(session.shown[message - 1]);
}

}  // namespace postern::test
