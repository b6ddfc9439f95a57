// What must not compile. ctest compiles this file once for each case and looks for the reason in what the
// compiler says; case 0 is the same without the offence and must compile. Not part of any program.

#include <string>

#include "postern/coro/task.hpp"

namespace {

using postern::coro::Task;

struct Aggregate {
  std::string name;
  int number = 0;
};

/// The same with a constructor.
class Named {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  std::size_t size() const { return name_.size(); }

 private:
  std::string name_;
};

class Awaiter {
 public:
  explicit Awaiter(std::string name) : name_(std::move(name)) {}
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  std::size_t await_resume() const noexcept { return name_.size(); }

 private:
  std::string name_;
};

struct AggregateAwaiter {
  std::string name;
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  std::size_t await_resume() const noexcept { return name.size(); }
};

Task<std::size_t> child(Named named) {
  co_return named.size();
}

#if POSTERN_CASE == 1  // a parameter that is an aggregate with a destructor
Task<std::size_t> offender(Aggregate aggregate) {
  co_return aggregate.name.size();
}
#elif POSTERN_CASE == 2  // the same by reference
Task<std::size_t> offender(const Aggregate& aggregate) {
  co_return aggregate.name.size();
}
#elif POSTERN_CASE == 3  // an awaiter that is an aggregate with a destructor
Task<std::size_t> offender() {
  co_return co_await AggregateAwaiter{"x"};
}
#elif POSTERN_CASE == 4  // a task that is awaited as an lvalue, and so perhaps twice
Task<std::size_t> offender() {
  Task<std::size_t> task = child(Named("x"));
  co_return co_await task;
}
#elif POSTERN_CASE == 5  // a copied task
Task<std::size_t> offender() {
  Task<std::size_t> task = child(Named("x"));
  Task<std::size_t> copy = task;
  co_return co_await std::move(copy);
}
#elif POSTERN_CASE == 6  // a task that nobody awaits
Task<void> offender() {
  child(Named("x"));
  co_return;
}
#else
Task<std::size_t> offender(Named named) {
  const std::size_t before = co_await Awaiter("x");
  Task<std::size_t> task = child(std::move(named));
  const std::size_t after = co_await std::move(task);
  co_return before + after;
}
#endif

}  // namespace

int main() {
  [[maybe_unused]] const auto keep = &offender;
  [[maybe_unused]] const auto used = &child;
  [[maybe_unused]] const Aggregate aggregate;
  [[maybe_unused]] const AggregateAwaiter aggregate_awaiter{"x"};
}
