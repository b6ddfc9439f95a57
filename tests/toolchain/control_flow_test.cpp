// Awaits in control flow: what of the coroutine subset (docs/adr/0002-coroutine-subset.md) each test stands
// for.
//
//   test                              pattern
//   AwaitInIfCondition                if (co_await ...), negated, and with a member of the awaited temporary
//   AwaitInIfInitialiser              if (auto r = co_await ...; condition)
//   AwaitInIfDeclaration              if (auto r = co_await ...)
//   NestedIfsWithJumps                if in if in a loop, with continue and break around awaits
//   EmptyBranches                     if (co_await ...) ; else ...
//   AwaitInWhileCondition             while (co_await ...) with continue
//   AwaitInWhileDeclaration           while (auto r = co_await ...)
//   AwaitInForHeader                  for: initialiser, condition and step
//   AwaitInDoWhileCondition           do ... while (co_await ...)
//   AwaitInSwitch                     switch (co_await ...) with awaits in its cases, and with an initialiser
//   AwaitBehindAndOr                  && and || that skip an await, with and without class temporaries
//   ScalarConditional                 ?: of scalars with an await in the condition or an arm
//   RangeForOverAwaited               for (auto& e : co_await ...)
//   RangeForOverNamed                 the same over a named container
//   TryAroundAwaits                   a child throws while locals and temporaries live; the loop goes on
//   ThrowBeforeFirstWait              the child throws while it runs in place
//   ThrowThroughTwoParents            an exception passes a coroutine that holds objects

#include <gtest/gtest.h>

#include <stdexcept>

#include "toolchain/patterns.hpp"

