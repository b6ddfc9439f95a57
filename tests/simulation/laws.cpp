#include "simulation/laws.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace postern::sim {
namespace {

using Verb = Order::Verb;
using enum FailureKind;

/// What a stream gathers before it writes, and what a link may hold: an answer that lacks more than this was
/// not taken.
constexpr std::size_t kMayBeGathered = 64 * 1024 + 1024;
/// Breaches of one run that are worth telling.
constexpr std::size_t kMostBreaches = 20;

std::string at_login(FailureKind kind) {
  return "-ERR " + std::string(failure_row(kind).at_login);
}
std::string in_transaction(FailureKind kind) {
  return "-ERR " + std::string(failure_row(kind).in_transaction);
}

/// The codes that the table has to have, from the promises and not from the table: an outage never asks for a
/// password.
struct Code {
  FailureKind kind;
  std::string_view at_login;
  std::string_view in_transaction;
};
constexpr Code kCodes[] = {
    {backend_lost, "[SYS/TEMP]", "[SYS/TEMP]"},
    {draining, "[SYS/TEMP]", "[SYS/TEMP]"},
    {auth_refused, "[AUTH]", ""},
    {in_use, "[IN-USE]", ""},
    {message_unavailable, "", "[SYS/TEMP]"},
    {message_unreadable, "", "[SYS/PERM]"},
    {no_message, "", "no such message"},
    {message_gone, "", "no such message"},
    {update_failed, "", "some deleted messages not removed"},
    {client_protocol, "invalid", "invalid"},
};

std::uint64_t number(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc() ? value : UINT64_MAX;
}

/// Numbers that this session has marked as deleted before an answer, as far as it was told.
std::set<unsigned> marked(const Visit& visit, const Answer& before) {
  std::set<unsigned> all;
  for (const Answer& answer : visit.exchange.answers) {
    if (&answer == &before) break;
    if (!answer.is_complete || !answer.is_ok()) continue;
    if (answer.order.verb == Verb::dele) all.insert(answer.order.number);
    if (answer.order.verb == Verb::rset) all.clear();
  }
  return all;
}

bool is_calm(const Visit& visit) {
  return visit.is_calm && visit.account->is_calm && !visit.kicked;
}

/// Of a POP3 server: it is not listed any more. Of an IMAP server: it cannot be read any more.
bool is_gone(const Account& account, std::size_t letter, TimePoint when) {
  return account.letters[letter].removed && *account.letters[letter].removed <= when;
}

bool changed(const Account& account, TimePoint from, TimePoint to) {
  return std::any_of(account.letters.begin(), account.letters.end(), [&](const Letter& letter) {
    return letter.removed && *letter.removed >= from && *letter.removed <= to;
  });
}

}  // namespace

Laws::Laws(const Trace& trace) : trace_(trace) {
  for (const Code& code : kCodes) {
    const FailureRow& row = failure_row(code.kind);
    if (row.at_login.starts_with(code.at_login) && row.in_transaction.starts_with(code.in_transaction))
      continue;
    broken("L5", "the failure table", std::string(label(code.kind)) + " has another code");
  }
}

void Laws::broken(const std::string& law, const std::string& who, const std::string& how) {
  trace_.line("BROKEN", law + ": " + who + ": " + how);
  if (breaches_.size() < kMostBreaches) breaches_.push_back(law + ": " + who + ": " + how);
}

