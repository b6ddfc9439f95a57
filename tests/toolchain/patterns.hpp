#pragma once

#include <string>
#include <utility>
#include <vector>

#include "postern/base/result.hpp"
#include "postern/coro/task.hpp"
#include "toolchain/probe.hpp"

/// The children that the patterns await. Each waits at least once, so a rhythm reaches into it.
namespace postern::toolchain {

using coro::Task;

template <class T>
Task<T> later(T value) {
  co_await step();
  co_return value;
}

inline Task<Probe> make_probe(int value) {
  co_await step();
  co_return Probe(value);
}

inline Task<void> consume(Probe probe) {
  co_await step();
  require(probe.value() != 0, "an argument by value");
  co_await step();
  require(probe.value() != 0, "an argument by value, later");
}

inline Task<int> look_at(const Probe& probe) {
  co_await step();
  const int value = probe.value();
  co_await step();
  co_return probe.value() == value ? value : -1;
}

inline Task<std::vector<Probe>> three_probes() {
  co_await step();
  std::vector<Probe> probes;
  for (int i = 1; i <= 3; ++i) probes.emplace_back(i);
  co_return probes;
}

inline Task<Result<Probe>> maybe_probe(bool there) {
  co_await step();
  if (!there) co_return Error(FailureKind::internal, "there is no probe in this result");
  co_return Probe(3);
}

/// Longer than what std::string keeps in itself.
inline std::string long_string(const char* end) {
  return std::string(64, 'x') + end;
}

template <class Function>
Task<void> call_twice(Function function) {
  co_await step();
  function();
  co_await step();
  function();
}

template <class Function>
Task<void> call_twice_by_reference(const Function& function) {
  co_await step();
  function();
  co_await step();
  function();
}

}  // namespace postern::toolchain
