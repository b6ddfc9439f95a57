// Arguments and temporaries of statements that await: what of the coroutine subset
// (docs/adr/0002-coroutine-subset.md) each test stands for.
//
//   test                              pattern
//   ClassTemporaries                  temporaries of classes with constructors, by value and by reference
//   StandardTemporaries               std::unique_ptr, optional, pair, string and shared_ptr temporaries
//   StringsAndViews                   string concatenations, looked at through string_view and const string&
//   DefaultArguments                  default arguments of class type
//   TrivialAggregates                 aggregates of scalars and views, built by braces
//   Arrays                            std::array parameters
//   NamedThenMoved                    std::move of a named object, the form that the lint asks for
//   NamedContainers                   a vector that was named first
//   ReferenceCaptures                 [&] lambdas as arguments
//   NamedLambdaMoved                  a capturing lambda that was named first; the same in a std::function
//   ReferencesToTheCallersFrame       parameters that are references to locals of the caller
//   AwaitedArguments                  f(co_await a(co_await b())) and mixes with temporaries
//   TaskAsArgument                    a task that is passed on and awaited as an rvalue
//   MemberCoroutines                  member functions, const ones, through a unique_ptr, of a temporary
//   AwaiterWithConstructor            an awaiter class that has a destructor and a constructor
//   AwaiterOfTrivialAggregate         a trivially destructible awaiter, built by braces
//   AwaiterThatIsNamed                an awaiter variable, awaited as an lvalue and as an rvalue
//   AwaiterFromOperator               an awaiter that operator co_await returns
//   NeverStarted                      a task that is destroyed without having been awaited

#include <gtest/gtest.h>

#include <array>
#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "toolchain/patterns.hpp"

namespace postern::toolchain {
namespace {

class Pair {
 public:
  Pair(Probe first, int second) : first_(std::move(first)), second_(second) {}
  int sum() const { return first_.value() + second_; }