void Laws::answered(Visit& visit, const Answer& answer) {
  if (visit.saw_closing_failure) {
    broken("L5", visit.name, "an answer behind one that ends the session: " + answer.status);
  }
  if (answer.status.starts_with("-ERR")) return refused(visit, answer);
  if (!answer.is_ok()) return broken("L5", visit.name, "no answer at all: " + shown(answer.status));
  const bool needs_login = answer.order.verb >= Verb::stat && answer.order.verb <= Verb::rset;
  if (needs_login && !visit.is_logged_in) {
    return broken("L5", visit.name, "+OK without a login to " + answer.order.line);
  }
  switch (answer.order.verb) {
    case Verb::login:
      return logged_in(visit, answer);
    case Verb::stat:
      return stat(visit, answer);
    case Verb::list:
    case Verb::uidl:
      return listed(visit, answer);
    case Verb::retr:
    case Verb::top:
      return body(visit, answer);
    case Verb::bad:
    case Verb::too_long:
      return broken("L5", visit.name, "+OK to " + shown(answer.order.line));
    case Verb::dele:
      if (marked(visit, answer).contains(answer.order.number)) {
        broken("L5", visit.name, "marked a second time: " + answer.order.line);
      }
      return;
    default:
      return;
  }
}

// L5

void Laws::refused(Visit& visit, const Answer& answer) {
  if (!may_say(visit, answer).contains(answer.status)) {
    broken("L5", visit.name, "to \"" + shown(answer.order.line) + "\": " + answer.status);
  }
  const bool closes = (visit.is_logged_in && (answer.status == in_transaction(backend_lost) ||
                                              answer.status == in_transaction(update_failed))) ||
                      answer.order.verb == Verb::greeting;
  if (closes) visit.saw_closing_failure = true;
}

std::set<std::string> Laws::may_say(const Visit& visit, const Answer& answer) const {
  std::set<std::string> texts;
  const Order& order = answer.order;
  const bool obeyed_here = order.verb == Verb::login || order.verb == Verb::user ||
                           order.verb == Verb::stls || order.verb == Verb::greeting;
  if (visit.may_be_refused && !visit.is_logged_in) texts.insert(at_login(draining));
  if (order.verb == Verb::too_long) texts.insert("-ERR line too long");
  if (order.verb == Verb::bad) texts.insert(in_transaction(client_protocol));
  if (visit.is_logged_in && !obeyed_here) {
    may_say_in_transaction(visit, answer, texts);
    return texts;
  }
  if (order.verb != Verb::quit && order.verb != Verb::greeting && order.verb != Verb::capa &&
      (!obeyed_here || visit.is_logged_in)) {
    texts.insert(at_login(client_protocol));
  }
  if (order.verb != Verb::login) return texts;
  if (!order.is_right) texts.insert(at_login(auth_refused));
  if (!visit.account->is_calm) texts.insert(at_login(backend_lost));
  if (visit.account->is_exclusive) texts.insert(at_login(in_use));
  // PASS without a USER that was heard.
  texts.insert(at_login(client_protocol));
  return texts;
}

void Laws::may_say_in_transaction(const Visit& visit, const Answer& answer,
                                  std::set<std::string>& texts) const {
  const Order& order = answer.order;
  const Account& account = *visit.account;
  const bool has_marks = !marked(visit, answer).empty();
  if (!account.is_calm && (order.verb != Verb::quit || has_marks)) texts.insert(in_transaction(backend_lost));
  if (order.verb == Verb::quit) {
    if (has_marks && (!account.is_calm || !account.has_uidplus)) texts.insert(in_transaction(update_failed));
    return;
  }
  // What a POP3 server says to any command; postern tells its code.
  const bool reads = order.verb == Verb::retr || order.verb == Verb::top;
  if (!account.is_calm && (reads || account.is_pop3())) texts.insert(in_transaction(message_unavailable));
  if (order.number == 0) return;
  const auto known = visit.letters.find(order.number);
  const bool is_marked = marked(visit, answer).contains(order.number);
  const bool is_there = known != visit.letters.end() && !is_marked;
  const bool may_be_gone = known != visit.letters.end() ? is_gone(account, known->second, answer.came)
                                                        : changed(account, visit.login_asked, answer.came);
  if (!is_there && (visit.knows_all || known != visit.letters.end() || !is_calm(visit))) {
    texts.insert(in_transaction(no_message));
  }
  if (!is_there && !visit.knows_all) texts.insert(in_transaction(no_message));
  if (may_be_gone) {
    texts.insert(in_transaction(account.is_pop3() ? no_message : message_gone));
  }
  if (reads && !account.is_calm && !account.is_pop3()) texts.insert(in_transaction(message_unreadable));
}

