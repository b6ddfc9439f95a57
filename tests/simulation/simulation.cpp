#include "simulation/simulation.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <utility>

#include "postern/store/loop_store.hpp"
#include "simulation/client.hpp"
#include "simulation/laws.hpp"
#include "simulation/servers.hpp"
#include "simulation/unreliable_store.hpp"
#include "simulation/weather.hpp"
#include "support/tls_filters.hpp"
#include "support/world.hpp"

namespace postern::sim {
namespace {

using namespace std::chrono_literals;
using config::Protocol;
using test::Ending;
using test::Peer;
using test::Side;
using test::World;

/// From the first client to the last.
constexpr std::size_t kArrivals = 180'000;
/// Then those who have not come to an end say nothing any more.
constexpr std::chrono::minutes kClientsAct{40};
/// What a session may take from then on: ten minutes of silence, five in which nothing is taken, ten for an
/// update, and what the last commands take at a server that does not answer.
constexpr std::chrono::minutes kSessionsEnd{28};
/// A login, what closing takes (2 s), and a little.
constexpr std::int64_t kLoginEndsMs = 125'000;
constexpr const char* kNames[] = {"ann", "bob", "cyd", "dee"};
constexpr std::size_t kFirstPort = 10000;

class Simulation {
 public:
  Simulation(std::uint64_t seed, bool traced);
  Outcome run();

 private:
  struct Event {
    TimePoint when;
    std::function<void()> what;
  };

  void at(std::size_t milliseconds, std::function<void()> what);
  void choose_store();
  void settle_people();
  void expect_visitors();
  void expect_trouble();

  void arrive(Account& account);
  void spoil(Visit& visit, Peer& peer);
  void kick();
  void drain();

  void act_out();
  void close();
  void check_logins();
  bool watch();

