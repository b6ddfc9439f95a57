#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "postern/base/assert.hpp"

/// Coroutines, where something waits. The rules that Debian 12's g++ imposes are in
/// docs/adr/0002-coroutine-subset.md and checked by tests/tools/coro_lint.py: one await per statement, no
/// class temporary built by braces in it, every argument named.
namespace postern::coro {

/// Whether g++ 12 destroys a temporary of this type once in a statement that awaits: aggregates with a
/// destructor of their own are destroyed twice.
template <class A>
inline constexpr bool kCrossesAwait = !(std::is_aggregate_v<std::remove_cvref_t<A>> &&
                                        !std::is_trivially_destructible_v<std::remove_cvref_t<A>>);

template <class T>
class Task;

namespace detail {

class PromiseBase {
 public:
  std::suspend_always initial_suspend() const noexcept { return {}; }

  /// Resumes the parent only if it really suspended; otherwise its `await_suspend` goes on by itself.
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      PromiseBase& promise = self.promise();
      if (promise.parent_suspended_) promise.parent_.resume();
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  template <class Awaitable>
  decltype(auto) await_transform(Awaitable&& awaitable) const noexcept {
    static_assert(kCrossesAwait<Awaitable>,
                  "an awaiter must have constructors or a trivial destructor (g++ 12)");
    return std::forward<Awaitable>(awaitable);
  }

  void set_parent(std::coroutine_handle<> parent) noexcept { parent_ = parent; }
  bool has_begun() const noexcept { return static_cast<bool>(parent_); }
  void parent_suspends() noexcept { parent_suspended_ = true; }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::coroutine_handle<> parent_;
  bool parent_suspended_ = false;
  std::exception_ptr exception_;
};

template <class T>
class Promise : public PromiseBase {
 public:
  template <class... Args>
  explicit Promise(Args&&...) noexcept {
    static_assert((kCrossesAwait<Args> && ...), "a coroutine's parameter must not be an aggregate (g++ 12)");
  }
  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseBase {
 public:
  template <class... Args>
  explicit Promise(Args&&...) noexcept {
    static_assert((kCrossesAwait<Args> && ...), "a coroutine's parameter must not be an aggregate (g++ 12)");
  }
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() const noexcept {}
};

}  // namespace detail

/// The work of a coroutine that has not begun. It begins when it is awaited, once, as an rvalue: it runs in
/// place until it first has to wait, and if it never does, the awaiting coroutine goes on without having
/// suspended. So a million awaits that do not wait use no stack and no queue, at any level of optimisation.
///
/// A suspended coroutine is never destroyed: it is cancelled by waking it with an error. Destroying a Task
/// that has not begun, or has ended, is fine.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (!frame_) return;
    POSTERN_ASSERT(!frame_.promise().has_begun() || frame_.done());
    frame_.destroy();
  }

  class Awaiter {
   public:
    explicit Awaiter(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> parent) const {
      frame_.promise().set_parent(parent);
      frame_.resume();
      if (frame_.done()) return false;
      frame_.promise().parent_suspends();
      return true;
    }
    T await_resume() const {
      frame_.promise().rethrow();
      return frame_.promise().take();
    }

   private:
    std::coroutine_handle<promise_type> frame_;
  };
  Awaiter operator co_await() && noexcept {
    POSTERN_ASSERT(frame_ && !frame_.promise().has_begun());
    return Awaiter(frame_);
  }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

  std::coroutine_handle<promise_type> frame_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> detail::Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace postern::coro