 private:
  Probe first_;
  int second_;
};

Task<int> sum_of(Pair pair) {
  co_await step();
  co_return pair.sum();
}
Task<int> sum_of_reference(const Pair& pair) {
  co_await step();
  co_return pair.sum();
}

Task<void> class_temporaries() {
  co_await consume(Probe(1));
  require(co_await look_at(Probe(2)) == 2, "a temporary by reference");
  require(co_await sum_of(Pair(Probe(1), 2)) == 3, "a class by value");
  require(co_await sum_of(Pair{Probe(2), 2}) == 4, "a class by value, braces call its constructor");
  require(co_await sum_of_reference(Pair(Probe(3), 2)) == 5, "a class by reference");
}
TEST(Arguments, ClassTemporaries) {
  expect_sound(class_temporaries);
}

Task<int> standard_types(std::unique_ptr<Probe> unique, std::optional<Probe> optional,
                         std::pair<Probe, int> pair, std::string string, std::shared_ptr<Probe> shared) {
  co_await step();
  co_return unique->value() + optional->value() + pair.first.value() + pair.second + shared->value() +
      static_cast<int>(string.size());
}

Task<void> standard_temporaries() {
  const int implicit =
      co_await standard_types(std::make_unique<Probe>(1), Probe(2), std::pair(Probe(3), 4),
                              "a string that is long enough to be on the heap", std::make_shared<Probe>(5));
  const int explicit_ = co_await standard_types(std::make_unique<Probe>(1), std::optional<Probe>(Probe(2)),
                                                std::pair<Probe, int>(Probe(3), 4), long_string(""),
                                                std::make_shared<Probe>(5));
  require(implicit == 15 + 46 && explicit_ == 15 + 64, "standard types by value");
}
TEST(Arguments, StandardTemporaries) {
  expect_sound(standard_temporaries);
}

Task<std::size_t> size_of_view(std::string_view view) {
  co_await step();
  const std::size_t before = view.find('#');
  co_await step();
  co_return view.find('#') == before ? view.size() : 0;
}
Task<std::size_t> size_of_string(const std::string& string) {
  co_await step();
  co_return string.size();
}

Task<void> strings_and_views() {
  const std::string middle = long_string("#");
  const std::size_t viewed = co_await size_of_view(long_string("head") + middle + "tail");
  const std::size_t referenced = co_await size_of_string(long_string("head") + middle + "tail");
  require(viewed == 64 + 4 + 65 + 4 && referenced == viewed, "a concatenation that is looked at");
}
TEST(Arguments, StringsAndViews) {
  expect_sound(strings_and_views);
}

Task<int> with_defaults(Probe by_value = Probe(1), const Probe& by_reference = Probe(2)) {
  co_await step();
  co_return by_value.value() + by_reference.value();
}

Task<void> default_arguments() {
  require(co_await with_defaults() == 3, "two default arguments");
  require(co_await with_defaults(Probe(5)) == 7, "one default argument");
}
TEST(Arguments, DefaultArguments) {
  expect_sound(default_arguments);
}

struct Options {
  int number = 1;
  std::string_view word = "x";
  const void* pointer = nullptr;
};

Task<int> by_options(Options options) {
  co_await step();
  co_return options.number + static_cast<int>(options.word.size());
}
Task<int> by_options_reference(const Options& options) {
  co_await step();
  co_return options.number + static_cast<int>(options.word.size());
}

Task<void> trivial_aggregates() {
  require(co_await by_options({.number = 2, .word = "abc"}) == 5, "designated members");
  require(co_await by_options_reference(Options{3, "ab", nullptr}) == 5, "by reference");
  require(co_await by_options({}) == 2, "all members by default");
}
TEST(Arguments, TrivialAggregates) {
  expect_sound(trivial_aggregates);
}

Task<char> fourth(std::array<char, 64> letters) {
  co_await step();
  co_return letters[3];
}

Task<void> arrays() {
  std::array<char, 64> letters = {};
  letters[3] = 'x';
  require(co_await fourth(letters) == 'x', "an array by value");
}
TEST(Arguments, Arrays) {
  expect_sound(arrays);
}

Task<void> named_then_moved() {
  Probe probe(1);
  co_await consume(std::move(probe));
  Pair pair(Probe(2), 2);
  const int sum = co_await sum_of(std::move(pair));
  auto unique = std::make_unique<Probe>(3);
  const auto back = co_await later(std::move(unique));
  require(sum == 4 && back->value() == 3, "named objects that are moved");
}
TEST(Arguments, NamedThenMoved) {
  expect_sound(named_then_moved);
}

Task<std::size_t> count_of(std::vector<std::string> strings) {
  co_await step();
  co_return strings.size() + strings.front().size();
}

Task<void> named_containers() {
  std::vector<std::string> strings = {long_string("1"), long_string("2")};
  require(co_await count_of(std::move(strings)) == 2 + 65, "a vector that was named first");
}
TEST(Arguments, NamedContainers) {
  expect_sound(named_containers);
}

Task<void> reference_captures() {
  Probe probe(1);
  int calls = 0;
  co_await call_twice([&] { calls += probe.value(); });
  co_await call_twice([&probe, &calls] { calls += probe.value(); });
  co_await call_twice_by_reference([&] { calls += probe.value(); });
  require(calls == 6, "lambdas that capture by reference");
}
TEST(Arguments, ReferenceCaptures) {
  expect_sound(reference_captures);
}

Task<void> named_lambda_moved() {
  int calls = 0;
  auto lambda = [probe = Probe(1), &calls] { calls += probe.value(); };
  co_await call_twice(std::move(lambda));
  std::function<void()> function = [probe = Probe(1), &calls] { calls += probe.value(); };
  co_await call_twice(std::move(function));
  require(calls == 4, "lambdas that were named first");
}
TEST(Arguments, NamedLambdaMoved) {
  expect_sound(named_lambda_moved);
}

Task<void> count_up(const Probe& probe, int& count) {
  co_await step();
  count += probe.value();
}

Task<void> references_to_the_callers_frame() {
  const Probe probe(1);
  int count = 0;
  for (int i = 0; i < 3; ++i) co_await count_up(probe, count);
  require(count == 3, "references into the caller's frame");
}
TEST(Arguments, ReferencesToTheCallersFrame) {
  expect_sound(references_to_the_callers_frame);
}

int add(Probe a, const Probe& b) {
  return a.value() + b.value();
}

Task<void> awaited_arguments() {
  int sum = add(co_await make_probe(1), Probe(2));
  sum += add(Probe(3), co_await make_probe(4));
  sum += add(co_await make_probe(5), co_await make_probe(6));
  co_await consume(co_await later(co_await make_probe(7)));
  require(sum == 21, "awaits as arguments");
}
TEST(Arguments, AwaitedArguments) {
  expect_sound(awaited_arguments);
}

Task<int> awaits_its_argument(Task<Probe> task, Probe other) {
  const Probe probe = co_await std::move(task);
  co_return probe.value() + other.value();
}

Task<void> task_as_argument() {
  require(co_await awaits_its_argument(make_probe(1), Probe(2)) == 3, "a task as a temporary");
  Task<Probe> named = make_probe(3);
  require(co_await awaits_its_argument(std::move(named), Probe(4)) == 7, "a task that was named");
}
TEST(Arguments, TaskAsArgument) {
  expect_sound(task_as_argument);
}

class Session {
 public:
  explicit Session(int value) : probe_(value) {}
  Task<int> add(Probe other) {
    co_await step();
    co_return probe_.value() + other.value();
  }
  Task<int> value() const {
    co_await step();
    co_return probe_.value();
  }

