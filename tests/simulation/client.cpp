#include "simulation/client.hpp"

#include <algorithm>
#include <utility>

#include "postern/sasl/sasl.hpp"

namespace postern::sim {
namespace {

using Verb = Order::Verb;
using Death = Manner::Death;
using Pace = Manner::Pace;
using std::chrono::milliseconds;
using std::chrono::minutes;

/// A client that has heard nothing for so long does not wait any more. Longer than all deadlines of a
/// gateway.
constexpr minutes kPatience{25};

Order order(Verb verb, std::string line) {
  Order made;
  made.verb = verb;
  made.line = std::move(line);
  return made;
}

Order about(Verb verb, const char* word, std::size_t number) {
  Order made = order(verb, word + std::string(" ") + std::to_string(number));
  made.number = static_cast<unsigned>(number);
  return made;
}

Order top(std::size_t number, std::size_t lines) {
  Order made = order(Verb::top, "TOP " + std::to_string(number) + " " + std::to_string(lines));
  made.number = static_cast<unsigned>(number);
  made.lines = lines;
  return made;
}

Order anything(Dice& dice, std::size_t messages) {
  const std::size_t number = dice.between(1, messages + (dice.chance(5) ? 1 : 0));
  switch (dice.below(14)) {
    case 0:
      return order(Verb::stat, "STAT");
    case 1:
      return order(Verb::list, "LIST");
    case 2:
      return order(Verb::uidl, "UIDL");
    case 3:
      return about(Verb::list, "LIST", number);
    case 4:
      return about(Verb::uidl, "UIDL", number);
    case 5:
      return top(number, dice.pick<std::size_t>({0, 1, 5, 100, 200000}));
    case 6:
    case 7:
      return about(Verb::dele, "DELE", number);
    case 8:
      return order(Verb::noop, "noop");
    case 9:
      return dice.chance(30) ? order(Verb::rset, "RSET") : order(Verb::capa, "CAPA");
    default:
      return about(Verb::retr, "RETR", number);
  }
}

Order nonsense(Dice& dice) {
  if (dice.chance(20)) return order(Verb::too_long, "NOOP " + std::string(1100, 'x'));
  return order(Verb::bad,
               dice.pick({"XYZZY", "RETR", "RETR x", "DELE 1 2", "", "TOP 1", "LIST 99999999999999999999",
                          "STAT 1 1 1", "\x01\x02", "EHLO", "APOP a b"}));
}

void log_in(Dice& dice, const Account& account, bool is_right, std::deque<Order>& orders) {
  const std::string password = is_right ? account.password : "wrong-" + account.name;
  Order last = order(Verb::login, "PASS " + password);
  if (dice.chance(30)) {
    const Secret initial = sasl::plain_initial_response(account.name, password);
    last.line = "AUTH PLAIN " + std::string(initial.view());
  } else {
    orders.push_back(order(Verb::user, "USER " + account.name));
  }
  last.is_right = is_right;
  orders.push_back(std::move(last));
}

void work(Dice& dice, std::size_t messages, std::deque<Order>& orders) {
  if (messages == 0) return;
  switch (dice.below(4)) {
    case 0:  // fetches all
      for (std::size_t i = 1; i <= messages; ++i) orders.push_back(about(Verb::retr, "RETR", i));
      return;
    case 1:  // and deletes them
      for (std::size_t i = 1; i <= messages; ++i) {
        orders.push_back(about(Verb::retr, "RETR", i));
        orders.push_back(about(Verb::dele, "DELE", i));
      }
      return;
    case 2:  // deletes first
      for (std::size_t i = 1; i <= messages; ++i) {
        if (dice.chance(50)) orders.push_back(about(Verb::dele, "DELE", i));
      }
      for (std::size_t i = 1; i <= messages; ++i) {
        if (dice.chance(50)) orders.push_back(about(Verb::retr, "RETR", i));
      }
      return;
    default:
      for (std::size_t i = dice.between(1, 25); i > 0; --i) orders.push_back(anything(dice, messages));
  }
}

}  // namespace

Manner choose_manner(Dice& dice, const Account& account, bool may_be_odd, bool needs_tls) {
  Manner manner;
  manner.pace = dice.pick({Pace::polite, Pace::polite, Pace::pipelining, Pace::pipelining, Pace::eager});
  manner.window = manner.pace == Pace::polite ? 1 : dice.between(2, 50);
  if (dice.chance(40)) manner.most_thinking = milliseconds(dice.somewhere(8192));
  manner.reads_slowly = dice.chance(15);
  std::deque<Order>& orders = manner.orders;
  if (dice.chance(20)) orders.push_back(order(Verb::capa, "CAPA"));
  if (needs_tls) orders.push_back(order(Verb::stls, "STLS"));
  if (may_be_odd && dice.chance(15)) log_in(dice, account, false, orders);
  const bool never_right = may_be_odd && dice.chance(5);
  log_in(dice, account, !never_right, orders);
  if (dice.chance(50)) orders.push_back(order(Verb::stat, "STAT"));
  if (dice.chance(80)) orders.push_back(order(Verb::uidl, "UIDL"));
  if (dice.chance(30)) orders.push_back(order(Verb::list, "LIST"));
  work(dice, account.letters.size(), orders);
  if (may_be_odd && dice.chance(20)) {
    const auto at = static_cast<std::ptrdiff_t>(dice.below(orders.size()));
    orders.insert(orders.begin() + at, nonsense(dice));
  }
  if (!may_be_odd || dice.chance(85)) orders.push_back(order(Verb::quit, "QUIT"));
  if (orders.back().verb != Verb::quit) manner.death = Death::close;
  if (!may_be_odd) return manner;
  if (needs_tls && dice.chance(15)) manner.injects = true;
  if (dice.chance(50)) return manner;
  manner.death =
      dice.pick({Death::reset, Death::reset, Death::silent, Death::deaf, Death::half, Death::close});
  manner.dies_after_orders = dice.chance(50) ? dice.between(1, orders.size()) : SIZE_MAX;
  manner.dies_after_octets = dice.chance(60) ? dice.somewhere(512 * 1024) : SIZE_MAX;
  return manner;
}

void Client::begin(test::Peer& peer) {
  last_heard_ = speaks_at_ = reads_at_ = peer.now();
  peer.then({[this](test::Peer& self) { return act(self); }});
}

bool Client::wait(test::Peer& peer, TimePoint until) {
  peer.wake_at(std::min(until, last_heard_ + kPatience));
  return false;
}

bool Client::act(test::Peer& peer) {
  if (!std::exchange(begun_, true) && manner_.starts_tls) {
    peer.secure(tls_);
    return false;
  }
  if (injected_ && !peer.ended()) {
    laws_.broken("L3", visit_.name, "TLS began over octets that came before it");
    return true;
  }
  hear(peer);
  if (peer.ended()) {
    trace_.line(visit_.name, *peer.ended() == IoStatus::eof ? "sees the end" : "sees a reset");
    return true;
  }
  if (awaits_tls_ && !peer.has_unsent()) {  // what was said before is to leave before
    awaits_tls_ = false;
    injected_ = manner_.injects;
    peer.secure(tls_);
    return false;
  }
  if (frozen_ || dead_ || injected_ || awaits_tls_) return false;
  if (is_dying()) die(peer);
  const TimePoint now = peer.now();
  if (rests_) {
    if (now < reads_at_) return wait(peer, reads_at_);
    rests_ = false;
    peer.read_on();
  }
  while (may_speak()) {
    if (now < speaks_at_) return wait(peer, speaks_at_);
    speak(peer);
    if (is_dying()) die(peer);
  }
  if (now >= last_heard_ + kPatience && !dead_) {
    trace_.line(visit_.name, "gives up");
    visit_.gave_up = true;
    peer.reset();
    return true;
  }
  return wait(peer, TimePoint::max());
}

void Client::hear(test::Peer& peer) {
  const std::string fresh = peer.take();
  if (fresh.empty()) return;
  last_heard_ = peer.now();
  octets_ += fresh.size();
  input_ += fresh;
  while (const Answer* answer = visit_.exchange.hear(input_, peer.now())) heard(*answer);
  if (visit_.exchange.open() == 0 && !input_.empty()) visit_.surplus += std::exchange(input_, {});
  if (manner_.reads_slowly && !dead_) {
    rests_ = true;
    reads_at_ = peer.now() + milliseconds(dice_.somewhere(4096));
    peer.stop_reading();
  }
}

void Client::heard(const Answer& answer) {
  if (trace_.wanted()) {
    trace_.line(visit_.name,
                "<- " + shown(answer.status) + (answer.body.empty() ? "" : " | " + shown(answer.body)));
  }
  laws_.answered(visit_, answer);
  if (answer.order.verb == Verb::stls && answer.is_ok()) {
    visit_.is_plain = false;
    awaits_tls_ = true;
  }
  if (answer.order.verb == Verb::login) failed_login_ = !answer.is_ok();
  // A program that was refused says goodbye, unless it has another password to try.
  const bool tries_again = std::any_of(manner_.orders.begin(), manner_.orders.end(),
                                       [](const Order& each) { return each.verb == Verb::login; });
  if (failed_login_ && !tries_again && manner_.pace != Pace::eager) {
    std::erase_if(manner_.orders, [](const Order& each) { return each.verb != Verb::quit; });
  }
}

bool Client::may_speak() const {
  if (dead_ || manner_.orders.empty()) return false;
  const Exchange& exchange = visit_.exchange;
  if (exchange.open() == 0) return true;
  const Verb last = exchange.answers.back().order.verb;
  if (last == Verb::greeting || last == Verb::stls || exchange.open() >= manner_.window) return false;
  const bool is_barrier = last == Verb::user || last == Verb::login || last == Verb::capa;
  const bool comes_to_login = manner_.orders.front().verb == Verb::stls;
  if (manner_.pace == Pace::eager) return !comes_to_login;
  return visit_.is_logged_in && !is_barrier;
}

void Client::speak(test::Peer& peer) {
  Order order = std::move(manner_.orders.front());
  manner_.orders.pop_front();
  std::string octets = order.line + "\r\n";
  if (order.verb == Verb::stls && manner_.injects) octets += "CAPA\r\n";
  trace_.line(visit_.name, "-> " + shown(octets));
  peer.send(octets);
  ++spoken_;
  const std::uint64_t before = visit_.exchange.answers.back().sent_up_to;
  visit_.exchange.ask(std::move(order), peer.now(), before + octets.size());
  if (manner_.most_thinking != Duration()) {
    const auto most = static_cast<std::size_t>(manner_.most_thinking / milliseconds(1));
    speaks_at_ = peer.now() + milliseconds(dice_.somewhere(most + 1));
  }
  if (visit_.exchange.open() == 1) last_heard_ = peer.now();
}

bool Client::is_dying() const {
  if (dead_) return false;
  switch (manner_.death) {
    case Death::none:
      return false;
    case Death::close:
    case Death::half:
      return manner_.orders.empty() && (manner_.death == Death::half || visit_.exchange.open() == 0);
    default:
      return spoken_ >= manner_.dies_after_orders || octets_ >= manner_.dies_after_octets;
  }
}

void Client::die(test::Peer& peer) {
  static constexpr const char* kNames[] = {"",       "closes",       "closes its side",
                                           "resets", "falls silent", "goes deaf"};
  trace_.line(visit_.name, kNames[static_cast<std::size_t>(manner_.death)]);
  switch (manner_.death) {
    case Death::close:
    case Death::half:
      peer.close();
      dead_ = manner_.death == Death::close;
      manner_.death = Death::none;
      break;
    case Death::reset:
      dead_ = true;
      peer.reset();
      break;
    case Death::silent:
      dead_ = true;
      peer.stop_reading();
      break;
    default:
      peer.stop_reading();
      manner_.reads_slowly = rests_ = false;
      manner_.death = Death::none;
      manner_.pace = Pace::eager;
      manner_.window = SIZE_MAX;
  }
}

}  // namespace postern::sim