// L6

void Laws::logged_in(Visit& visit, const Answer& answer) {
  if (!answer.order.is_right) return broken("L5", visit.name, "+OK to a wrong password");
  if (std::exchange(visit.is_logged_in, true)) return broken("L5", visit.name, "logged in twice");
  visit.login_asked = answer.asked;
  visit.login_came = answer.came;
  const auto there = visit.account->throughout(answer.asked, answer.came);
  if (!there) return;
  visit.knows_all = true;
  for (unsigned i = 0; i < there->size(); ++i) visit.letters[i + 1] = (*there)[i];
}

void Laws::stat(Visit& visit, const Answer& answer) {
  const Account& account = *visit.account;
  if (!visit.knows_all || (account.is_pop3() && changed(account, visit.login_came, answer.came))) return;
  std::string_view text = std::string_view(answer.status).substr(3);
  const std::uint64_t count = number(text);
  const std::uint64_t octets = number(text);
  const std::set<unsigned> deleted = marked(visit, answer);
  std::uint64_t expected = 0;
  for (const auto& [message, letter] : visit.letters) {
    if (!deleted.contains(message)) expected += account.size(letter);
  }
  if (count != visit.letters.size() - deleted.size()) {
    broken("L6", visit.name, answer.status + " of " + std::to_string(visit.letters.size()) + " messages");
  } else if (account.has_honest_sizes && octets != expected) {
    broken("L6", visit.name, answer.status + " of " + std::to_string(expected) + " octets");
  }
}

void Laws::listed(Visit& visit, const Answer& answer) {
  if (answer.order.number != 0) {
    return listed_one(visit, answer, std::string_view(answer.status).substr(4));
  }
  std::string_view rest = answer.body;
  std::map<unsigned, std::size_t> found;
  std::set<unsigned> numbers;
  while (rest.size() > 3) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    std::string_view text = line;
    const auto message = static_cast<unsigned>(number(text));
    if (!numbers.empty() && *numbers.rbegin() >= message)
      broken("L6", visit.name, "not in order: " + std::string(line));
    numbers.insert(message);
    if (answer.order.verb == Verb::uidl && text.size() > 1) {
      const auto known = visit.account->ids.find(text.substr(1));
      if (known != visit.account->ids.end()) found[message] = known->second.letter;
    }
    listed_one(visit, answer, line);
  }
  const std::set<unsigned> deleted = marked(visit, answer);
  const bool moves = visit.account->is_pop3() && changed(*visit.account, visit.login_came, answer.came);
  if (visit.knows_all && !moves && numbers.size() != visit.letters.size() - deleted.size()) {
    broken("L6", visit.name,
           answer.order.line + ": " + std::to_string(numbers.size()) + " of " +
               std::to_string(visit.letters.size() - deleted.size()) + " messages");
  }
  if (!visit.knows_all && answer.order.verb == Verb::uidl && deleted.empty())
    learn(visit, found, answer.came);
}

/// "3 120", "3 uid".
void Laws::listed_one(Visit& visit, const Answer& answer, std::string_view line) {
  std::string_view text = line;
  const auto message = static_cast<unsigned>(number(text));
  const Account& account = *visit.account;
  const auto known = visit.letters.find(message);
  const auto wrong = [&](const std::string& why) {
    broken("L6", visit.name, answer.order.line + ": " + std::string(line) + ": " + why);
  };
  if (text.size() < 2) return wrong("no list");
  if (answer.order.number != 0 && message != answer.order.number) return wrong("another number");
  if (known == visit.letters.end() && visit.knows_all) return wrong("no such message");
  if (marked(visit, answer).contains(message)) return wrong("it is deleted");
  if (answer.order.verb == Verb::list) {
    const std::uint64_t size = number(text);
    const bool knows = known != visit.letters.end() && account.has_honest_sizes;
    // Who has to read a message to know its size cannot, once it is gone: then it is what the server says.
    const bool could_read =
        !account.lists_wire_sizes || (knows && !is_gone(account, known->second, answer.came));
    if (knows && could_read && size != account.size(known->second))
      wrong("another size than " + std::to_string(account.size(known->second)));
    return;
  }
  const auto id = account.ids.find(text.substr(1));
  if (id == account.ids.end()) return wrong("an unknown unique-id");
  if (!id->second.is_good(visit.login_asked, visit.login_came)) return wrong("a unique-id of another time");
  if (known != visit.letters.end() && id->second.letter != known->second) return wrong("another message");
}

