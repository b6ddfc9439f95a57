// Values that come out of coroutines: what of the coroutine subset (docs/adr/0002-coroutine-subset.md) each
// test stands for.
//
//   test                              pattern
//   ReturnsAwaited                    co_return co_await ...
//   ReturnsLocals                     co_return of a local, also of a move-only one
//   ReturnsParameters                 co_return of a parameter, also of a move-only one
//   ReturnsResults                    co_return of Result<T>: a value, an error, a local, Result<void>
//   PassesErrorsOn                    auto r = co_await ...; if (!r) co_return std::move(r).error();
//   ReturnsOptionals                  std::optional and std::nullopt, value_or of an awaited one
//   InitialisesFromAwaited            T a(co_await ...), auto a = T(co_await ...), make_unique(co_await ...)
//   AssignsAwaited                    =, +=, string + co_await, emplace and push_back of an awaited value
//   NewOfNamed                        new of an awaited value that was named first
//   MemberOfAwaited                   a member of the awaited temporary
//   BindingOfNamed                    a structured binding of a named result
//   IfInsteadOfConditional            what to write in the place of ?: for classes
//   NameThenBuild                     what to write in the place of A{co_await ..., co_await ...}
//   Templates                         a coroutine template with nested awaits
//   Noexcept                          noexcept coroutines
//   LambdasInside                     lambdas that are made between awaits and called after them
//   CoroutineLambda                   a coroutine lambda without captures
//   Locals                            arrays, variants, statics and local types across awaits
//   ReadsLines                        a reader over a buffer: loop, early co_return, optional<string>
//   Recursion                         a coroutine that awaits itself

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "toolchain/patterns.hpp"

