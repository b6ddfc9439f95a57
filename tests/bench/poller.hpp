#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace postern::bench {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

/// Something with a descriptor, which the Poller owns and tells what happens to it.
class Pollable {
 public:
  explicit Pollable(int descriptor) : descriptor_(descriptor) {}
  Pollable(const Pollable&) = delete;
  Pollable& operator=(const Pollable&) = delete;
  virtual ~Pollable();
  int descriptor() const noexcept { return descriptor_; }

  virtual void on_ready(std::uint32_t events) = 0;
  virtual void on_time() {}

 private:
  friend class Poller;
  int descriptor_;
  std::uint32_t interest_ = 0;
  Time due_ = Time::max();
  bool done_ = false;
};

/// One thread's epoll. Errors of the system end the program: this is a measuring tool.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Takes it, and watches it for these events (EPOLLIN, EPOLLOUT).
  void add(std::unique_ptr<Pollable> pollable, std::uint32_t events);
  void watch(Pollable& pollable, std::uint32_t events);
  /// Calls on_time() then, once; instead of what was asked for before.
  void wake(Pollable& pollable, Time due);
  /// Destroyed, and its descriptor closed, when this turn is over.
  void remove(Pollable& pollable);

  /// Waits for something to happen, not longer than until then, and lets it.
  void turn(Time latest);

 private:
  void bury();

  int epoll_;
  std::set<std::pair<Time, Pollable*>> waiting_;
  std::unordered_map<Pollable*, std::unique_ptr<Pollable>> all_;
  std::vector<Pollable*> dead_;
};

/// Ends the program with what the system says; for calls that have to succeed.
[[noreturn]] void fail(std::string_view what);

}  // namespace postern::bench
