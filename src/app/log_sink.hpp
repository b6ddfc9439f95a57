#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "postern/base/log.hpp"

namespace postern::app {

/// Writes the log to a descriptor (standard output or error) from a thread of its own. Whoever logs never
/// waits: when the target takes nothing, the oldest lines in the queue are lost and counted.
///
/// Until `start()`, by one thread, lines are kept: what a start does before it has given up its rights has to
/// be done while there is one thread only. The destructor starts what was not started.
///
/// Lines leave in the order they came, whole, each with a line end, as soon as the target takes them; what
/// cannot be written because the target is gone or full is counted as lost. The descriptor is borrowed: it
/// has to stay open and keeps its flags (other processes may share it).
class AsyncLogSink final : public LogSink {
 public:
  /// How long the destructor waits for a target that takes nothing.
  static constexpr std::chrono::milliseconds kGrace{2000};

  explicit AsyncLogSink(int descriptor, std::chrono::milliseconds grace = kGrace);
  /// Writes what is queued, within the grace; the rest is lost. Nobody may write any more.
  ~AsyncLogSink() override;

  /// Makes the thread; once.
  void start();

  void write(LogLevel level, std::string_view line) noexcept override;
  std::uint64_t dropped() const noexcept override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::app
