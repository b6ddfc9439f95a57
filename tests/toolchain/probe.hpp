#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "postern/coro/task.hpp"

/// What the toolchain tests look at a compiler with: an object that tells when it is destroyed twice, used
/// after its end or never destroyed, and a way to run a coroutine with and without real suspensions.
namespace postern::toolchain {

/// What all probes of a run did. Faults are collected, so that a miscompiled pattern is reported and does not
/// just crash.
class Ledger {
 public:
  static void begin();
  static const std::vector<std::string>& faults();
  static std::size_t alive();

 private:
  friend class Probe;
  static void born(const void* probe);
  static void died(const void* probe);
  static void used(const void* probe);
};

/// Has a destructor of its own, constructors, and no way to be trivially copied.
class Probe {
 public:
  explicit Probe(int value = 0);
  Probe(const Probe& other);
  Probe(Probe&& other) noexcept;
  Probe& operator=(const Probe& other);
  Probe& operator=(Probe&& other) noexcept;
  ~Probe();

  int value() const;

 private:
  int value_;
};

/// How the awaits of a run go: not at all, into await_suspend and straight on, or through a real suspension.
enum class Pace { ready, straight_on, suspended };

/// The paces that a run cycles through, one for each step.
using Rhythm = std::vector<Pace>;

/// One wait. What it does is decided by the rhythm of the run.
class Step {
 public:
  bool await_ready() const noexcept;
  bool await_suspend(std::coroutine_handle<> self) const;
  void await_resume() const noexcept {}
};
inline Step step() noexcept {
  return Step();
}

/// What happened to one pattern in one rhythm.
struct Outcome {
  bool completed = false;
  std::size_t suspensions = 0;
  std::size_t leaked = 0;
  std::string exception;
  std::vector<std::string> faults;
};

/// Runs a coroutine to its end in the given rhythm.
Outcome run(coro::Task<void> (*pattern)(), const Rhythm& rhythm);

/// Runs it in every rhythm and fails the test with what was wrong in which one.
void expect_sound(coro::Task<void> (*pattern)());

/// Called by patterns whose values came out wrong (a test's assertion does not belong into a coroutine).
void require(bool holds, const char* what);

}  // namespace postern::toolchain
