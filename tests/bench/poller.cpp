#include "bench/poller.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace postern::bench {

void fail(std::string_view what) {
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(what.size()), what.data(), std::strerror(errno));
  std::_Exit(1);
}

Pollable::~Pollable() {
  close(descriptor_);
}

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) fail("epoll_create1");
}

Poller::~Poller() {
  close(epoll_);
}

void Poller::add(std::unique_ptr<Pollable> pollable, std::uint32_t events) {
  epoll_event event{events, {pollable.get()}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, pollable->descriptor(), &event) != 0) fail("epoll_ctl");
  pollable->interest_ = events;
  Pollable* key = pollable.get();
  all_.emplace(key, std::move(pollable));
}

void Poller::watch(Pollable& pollable, std::uint32_t events) {
  if (pollable.interest_ == events || pollable.done_) return;
  epoll_event event{events, {&pollable}};
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, pollable.descriptor(), &event) != 0) fail("epoll_ctl");
  pollable.interest_ = events;
}

void Poller::wake(Pollable& pollable, Time due) {
  if (pollable.done_ || pollable.due_ == due) return;
  if (pollable.due_ != Time::max()) waiting_.erase({pollable.due_, &pollable});
  pollable.due_ = due;
  if (due != Time::max()) waiting_.insert({due, &pollable});
}

void Poller::remove(Pollable& pollable) {
  if (pollable.done_) return;
  wake(pollable, Time::max());
  pollable.done_ = true;
  dead_.push_back(&pollable);
}

void Poller::turn(Time latest) {
  if (!waiting_.empty()) latest = std::min(latest, waiting_.begin()->first);
  int timeout = -1;
  if (latest != Time::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(latest - Clock::now());
    timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1000));
  }
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  for (int i = 0; i < count; ++i) {
    auto& pollable = *static_cast<Pollable*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (!pollable.done_) pollable.on_ready(events[static_cast<std::size_t>(i)].events);
  }
  while (!waiting_.empty() && waiting_.begin()->first <= Clock::now()) {
    Pollable& pollable = *waiting_.begin()->second;
    wake(pollable, Time::max());
    pollable.on_time();
  }
  bury();
}

void Poller::bury() {
  for (Pollable* dead : dead_) all_.erase(dead);
  dead_.clear();
}

}  // namespace postern::bench
