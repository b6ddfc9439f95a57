#pragma once

#include <functional>
#include <memory>

#include "postern/base/readiness.hpp"
#include "postern/coro/offload.hpp"
#include "postern/coro/scheduler.hpp"

namespace postern::loop {

/// An event loop on libuv; the only module that sees libuv. Belongs to the thread that calls run(); only
/// post() may be called from others.
class Loop final : public coro::Scheduler, public coro::Offload {
 public:
  explicit Loop(const Clock& clock);
  /// Everything made from it has to be gone; asserts that no handle is left, and that nothing runs on a
  /// thread (await idle() before stop()).
  ~Loop() override;

  TimePoint now() const noexcept override { return clock_.now(); }
  const Clock& clock() const noexcept { return clock_; }
  void enqueue(std::coroutine_handle<> coroutine) override;
  void arm(coro::Timer& timer, TimePoint when) override;
  void disarm(coro::Timer& timer) noexcept override;
  std::uint64_t turn() const noexcept override { return turn_; }

  /// Runs until stop().
  void run();
  /// Ends run() after the current iteration. On the loop's thread.
  void stop() noexcept;

  /// Runs a function on the loop's thread, in a later iteration. Safe on any thread while the loop exists;
  /// what is posted and not run when the loop is destroyed is dropped.
  void post(std::function<void()> function);

  /// The readiness of a descriptor. Has to be destroyed before the descriptor is closed.
  std::unique_ptr<Readiness> watch(int descriptor);

  /// Calls the function on the loop's thread each time the process gets the signal.
  void on_signal(int signal, std::function<void()> function);

 private:
  struct Handles;
  void start(std::function<void()> work, std::function<void()> done) override;
  friend struct Handles;
  void run_batch();
  void rearm_timer();

  const Clock& clock_;
  coro::TimerHeap timers_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> batch_;
  std::uint64_t turn_ = 0;
  std::unique_ptr<Handles> handles_;
};

/// The version of the libuv that is loaded.
const char* libuv_version() noexcept;

}  // namespace postern::loop
