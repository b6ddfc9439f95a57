#include "toolchain/probe.hpp"

#include <gtest/gtest.h>

#include <coroutine>
#include <deque>
#include <exception>
#include <set>
#include <utility>

namespace postern::toolchain {
namespace {

struct State {
  std::set<const void*> alive;
  std::vector<std::string> faults;
  std::deque<std::coroutine_handle<>> ready;
  Rhythm rhythm;
  std::size_t steps = 0;
  std::size_t suspensions = 0;
};

State& state() {
  static State state;
  return state;
}

Pace pace() {
  const Rhythm& rhythm = state().rhythm;
  return rhythm[state().steps % rhythm.size()];
}

/// The outermost coroutine, which nobody awaits. Its frame is its owner's.
class Root {
 public:
  class promise_type {
   public:
    Root get_return_object() noexcept {
      return Root(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };

  Root(Root&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Root& operator=(Root&&) = delete;
  ~Root() {
    if (frame_) frame_.destroy();
  }
  std::coroutine_handle<> frame() const noexcept { return frame_; }

 private:
  explicit Root(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

Root begin(coro::Task<void> (*pattern)(), std::string& exception) {
  try {
    co_await pattern();
  } catch (const std::exception& e) {
    exception = e.what();
  }
}

}  // namespace

void Ledger::begin() {
  state() = State();
}
const std::vector<std::string>& Ledger::faults() {
  return state().faults;
}
std::size_t Ledger::alive() {
  return state().alive.size();
}

void Ledger::born(const void* probe) {
  if (!state().alive.insert(probe).second) state().faults.emplace_back("constructed over a living object");
}
void Ledger::died(const void* probe) {
  if (state().alive.erase(probe) == 0) state().faults.emplace_back("destroyed twice or never constructed");
}
void Ledger::used(const void* probe) {
  if (!state().alive.contains(probe)) state().faults.emplace_back("used after its end");
}

Probe::Probe(int value) : value_(value) {
  Ledger::born(this);
}
Probe::Probe(const Probe& other) : value_(other.value()) {
  Ledger::born(this);
}
Probe::Probe(Probe&& other) noexcept : value_(other.value()) {
  Ledger::born(this);
}
Probe& Probe::operator=(const Probe& other) {
  Ledger::used(this);
  value_ = other.value();
  return *this;
}
Probe& Probe::operator=(Probe&& other) noexcept {
  Ledger::used(this);
  value_ = other.value();
  return *this;
}
Probe::~Probe() {
  Ledger::died(this);
}

int Probe::value() const {
  Ledger::used(this);
  return value_;
}

bool Step::await_ready() const noexcept {
  if (pace() != Pace::ready) return false;
  ++state().steps;
  return true;
}

bool Step::await_suspend(std::coroutine_handle<> self) const {
  const bool suspends = pace() == Pace::suspended;
  ++state().steps;
  if (suspends) {
    ++state().suspensions;
    state().ready.push_back(self);
  }
  return suspends;
}

Outcome run(coro::Task<void> (*pattern)(), const Rhythm& rhythm) {
  Ledger::begin();
  state().rhythm = rhythm;
  Outcome outcome;
  {
    const Root root = begin(pattern, outcome.exception);
    state().ready.push_back(root.frame());
    while (!state().ready.empty()) {
      const std::coroutine_handle<> next = state().ready.front();
      state().ready.pop_front();
      next.resume();
    }
    outcome.completed = root.frame().done();
  }
  outcome.suspensions = state().suspensions;
  outcome.leaked = Ledger::alive();
  outcome.faults = Ledger::faults();
  return outcome;
}

void expect_sound(coro::Task<void> (*pattern)()) {
  using enum Pace;
  const std::pair<const char*, Rhythm> rhythms[] = {
      {"ready", {ready}},
      {"straight on", {straight_on}},
      {"suspended", {suspended}},
      {"suspended first", {suspended, ready}},
      {"suspended last", {straight_on, suspended}},
      {"mixed", {suspended, suspended, ready, straight_on, suspended}},
  };
  std::size_t suspensions = 0;
  for (const auto& [name, rhythm] : rhythms) {
    SCOPED_TRACE(name);
    const Outcome outcome = run(pattern, rhythm);
    EXPECT_TRUE(outcome.completed);
    EXPECT_EQ(outcome.leaked, 0U);
    EXPECT_EQ(outcome.exception, "");
    EXPECT_EQ(outcome.faults, std::vector<std::string>());
    suspensions += outcome.suspensions;
  }
  EXPECT_GT(suspensions, 0U) << "the pattern never waits, so it tests nothing";
}

void require(bool holds, const char* what) {
  if (!holds) state().faults.emplace_back(what);
}

}  // namespace postern::toolchain