/// The mailbox changed while the session began: what it shows has to be what was there then, at some time.
void Laws::learn(Visit& visit, const std::map<unsigned, std::size_t>& found, TimePoint came) {
  const Account& account = *visit.account;
  std::set<std::size_t> shown_letters;
  for (const auto& [message, letter] : found) {
    const Letter& it = account.letters[letter];
    const bool too_early = it.removed && *it.removed < visit.login_asked;
    if (it.came > visit.login_came || too_early) {
      broken("L6", visit.name, "letter " + std::to_string(letter) + " was not there at the login");
    }
    shown_letters.insert(letter);
  }
  for (std::size_t letter = 0; letter < account.letters.size(); ++letter) {
    const Letter& it = account.letters[letter];
    const bool was_there = it.came < visit.login_asked && (!it.removed || *it.removed > came);
    if (was_there && !shown_letters.contains(letter)) {
      broken("L6", visit.name, "letter " + std::to_string(letter) + " is not listed");
    }
  }
  for (const auto& [message, letter] : visit.letters) {
    const auto now = found.find(message);
    if (now != found.end() && now->second != letter) broken("L6", visit.name, "a number changed its message");
  }
  visit.letters.insert(found.begin(), found.end());
  visit.knows_all = !account.is_pop3() || !changed(account, visit.login_asked, came);
}

// L1

void Laws::body(Visit& visit, const Answer& answer) {
  const Account& account = *visit.account;
  const auto known = visit.letters.find(answer.order.number);
  if (visit.knows_all && known == visit.letters.end()) {
    return broken("L6", visit.name, "+OK to " + answer.order.line + ", which does not exist");
  }
  if (marked(visit, answer).contains(answer.order.number)) {
    return broken("L6", visit.name, "+OK to " + answer.order.line + ", which is deleted");
  }
  const auto expected = [&](std::size_t letter) {
    return answer.order.verb == Verb::retr ? account.retr(letter) : account.top(letter, answer.order.lines);
  };
  const auto fits = [&](std::size_t letter) {
    const std::string whole = expected(letter);
    if (answer.is_complete) return answer.body == whole;
    return answer.body.size() < whole.size() && whole.starts_with(answer.body);
  };
  const std::string what =
      answer.order.line + (answer.is_complete ? "" : ", cut") + ": " + shown(answer.body);
  if (known != visit.letters.end()) {
    if (fits(known->second)) return;
    const std::string whole = expected(known->second);
    const auto differs = std::mismatch(answer.body.begin(), answer.body.end(), whole.begin(), whole.end());
    return broken("L1", visit.name,
                  what + ": differs at " + std::to_string(differs.first - answer.body.begin()) + " of " +
                      std::to_string(whole.size()));
  }
  std::optional<std::size_t> found;
  for (std::size_t letter = 0; letter < account.letters.size() && !found; ++letter) {
    if (fits(letter)) found = letter;
  }
  if (!found) return broken("L1", visit.name, what + ": no message of the mailbox");
  if (answer.is_complete && answer.order.verb == Verb::retr) visit.letters[answer.order.number] = *found;
}

