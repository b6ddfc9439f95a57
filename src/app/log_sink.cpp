#include "app/log_sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/sinks/sink.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::app {
namespace {

/// Lines that may wait: half a second at 16,000 lines a second, about 3 MiB.
constexpr std::size_t kQueue = 8192;
/// Lines are joined up to this size while more are waiting.
constexpr std::size_t kBatch = 32 * 1024;
/// A pipe takes a write of this size whole or not at all (pipe(7)), so lines of others in the same pipe stay
/// whole too.
constexpr std::size_t kAtomicWrite = PIPE_BUF;

/// A descriptor that is written to by one thread and that another thread can call off.
class Target {
 public:
  explicit Target(int descriptor) : descriptor_(descriptor), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    struct stat status{};
    if (fstat(descriptor, &status) != 0) return;
    is_socket_ = S_ISSOCK(status.st_mode);
    may_block_ = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode);
    if (may_block_) reopen();
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  ~Target() {
    if (own_ >= 0) close(own_);
    close(wake_);
  }

  /// Waits as long as the target is full. False: not written, or not all of it.
  bool write_all(std::string_view text) noexcept {
    if (torn_ && !put("\n")) return false;  // what broke off stays a line of its own
    torn_ = false;
    return put(text);
  }

  /// From any thread: writing ends by `deadline`.
  void end_by(TimePoint deadline) noexcept {
    deadline_.store(deadline, std::memory_order_release);
    const std::uint64_t one = 1;
    if (write(wake_, &one, sizeof one) < 0) return;  // cannot be: it is written once
  }

 private:
  /// Descriptors that others may share must not be made non-blocking: the flag would be theirs too. A pipe or
  /// terminal can be opened once more; where that is not allowed (it belongs to another user) poll has to do.
  void reopen() {
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor_);
    own_ = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (own_ < 0) return;
    descriptor_ = own_;
    may_block_ = false;
  }

  ssize_t put_some(std::string_view text) noexcept {
    if (is_socket_) return send(descriptor_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(descriptor_, text.data(), text.size());
  }

  bool put(std::string_view text) noexcept {
    const std::size_t whole = text.size();
    while (!text.empty()) {
      if (may_block_ && !wait_writable()) break;
      const ssize_t put = put_some(text);
      if (put >= 0) {
        text.remove_prefix(static_cast<std::size_t>(put));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!wait_writable()) break;
      } else if (errno != EINTR) {
        break;
      }
    }
    if (!text.empty() && text.size() < whole) torn_ = true;
    return text.empty();
  }

  bool wait_writable() noexcept {
    for (;;) {
      const TimePoint deadline = deadline_.load(std::memory_order_acquire);
      const bool ending = deadline != TimePoint::max();
      int timeout_ms = -1;
      if (ending) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - system_clock().now());
        if (left.count() <= 0) return false;
        timeout_ms = static_cast<int>(left.count());
      }
      // Once called off, `wake_` stays readable: only the target counts then.
      pollfd wanted[] = {{descriptor_, POLLOUT, 0}, {wake_, POLLIN, 0}};
      const int ready = poll(wanted, ending ? 1 : 2, timeout_ms);
      if (ready < 0 && errno != EINTR) return false;
      if (ready > 0 && wanted[0].revents != 0) return true;  // an error too: the next write tells
    }
  }

  int descriptor_;
  int own_ = -1;
  int wake_;
  bool is_socket_ = false;
  bool may_block_ = false;
  bool torn_ = false;
  std::atomic<TimePoint> deadline_{TimePoint::max()};
};

std::uint64_t count_lines(std::string_view text) noexcept {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

/// The first lines of `text` that fit into one atomic write; a longer line is alone.
std::string_view first_chunk(std::string_view text) noexcept {
  if (text.size() <= kAtomicWrite) return text;
  std::size_t end = text.rfind('\n', kAtomicWrite - 1);
  if (end == std::string_view::npos) end = text.find('\n');
  return text.substr(0, end + 1);
}

/// Joins lines while more are waiting and writes them as soon as none is. Runs on the pool's thread only.
class LineSink final : public spdlog::sinks::sink {
 public:
  explicit LineSink(int descriptor) : target_(descriptor) {}

  void watch(spdlog::details::thread_pool& pool) { pool_ = &pool; }
  Target& target() noexcept { return target_; }
  std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

  void log(const spdlog::details::log_msg& message) override {
    pending_.append(message.payload.data(), message.payload.size()).push_back('\n');
    if (pending_.size() >= kBatch || pool_->queue_size() == 0) flush();
  }

  void flush() override {
    for (std::string_view rest = pending_; !rest.empty();) {
      const std::string_view chunk = first_chunk(rest);
      if (!target_.write_all(chunk)) lost_.fetch_add(count_lines(chunk), std::memory_order_relaxed);
      rest.remove_prefix(chunk.size());
    }
    pending_.clear();
  }

  void set_pattern(const std::string&) override {}  // lines come finished
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  Target target_;
  spdlog::details::thread_pool* pool_ = nullptr;
  std::string pending_;
  std::atomic<std::uint64_t> lost_{0};
};

spdlog::level::level_enum to_spdlog(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// Signals are others' affair; SIGPIPE among them: a pipe without reader is an error of write(2).
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

struct AsyncLogSink::Impl {
  Impl(int descriptor, std::chrono::milliseconds longest)
      : grace(longest), sink(std::make_shared<LineSink>(descriptor)) {}

  ~Impl() {
    if (!pool) start();
    sink->target().end_by(system_clock().now() + grace);
    pool.reset();  // ends and joins the thread, after all that is queued went through the sink
  }

  void start() {
    pool = std::make_shared<spdlog::details::thread_pool>(kQueue, 1, block_signals,
                                                          [lines = sink] { lines->flush(); });
    sink->watch(*pool);
    logger = std::make_shared<spdlog::async_logger>("log", sink, pool,
                                                    spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(spdlog::level::trace);  // whoever builds lines has decided
    logger->flush_on(spdlog::level::err);
    // Only memory can have failed. spdlog would print, to a descriptor that may block.
    logger->set_error_handler([this](const std::string&) { failed.fetch_add(1, std::memory_order_relaxed); });
    for (const auto& [level, line] : early) logger->log(level, line);
    early.clear();
  }

  void write(spdlog::level::level_enum level, std::string_view line) {
    if (logger) {
      logger->log(level, spdlog::string_view_t(line.data(), line.size()));
    } else {
      early.emplace_back(level, line);
    }
  }

  const std::chrono::milliseconds grace;
  std::atomic<std::uint64_t> failed{0};
  std::shared_ptr<LineSink> sink;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
  std::vector<std::pair<spdlog::level::level_enum, std::string>> early;  // before the start
};

AsyncLogSink::AsyncLogSink(int descriptor, std::chrono::milliseconds grace)
    : impl_(std::make_unique<Impl>(descriptor, grace)) {}

AsyncLogSink::~AsyncLogSink() = default;

void AsyncLogSink::start() {
  impl_->start();
}

void AsyncLogSink::write(LogLevel level, std::string_view line) noexcept {
  try {
    impl_->write(to_spdlog(level), line);
  } catch (...) {  // no memory for a line: lost like any other
    impl_->failed.fetch_add(1, std::memory_order_relaxed);
  }
}

std::uint64_t AsyncLogSink::dropped() const noexcept {
  const std::uint64_t overrun = impl_->pool ? impl_->pool->overrun_counter() : 0;
  return overrun + impl_->sink->lost() + impl_->failed.load(std::memory_order_relaxed);
}

}  // namespace postern::app