 private:
  Probe probe_;
};

Task<int> owns(std::unique_ptr<Session> session) {
  const int sum = co_await session->add(Probe(1));
  co_return sum + co_await session->value();
}

Task<void> member_coroutines() {
  Session session(1);
  int sum = co_await session.add(Probe(2));
  sum += co_await session.value();
  sum += co_await owns(std::make_unique<Session>(3));
  sum += co_await Session(4).add(Probe(5));
  require(sum == 3 + 1 + 7 + 9, "member coroutines");
}
TEST(Arguments, MemberCoroutines) {
  expect_sound(member_coroutines);
}

class ProbingAwaiter {
 public:
  explicit ProbingAwaiter(int value) : probe_(value) {}
  bool await_ready() const noexcept { return step_.await_ready(); }
  bool await_suspend(std::coroutine_handle<> self) const { return step_.await_suspend(self); }
  int await_resume() const { return probe_.value(); }

 private:
  Probe probe_;
  Step step_;
};
ProbingAwaiter probing(const Probe& probe) {
  return ProbingAwaiter(probe.value());
}

Task<void> awaiter_with_constructor() {
  int sum = co_await ProbingAwaiter(1);
  sum += co_await ProbingAwaiter{2};
  sum += co_await probing(Probe(3));
  require(sum == 6, "awaiters with a constructor");
}
TEST(Arguments, AwaiterWithConstructor) {
  expect_sound(awaiter_with_constructor);
}

struct TrivialAwaiter {
  int value;
  const void* pointer;
  bool await_ready() const noexcept { return Step().await_ready(); }
  bool await_suspend(std::coroutine_handle<> self) const { return Step().await_suspend(self); }
  int await_resume() const noexcept { return value; }
};

Task<void> awaiter_of_trivial_aggregate() {
  int sum = co_await TrivialAwaiter{1, nullptr};
  sum += co_await TrivialAwaiter{.value = 2, .pointer = &sum};
  require(sum == 3, "awaiters that are trivially destructible");
}
TEST(Arguments, AwaiterOfTrivialAggregate) {
  expect_sound(awaiter_of_trivial_aggregate);
}

Task<void> awaiter_that_is_named() {
  ProbingAwaiter awaiter(1);
  int sum = co_await awaiter;
  sum += co_await std::move(awaiter);
  require(sum == 2, "awaiters with a name");
}
TEST(Arguments, AwaiterThatIsNamed) {
  expect_sound(awaiter_that_is_named);
}

class Awaitable {
 public:
  explicit Awaitable(int value) : probe_(value) {}
  ProbingAwaiter operator co_await() && { return ProbingAwaiter(probe_.value()); }

 private:
  Probe probe_;
};

Task<void> awaiter_from_operator() {
  int sum = co_await Awaitable(1);
  Awaitable named(2);
  sum += co_await std::move(named);
  require(sum == 3, "awaiters from operator co_await");
}
TEST(Arguments, AwaiterFromOperator) {
  expect_sound(awaiter_from_operator);
}

Task<void> takes_two(std::unique_ptr<Probe> unique, Probe probe) {
  co_await step();
  require(unique->value() + probe.value() == 3, "arguments of a task that began");
}

Task<void> never_started() {
  {
    const auto task = takes_two(std::make_unique<Probe>(1), Probe(2));
  }
  co_await takes_two(std::make_unique<Probe>(1), Probe(2));
}
TEST(Arguments, NeverStarted) {
  expect_sound(never_started);
}

}  // namespace
}  // namespace postern::toolchain