void Laws::ended(Visit& visit, const std::string& received) {
  for (const std::string& owner : owners_in(received)) {
    if (owner != visit.account->name || !visit.is_logged_in)
      broken("L3", visit.name, "has got mail of " + owner);
  }
  const bool is_goodbye = visit.may_be_refused && (at_login(draining) + "\r\n").starts_with(visit.surplus);
  if (!visit.surplus.empty() && !is_goodbye) broken("L5", visit.name, "unasked: " + shown(visit.surplus));
  for (const Answer& answer : visit.exchange.answers) {
    const bool is_message = answer.order.verb == Verb::retr || answer.order.verb == Verb::top;
    if (!answer.is_complete && is_message && answer.is_ok() && visit.is_logged_in) body(visit, answer);
  }
  if (visit.gave_up && is_calm(visit)) broken("L4", visit.name, "waited in vain though nothing was wrong");
}

// L2

void Laws::settle(const std::list<Account>& accounts, const std::list<Visit>& visits) {
  for (const Account& account : accounts) {
    for (std::size_t letter = 0; letter < account.letters.size(); ++letter) {
      if (!account.letters[letter].by_gateway) continue;
      const bool justified = std::any_of(visits.begin(), visits.end(), [&](const Visit& visit) {
        return visit.account == &account && is_justified(visit, letter);
      });
      if (!justified)
        broken("L2", account.name, "letter " + std::to_string(letter) + " was removed by nobody's QUIT");
    }
  }
  for (const Visit& visit : visits) promised(visit);
}

/// Whether this session may have removed the letter: it named it, and its QUIT may have been read.
bool Laws::is_justified(const Visit& visit, std::size_t letter) const {
  bool named = false;
  for (std::size_t i = 0; i < visit.exchange.answers.size(); ++i) {
    const Answer& answer = visit.exchange.answers[i];
    const auto known = visit.letters.find(answer.order.number);
    const bool may_mean = known == visit.letters.end() ? !visit.knows_all : known->second == letter;
    if (answer.order.verb == Verb::dele && may_mean) {
      named |= !answer.status.starts_with("-ERR");
    } else if (answer.order.verb == Verb::rset && answer.is_ok()) {
      named = false;
    } else if (answer.order.verb == Verb::quit && named) {
      return *visit.account->letters[letter].removed >= answer.asked && may_be_read(visit, i);
    }
  }
  return false;
}

/// QUIT is read when it is dispatched: it has arrived, and every earlier answer was taken by the stream.
bool Laws::may_be_read(const Visit& visit, std::size_t quit) const {
  if (!visit.is_plain) return true;
  const Answer& asked = visit.exchange.answers[quit];
  const std::uint64_t sent = visit.link->from(test::Side::b).sent().size();
  if (asked.sent_up_to > std::min(sent, visit.cut_up.value_or(sent))) return false;
  Exchange wire;
  for (std::size_t i = 1; i < quit; ++i) wire.ask(visit.exchange.answers[i].order, TimePoint(), 0);
  std::string octets = visit.link->from(test::Side::a).sent();
  while (wire.hear(octets, TimePoint()) != nullptr) {
  }
  std::size_t missing = 0;
  for (const Answer& answer : wire.answers) {
    const auto known = visit.letters.find(answer.order.number);
    if (answer.order.verb != Verb::retr || answer.is_complete || known == visit.letters.end()) continue;
    missing += visit.account->retr(known->second).size() - answer.body.size();
  }
  return missing <= kMayBeGathered;
}

/// What was answered +OK is done.
void Laws::promised(const Visit& visit) {
  std::set<std::size_t> named;
  for (const Answer& answer : visit.exchange.answers) {
    if (!answer.is_complete || !answer.is_ok() || !visit.is_logged_in) continue;
    const auto known = visit.letters.find(answer.order.number);
    if (answer.order.verb == Verb::dele && known != visit.letters.end()) named.insert(known->second);
    if (answer.order.verb == Verb::rset) named.clear();
    if (answer.order.verb != Verb::quit) continue;
    for (const std::size_t letter : named) {
      if (is_gone(*visit.account, letter, answer.came)) continue;
      broken("L2", visit.name, "letter " + std::to_string(letter) + " was not removed");
    }
  }
}

}  // namespace postern::sim
