#pragma once

#include <type_traits>
#include <utility>

#include "postern/coro/task.hpp"
#include "postern/loop/loop.hpp"
#include "support/test_scheduler.hpp"

namespace postern::test {

template <class T>
coro::Task<T> then_stop(loop::Loop& loop, coro::Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(task);
    loop.stop();
  } else {
    T value = co_await std::move(task);
    loop.stop();
    co_return value;
  }
}

/// Runs a real loop until the task has ended, and gives its result. For tasks that do not throw.
template <class T>
T run_on(loop::Loop& loop, coro::Task<T> task) {
  Running<T> running(loop, then_stop(loop, std::move(task)));
  loop.run();
  return running.take();
}

}  // namespace postern::test