namespace postern::toolchain {
namespace {

Task<Probe> passes_through() {
  co_return co_await make_probe(7);
}

Task<void> returns_awaited() {
  const Probe probe = co_await passes_through();
  require(probe.value() == 7, "co_return co_await");
}
TEST(Results, ReturnsAwaited) {
  expect_sound(returns_awaited);
}

Task<Probe> local_probe() {
  Probe probe(1);
  co_await step();
  co_return probe;
}
Task<std::unique_ptr<Probe>> local_unique() {
  auto probe = std::make_unique<Probe>(2);
  co_await step();
  co_return probe;
}

Task<void> returns_locals() {
  require((co_await local_probe()).value() == 1, "a local");
  const auto unique = co_await local_unique();
  require(unique->value() == 2, "a move-only local");
}
TEST(Results, ReturnsLocals) {
  expect_sound(returns_locals);
}

Task<void> returns_parameters() {
  require((co_await later(Probe(1))).value() == 1, "a parameter");
  const auto unique = co_await later(std::make_unique<Probe>(2));
  require(unique->value() == 2, "a move-only parameter");
}
TEST(Results, ReturnsParameters) {
  expect_sound(returns_parameters);
}

Task<Result<std::unique_ptr<Probe>>> result_of_local() {
  auto unique = std::make_unique<Probe>(1);
  co_await step();
  co_return unique;
}
Task<Result<void>> done(bool well) {
  co_await step();
  if (!well) co_return Error(FailureKind::internal, long_string("not done"));
  co_return Result<void>();
}

Task<void> returns_results() {
  const auto there = co_await maybe_probe(true);
  require(there.has_value() && there->value() == 3, "a value");
  const auto missing = co_await maybe_probe(false);
  require(!missing.has_value() && missing.error().detail().size() > 20, "an error");
  const auto unique = co_await result_of_local();
  require(unique.has_value() && (*unique)->value() == 1, "a local");
  const auto well = co_await done(true);
  const auto ill = co_await done(false);
  require(well.has_value() && !ill.has_value() && ill.error().kind() == FailureKind::internal,
          "Result<void>");
}
TEST(Results, ReturnsResults) {
  expect_sound(returns_results);
}

Task<Result<int>> value_of(bool there) {
  auto found = co_await maybe_probe(there);
  if (!found) co_return std::move(found).error();
  const Probe probe = *std::move(found);
  co_await step();
  co_return probe.value();
}
Task<Result<int>> twice_the_value_of(bool there) {
  auto value = co_await value_of(there);
  if (!value) co_return std::move(value);
  co_return *value * 2;
}

Task<void> passes_errors_on() {
  const auto value = co_await twice_the_value_of(true);
  const auto error = co_await twice_the_value_of(false);
  require(value.has_value() && *value == 6, "a value through two coroutines");
  require(!error.has_value() && !error.error().detail().empty(), "an error through two coroutines");
}
TEST(Results, PassesErrorsOn) {
  expect_sound(passes_errors_on);
}

Task<std::optional<Probe>> optional_probe(bool there) {
  co_await step();
  if (!there) co_return std::nullopt;
  co_return Probe(1);
}

Task<void> returns_optionals() {
  if (auto probe = co_await optional_probe(true); probe && probe->value() == 1) {
    co_await consume(*std::move(probe));
  } else {
    require(false, "an optional value");
  }
  const Probe other = (co_await optional_probe(false)).value_or(Probe(2));
  require(other.value() == 2, "value_or of an awaited optional");
}
TEST(Results, ReturnsOptionals) {
  expect_sound(returns_optionals);
}

Task<void> initialises_from_awaited() {
  const Probe parentheses(co_await make_probe(1));
  const Probe braces{co_await make_probe(2)};
  const auto conversion = Probe(co_await make_probe(3));
  const auto unique = std::make_unique<Probe>(co_await make_probe(4));
  const std::string string(std::to_string(co_await later(5)));
  require(parentheses.value() + braces.value() + conversion.value() + unique->value() == 10 && string == "5",
          "initialisers");
}
TEST(Results, InitialisesFromAwaited) {
  expect_sound(initialises_from_awaited);
}

Task<void> assigns_awaited() {
  int sum = 1;
  sum += co_await later(2);
  std::string string = "x";
  string += co_await later(long_string("a"));
  string = string + co_await later(long_string("b"));
  string = co_await later(long_string("c")) + string;
  std::vector<Probe> probes;
  probes.push_back(co_await make_probe(1));
  probes.emplace_back(co_await make_probe(2));
  std::optional<Probe> optional = co_await make_probe(3);
  optional.emplace(co_await make_probe(4));
  optional = co_await make_probe(5);
  require(sum == 3 && string.size() == 3 * 65 + 1, "scalars and strings");
  require(probes[0].value() + probes[1].value() + optional->value() == 8, "containers");
}
TEST(Results, AssignsAwaited) {
  expect_sound(assigns_awaited);
}

Task<void> new_of_named() {
  Probe probe = co_await make_probe(1);
  const std::unique_ptr<Probe> unique(new Probe(std::move(probe)));
  co_await step();
  require(unique->value() == 1, "new of a named value");
}
TEST(Results, NewOfNamed) {
  expect_sound(new_of_named);
}

struct Named {
  Probe probe;
  int number;
};
Task<Named> named() {
  Named result{Probe(1), 2};
  co_await step();
  co_return result;
}

Task<void> member_of_awaited() {
  const int number = (co_await named()).number;
  const Probe probe = (co_await named()).probe;
  const int value = (co_await maybe_probe(true))->value();
  require(number == 2 && probe.value() == 1 && value == 3, "members of an awaited temporary");
}
TEST(Results, MemberOfAwaited) {
  expect_sound(member_of_awaited);
}

Task<void> binding_of_named() {
  for (int i = 0; i < 3; ++i) {
    const auto result = co_await named();
    const auto& [probe, number] = result;
    co_await step();
    require(probe.value() + number == 3, "a structured binding");
  }
}
TEST(Results, BindingOfNamed) {
  expect_sound(binding_of_named);
}

Task<void> if_instead_of_conditional() {
  for (int i = 0; i < 2; ++i) {
    std::optional<Probe> probe;
    if (i == 1) {
      probe = co_await make_probe(1);
    } else {
      probe.emplace(2);
    }
    require(probe->value() == 2 - i, "if in the place of ?:");
  }
}
TEST(Results, IfInsteadOfConditional) {
  expect_sound(if_instead_of_conditional);
}

Task<void> name_then_build() {
  Probe probe = co_await make_probe(1);
  const int number = co_await later(2);
  const Named built{std::move(probe), number};
  co_await step();
  require(built.probe.value() + built.number == 3, "an aggregate of named values");
}
TEST(Results, NameThenBuild) {
  expect_sound(name_then_build);
}

template <class T>
Task<int> sum_with(T first) {
  const auto found = co_await maybe_probe(true);
  const auto value = [&](const auto& probe) { return probe.value(); };
  int sum = value(first) + value(*found);
  for (const auto& probe : co_await three_probes()) sum += value(probe);
  co_return sum;
}

Task<void> templates() {
  require(co_await sum_with(Probe(1)) == 10, "a coroutine template");
}
TEST(Results, Templates) {
  expect_sound(templates);
}

Task<int> quiet(Probe probe) noexcept {
  co_await step();
  co_return probe.value();
}

Task<void> noexcept_coroutines() noexcept {
  require(co_await quiet(Probe(1)) == 1, "a noexcept coroutine");
}
TEST(Results, Noexcept) {
  expect_sound(noexcept_coroutines);
}

Task<void> lambdas_inside() {
  Probe probe(1);
  const auto by_reference = [&probe](int other) { return probe.value() + other; };
  const auto by_value = [probe](int other) { return probe.value() + other; };
  int sum = 0;
  for (int i = 0; i < 2; ++i) {
    sum += by_reference(i);
    co_await step();
    sum += by_value(i);
  }
  require(sum == 6, "lambdas across awaits");
}
TEST(Results, LambdasInside) {
  expect_sound(lambdas_inside);
}

Task<void> coroutine_lambda() {
  const auto lambda = [](Probe probe, const Probe& other) -> Task<int> {
    co_await step();
    co_return probe.value() + other.value();
  };
  const Probe other(2);
  require(co_await lambda(Probe(1), other) == 3, "a coroutine lambda");
}
TEST(Results, CoroutineLambda) {
  expect_sound(coroutine_lambda);
}

Task<void> locals() {
  enum class Colour { red, green };
  struct Local {
    int number;
    Colour colour;
  };
  const Local local{1, Colour::green};
  Probe probes[3] = {Probe(1), Probe(2), Probe(3)};
  std::array<char, 512> bytes = {};
  std::variant<int, Probe> variant = Probe(4);
  static const int kStatic = 5;
  co_await step();
  bytes[1] = 'x';
  int sum = 0;
  for (const Probe& probe : probes) sum += probe.value();
  co_await step();
  if (const auto* probe = std::get_if<Probe>(&variant)) sum += probe->value();
  require(sum == 10 && bytes[1] == 'x' && local.colour == Colour::green && kStatic == 5,
          "locals across awaits");
}
TEST(Results, Locals) {
  expect_sound(locals);
}

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::string bytes;
  std::size_t position = 0;
};

Task<std::size_t> fill(Buffer& buffer) {
  co_await step();
  if (buffer.bytes.size() > 400) co_return 0;
  const std::string line = long_string("\r\n");
  buffer.bytes += line;
  co_return line.size();
}

Task<std::optional<std::string>> read_line(Buffer& buffer) {
  for (;;) {
    const std::size_t end = buffer.bytes.find("\r\n", buffer.position);
    if (end != std::string::npos) {
      std::string line = buffer.bytes.substr(buffer.position, end - buffer.position);
      buffer.position = end + 2;
      co_return line;
    }
    const std::size_t got = co_await fill(buffer);
    if (got == 0) co_return std::nullopt;
  }
}

Task<void> reads_lines() {
  Buffer buffer;
  int lines = 0;
  while (auto line = co_await read_line(buffer)) {
    require(line->size() == 64, "a line");
    ++lines;
  }
  require(lines == 7, "all lines");
}
TEST(Results, ReadsLines) {
  expect_sound(reads_lines);
}

Task<int> depth(int left, Probe probe) {
  if (left == 0) co_return probe.value();
  co_await step();
  const int below = co_await depth(left - 1, probe);
  co_return below + 1;
}

Task<void> recursion() {
  require(co_await depth(50, Probe(1)) == 51, "fifty frames deep");
}
TEST(Results, Recursion) {
  expect_sound(recursion);
}

}  // namespace
}  // namespace postern::toolchain