  Dice dice_;
  const bool is_small_;  ///< no message is longer than a few KiB
  const bool is_odd_;    ///< clients do what they want
  const bool has_tls_;
  StoreFaults store_faults_;
  UnreliableStore store_;
  std::list<Account> accounts_;
  std::list<Visit> visits_;
  std::list<Client> clients_;
  std::unique_ptr<Weather> weather_;
  std::unique_ptr<Servers> servers_;
  metrics::StoreMetrics store_cells_;
  World world_;
  Trace trace_;
  Laws laws_;
  std::unique_ptr<store::Shared> shared_;
  std::unique_ptr<store::LoopStore> real_;
  std::vector<Event> events_;
  std::size_t lines_told_ = 0;
  Climate client_up_, client_down_;
  bool drains_ = false;
};

Simulation::Simulation(std::uint64_t seed, bool traced)
    : dice_(seed),
      is_small_(dice_.chance(75)),
      is_odd_(dice_.chance(65)),
      has_tls_(dice_.chance(12)),
      store_(dice_.split()),
      world_(&store_),
      trace_(&world_.scheduler(), traced),
      laws_(trace_) {
  weather_ = std::make_unique<Weather>(world_.scheduler(), dice_.split());
  world_.scheduler().on_poll([this] { return watch(); });
  if (dice_.chance(70)) {
    world_.scheduler().choose_by([dice = dice_.split()](std::size_t n) mutable { return dice.below(n); });
    world_.network().choose_by([dice = dice_.split()](std::size_t n) mutable { return dice.below(n); });
  }
  client_up_ = weather_->choose(dice_, is_small_);
  client_down_ = weather_->choose(dice_, is_small_);
  choose_store();
  settle_people();
  expect_visitors();
  expect_trouble();
}

void Simulation::at(std::size_t milliseconds, std::function<void()> what) {
  events_.push_back(
      Event{world_.scheduler().now() + std::chrono::milliseconds(milliseconds), std::move(what)});
}

void Simulation::choose_store() {
  shared_ =
      std::make_unique<store::Shared>(world_.config.store, world_.scheduler(), world_.environment().log);
  real_ = store::make_store(*shared_, world_.scheduler(), nullptr, world_.environment().log, store_cells_);
  if (dice_.chance(50)) {
    store_faults_.forgets = dice_.pick({0U, 0U, 30U, 100U});
    store_faults_.is_stale = dice_.pick({0U, 0U, 50U});
    store_faults_.lies = dice_.pick({0U, 0U, 60U});
    store_faults_.takes_time = dice_.pick({0U, 0U, 50U});
    store_faults_.drops_saves = dice_.pick({0U, 0U, 40U});
  }
  store_.stand_over(*real_, world_.scheduler(), store_faults_);
}

void Simulation::settle_people() {
  const std::size_t count = dice_.between(1, std::size(kNames));
  world_.config.routes.clear();
  for (std::size_t i = 0; i < count; ++i) {
    Account& account = accounts_.emplace_back();
    account.name = kNames[i];
    account.password = "pass-of-" + account.name;
    account.index = i;
    account.protocol = dice_.chance(45) ? Protocol::pop3 : Protocol::imap;
    account.has_honest_sizes = store_faults_.lies == 0 || account.is_pop3();
    world_.config.routes.push_back(
        config::Route{config::Route::Match::user, account.name, account.is_pop3() ? "main" : "imap", "", {}});
  }
  Servers::Options options;
  options.is_small = is_small_;
  options.has_tls = has_tls_;
  options.lies_about_sizes = dice_.chance(15);
  servers_ = std::make_unique<Servers>(world_, *weather_, laws_, trace_, dice_.split(), accounts_, options);
}

void Simulation::expect_visitors() {
  const std::size_t count = dice_.between(1, 12);
  for (std::size_t i = 0; i < count; ++i) {
    auto account = accounts_.begin();
    std::advance(account, dice_.below(accounts_.size()));
    at(dice_.somewhere(kArrivals), [this, who = &*account] { arrive(*who); });
  }
}

void Simulation::expect_trouble() {
  for (const Protocol protocol : {Protocol::pop3, Protocol::imap}) {
    if (dice_.chance(50)) continue;
    servers_->spoil(protocol);
    for (std::size_t i = dice_.below(4); i > 0; --i) {
      const std::size_t begins = dice_.somewhere(kArrivals);
      at(begins, [this, protocol] { servers_->trouble(protocol); });
      at(begins + dice_.somewhere(kArrivals), [this, protocol] { servers_->recover(protocol); });
    }
  }
  for (Account& account : accounts_) {
    for (std::size_t i = dice_.below(3); i > 0; --i) {
      at(dice_.somewhere(kArrivals), [this, who = &account] { servers_->deliver(*who); });
      if (dice_.chance(30))
        at(dice_.somewhere(kArrivals), [this, who = &account] { servers_->expunge_one(*who); });
    }
  }
  if (dice_.chance(10)) at(dice_.somewhere(kArrivals), [this] { kick(); });
  if (dice_.chance(5)) at(dice_.somewhere(kArrivals), [this] { drain(); });
}

void Simulation::arrive(Account& account) {
  Visit& visit = visits_.emplace_back();
  visit.name = account.name + "#" + std::to_string(visits_.size());
  visit.account = &account;
  visit.may_be_refused = drains_;
  visit.is_calm = !drains_;
  const bool is_odd = is_odd_ && dice_.chance(70);
  const char* listener = World::kPlain;
  if (has_tls_ && dice_.chance(70)) listener = dice_.chance(50) ? World::kStls : World::kImplicit;
  Manner manner = choose_manner(dice_, account, is_odd, listener == World::kStls);
  manner.starts_tls = listener == World::kImplicit;
  if (manner.starts_tls) visit.is_plain = false;
  if (is_odd) visit.is_calm = false;
  trace_.line(visit.name, std::string("comes to ") + listener);
  Peer& peer = world_.admit(listener, static_cast<std::uint16_t>(kFirstPort + visits_.size()));
  visit.link = &peer.link();
  weather_->apply(peer.link().from(Side::b), client_up_);
  weather_->apply(peer.link().from(Side::a), client_down_);
  if (is_odd && dice_.chance(25)) spoil(visit, peer);
  Client& client = clients_.emplace_back(visit, std::move(manner), laws_, trace_, dice_.split(),
                                         has_tls_ ? test::client_tls() : test::Filter());
  client.begin(peer);
}

void Simulation::spoil(Visit& visit, Peer& peer) {
  const Ending ending = dice_.chance(50) ? Ending::eof : Ending::reset;
  const bool up = dice_.chance(50);
  const std::size_t octets = dice_.somewhere(up ? 1024 : (is_small_ ? 8192 : 512 * 1024));
  if (up) visit.cut_up = octets;
  peer.link().from(up ? Side::b : Side::a).cut_after(octets, ending);
  trace_.line(visit.name, std::string(up ? "its" : "the gateway's") + " side is " +
                              (ending == Ending::eof ? "closed" : "reset") + " behind " +
                              std::to_string(octets));
}

/// An administrator ends all sessions. They are gone at once.
void Simulation::kick() {
  trace_.line("admin", "ends all sessions");
  const TimePoint now = world_.scheduler().now();
  for (Visit& visit : visits_) {
    if (!visit.link->from(Side::a).ending()) visit.kicked = now;
  }
  world_.environment().sessions.end_all(FailureKind::kicked);
  world_.settle();
  for (const Visit& visit : visits_) {
    const bool stays = visit.kicked == now && !visit.link->from(Side::a).ending();
    if (stays) laws_.broken("L4", visit.name, "was ended, and stays");
  }
}

/// The process is about to end: who is in may stay for a while.
void Simulation::drain() {
  trace_.line("admin", "drains");
  drains_ = true;
  for (Visit& visit : visits_) {
    visit.may_be_refused = true;
    visit.is_calm = false;
  }
  world_.environment().draining = true;
  world_.environment().sessions.drain_all();
}

bool Simulation::watch() {
  servers_->watch();
  if (!trace_.wanted()) return false;
  for (; lines_told_ < world_.log().lines().size(); ++lines_told_)
    trace_.line("log", world_.log().lines()[lines_told_]);
  return false;
}

void Simulation::act_out() {
  test::TestScheduler& scheduler = world_.scheduler();
  std::multimap<TimePoint, std::function<void()>> in_order;  // those of one time stay in theirs
  for (Event& event : events_) in_order.emplace(event.when, std::move(event.what));
  for (const auto& [when, what] : in_order) {
    if (when > scheduler.now()) scheduler.advance(when - scheduler.now());
    what();
    world_.settle();
  }
  const auto until = [&](TimePoint when) {
    while (world_.running() != 0 && scheduler.now() < when && scheduler.advance_to_next_timer())
      world_.settle();
  };
  until(scheduler.now() + kClientsAct);
  for (Client& client : clients_) client.freeze();
  until(scheduler.now() + kSessionsEnd);
  if (world_.running() != 0)
    laws_.broken("L4", "the world", std::to_string(world_.running()) + " tasks do not end");
  const std::string left = world_.leftovers();
  if (!left.empty()) laws_.broken("L4", "the world", left);
  servers_->watch();
}

/// Who has not logged in is not kept waiting, nor waits, for longer than login_timeout.
void Simulation::check_logins() {
  for (const std::string& line : world_.log().of("session_end")) {
    if (!test::LogLines::field(line, "user").empty()) continue;
    const std::string duration = test::LogLines::field(line, "duration_ms");
    std::int64_t value = 0;
    std::from_chars(duration.data(), duration.data() + duration.size(), value);
    if (value > kLoginEndsMs) laws_.broken("L4", "login", line);
  }
  for (const Account& account : accounts_) {
    if (world_.log().mention(account.password)) laws_.broken("L3", account.name, "the log has the password");
  }
  for (const std::string& bug : world_.log().of("bug")) laws_.broken("L4", "log", bug);
}

/// While the world is there: nothing may refer any more to what is made here.
void Simulation::close() {
  world_.environment().sessions.end_all(FailureKind::kicked);
  world_.environment().updates.end_all(FailureKind::kicked);
  world_.pass(5min);
  world_.scheduler().run(real_->close(coro::Deadline(world_.scheduler().now() + 1min)));
  real_.reset();
}

Outcome Simulation::run() {
  act_out();
  auto visit = visits_.begin();
  for (const Peer& peer : world_.network().peers()) {
    const auto mine = std::find_if(visits_.begin(), visits_.end(), [&](const Visit& each) {
      return each.link == &const_cast<Peer&>(peer).link();
    });
    if (mine != visits_.end()) laws_.ended(*mine, peer.received());
  }
  laws_.settle(accounts_, visits_);
  check_logins();
  close();
  Outcome outcome;
  outcome.breaches = laws_.breaches();
  outcome.visits = visits_.size();
  for (visit = visits_.begin(); visit != visits_.end(); ++visit) {
    if (visit->is_logged_in) ++outcome.logins;
    for (const Answer& answer : visit->exchange.answers) {
      if (answer.order.verb == Order::Verb::retr && answer.is_complete && answer.is_ok()) ++outcome.messages;
    }
  }
  for (const Account& account : accounts_) {
    for (const Letter& letter : account.letters) {
      if (letter.by_gateway) ++outcome.removed;
    }
  }
  return outcome;
}

}  // namespace

Outcome run(std::uint64_t seed, bool traced) {
  Simulation simulation(seed, traced);
  return simulation.run();
}

}  // namespace postern::sim