namespace postern::toolchain {
namespace {

Task<void> if_condition() {
  int taken = 0;
  if (co_await later(true)) ++taken;
  if (!co_await later(false)) {
    ++taken;
  } else {
    taken += 10;
  }
  if ((co_await make_probe(2)).value() == 2) ++taken;
  require(taken == 3, "if (co_await ...)");
}
TEST(ControlFlow, AwaitInIfCondition) {
  expect_sound(if_condition);
}

Task<void> if_initialiser() {
  int taken = 0;
  if (auto found = co_await maybe_probe(true); found.has_value()) taken += found->value();
  if (auto found = co_await maybe_probe(false); !found.has_value()) ++taken;
  require(taken == 4, "if (initialiser; condition)");
}
TEST(ControlFlow, AwaitInIfInitialiser) {
  expect_sound(if_initialiser);
}

Task<void> if_declaration() {
  int taken = 0;
  if (auto found = co_await maybe_probe(true)) {
    co_await step();
    taken += found->value();
  }
  if (auto found = co_await maybe_probe(false)) {
    taken += 10;
  } else {
    co_await step();
    taken += found.error().detail().empty() ? 10 : 1;
  }
  require(taken == 4, "if (declaration)");
}
TEST(ControlFlow, AwaitInIfDeclaration) {
  expect_sound(if_declaration);
}

Task<void> nested_ifs() {
  int taken = 0;
  for (int i = 0; i < 4; ++i) {
    const Probe local(i + 1);
    if (i == 1) continue;
    if (co_await later(i == 0)) {
      if (co_await later(true)) {
        ++taken;
        continue;
      }
      break;
    } else if (co_await later(i == 2)) {
      taken += local.value();
    } else {
      break;
    }
  }
  require(taken == 4, "nested ifs");
}
TEST(ControlFlow, NestedIfsWithJumps) {
  expect_sound(nested_ifs);
}

Task<void> empty_branches() {
  int taken = 0;
  if (co_await later(true)) {
  } else {
    ++taken;
  }
  if (co_await later(false)) {
    ++taken;
  } else {
  }
  if (taken == 0) {
    co_await step();
  } else {
    co_await make_probe(1);
  }
  require(taken == 0, "empty branches");
}
TEST(ControlFlow, EmptyBranches) {
  expect_sound(empty_branches);
}

Task<void> while_condition() {
  int i = 0;
  while (co_await later(i < 3)) {
    const Probe local(++i);
    if (i == 2) continue;
    co_await step();
    require(local.value() == i, "a local of a loop's body");
  }
  require(i == 3, "while (co_await ...)");
}
TEST(ControlFlow, AwaitInWhileCondition) {
  expect_sound(while_condition);
}

Task<void> while_declaration() {
  int i = 0;
  while (auto found = co_await maybe_probe(i < 3)) {
    co_await step();
    require(found->value() == 3, "the declared value");
    if (++i == 2) continue;
  }
  require(i == 3, "while (declaration)");
}
TEST(ControlFlow, AwaitInWhileDeclaration) {
  expect_sound(while_declaration);
}

Task<void> for_header() {
  int rounds = 0;
  for (int i = co_await later(1); co_await later(i < 5); i = co_await later(i + 1)) {
    if (i == 2) continue;
    ++rounds;
  }
  require(rounds == 3, "for (await; await; await)");
}
TEST(ControlFlow, AwaitInForHeader) {
  expect_sound(for_header);
}

Task<void> do_while_condition() {
  int i = 0;
  do {
    const Probe local(1);
    co_await step();
    if (++i == 2) continue;
  } while (co_await later(i < 3));
  require(i == 3, "do while (co_await ...)");
}
TEST(ControlFlow, AwaitInDoWhileCondition) {
  expect_sound(do_while_condition);
}

Task<void> in_switch() {
  int sum = 0;
  for (int i = 0; i < 3; ++i) {
    switch (co_await later(i)) {
      case 0:
        sum += 1;
        break;
      case 1: {
        const Probe local(10);
        co_await step();
        sum += local.value();
        break;
      }
      default:
        sum += 100;
    }
  }
  switch (auto found = co_await maybe_probe(true); found->value()) {
    case 3:
      co_await step();
      sum += 1000;
      break;
    default:
      break;
  }
  require(sum == 1111, "switch (co_await ...)");
}
TEST(ControlFlow, AwaitInSwitch) {
  expect_sound(in_switch);
}

Task<void> and_or() {
  int taken = 0;
  for (int i = 0; i < 2; ++i) {
    const bool both = i == 0 && co_await later(true);
    const bool either = i == 0 || co_await later(true);
    if (both) ++taken;
    if (either) ++taken;
    if (i == 0 && co_await look_at(Probe(4)) == 4) ++taken;
    if (i == 0 || (co_await make_probe(5)).value() == 5) ++taken;
  }
  require(taken == 6, "&& and ||");
}
TEST(ControlFlow, AwaitBehindAndOr) {
  expect_sound(and_or);
}

Task<void> scalar_conditional() {
  for (int i = 0; i < 2; ++i) {
    const int from_arm = i == 1 ? co_await later(1) : 2;
    const int from_condition = co_await later(i == 1) ? 1 : 2;
    require(from_arm == 2 - i && from_condition == 2 - i, "?: of scalars");
  }
}
TEST(ControlFlow, ScalarConditional) {
  expect_sound(scalar_conditional);
}

Task<void> range_for_awaited() {
  int sum = 0;
  for (const Probe& probe : co_await three_probes()) {
    co_await step();
    sum += probe.value();
  }
  require(sum == 6, "range-for over an awaited container");
}
TEST(ControlFlow, RangeForOverAwaited) {
  expect_sound(range_for_awaited);
}

Task<void> range_for_named() {
  int sum = 0;
  const auto probes = co_await three_probes();
  for (const Probe& probe : probes) {
    if (probe.value() == 2) continue;
    sum += co_await look_at(probe);
  }
  require(sum == 4, "range-for over a named container");
}
TEST(ControlFlow, RangeForOverNamed) {
  expect_sound(range_for_named);
}

Task<int> throws_later(Probe argument) {
  const Probe before(1);
  co_await step();
  const Probe after(argument.value());
  throw std::runtime_error(long_string("thrown later"));
  co_return 1;
}

Task<void> try_around_awaits() {
  int caught = 0;
  for (int i = 0; i < 2; ++i) {
    try {
      const Probe local(9);
      co_await throws_later(Probe(1));
      require(false, "an exception was lost");
    } catch (const std::runtime_error& e) {
      if (std::string(e.what()).ends_with("thrown later")) ++caught;
    }
    co_await step();
  }
  require(caught == 2, "try around awaits");
}
TEST(ControlFlow, TryAroundAwaits) {
  expect_sound(try_around_awaits);
}

Task<void> throws_at_once(Probe argument) {
  if (argument.value() == 1) throw std::runtime_error("thrown at once");
  co_await step();
}

Task<void> throw_before_first_wait() {
  int caught = 0;
  try {
    co_await throws_at_once(Probe(1));
  } catch (const std::runtime_error&) {
    ++caught;
  }
  co_await throws_at_once(Probe(2));
  require(caught == 1, "an exception before the first wait");
}
TEST(ControlFlow, ThrowBeforeFirstWait) {
  expect_sound(throw_before_first_wait);
}

Task<int> passes_on(Probe argument) {
  const Probe local(2);
  const int value = co_await throws_later(argument);
  co_return value + local.value();
}

Task<void> throw_through_parents() {
  int caught = 0;
  try {
    co_await passes_on(Probe(1));
  } catch (const std::runtime_error&) {
    ++caught;
  }
  require(caught == 1, "an exception through two parents");
}
TEST(ControlFlow, ThrowThroughTwoParents) {
  expect_sound(throw_through_parents);
}

}  // namespace
}  // namespace postern::toolchain
