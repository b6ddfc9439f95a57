#include "app/log_sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace postern::app {
namespace {

using namespace std::chrono_literals;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }
  int get() const { return fd_; }
  void reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

/// Two connected ends, nobody reads.
class LogSinkTest : public testing::Test {
 protected:
  void make_pipe() {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
  }
  void make_sockets() {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
  }

  /// Reads until `stop` lines came or the other side is closed.
  std::vector<std::string> read_lines(std::size_t stop = SIZE_MAX) const {
    std::string text;
    std::size_t lines = 0;
    std::array<char, 65536> buffer{};
    while (lines < stop) {
      const ssize_t got = read(reader_.get(), buffer.data(), buffer.size());
      if (got <= 0) break;
      lines += static_cast<std::size_t>(std::count(buffer.begin(), buffer.begin() + got, '\n'));
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return split(text);
  }

  /// What has no line end is marked, so that no comparison takes it for a line.
  static std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t from = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', from)) {
      lines.push_back(text.substr(from, end - from));
      from = end + 1;
    }
    if (from < text.size()) lines.push_back(text.substr(from) + " (cut)");
    return lines;
  }

  Descriptor reader_, writer_;
};

/// Lines of different lengths that tell whether they are whole.
std::string numbered(std::size_t number) {
  return "begin " + std::to_string(number) + " " + std::string(number % 300, 'x') + " end " +
         std::to_string(number);
}

std::optional<std::size_t> number_of(const std::string& line) {
  if (!line.starts_with("begin ")) return std::nullopt;
  const std::size_t number = std::strtoull(line.c_str() + 6, nullptr, 10);
  return line == numbered(number) ? std::optional(number) : std::nullopt;
}

void expect_whole_and_in_order(const std::vector<std::string>& lines) {
  std::optional<std::size_t> last;
  for (const std::string& line : lines) {
    const std::optional<std::size_t> number = number_of(line);
    ASSERT_TRUE(number) << line;
    ASSERT_TRUE(!last || *last < *number) << line;
    last = number;
  }
}

void write_to_blocked(AsyncLogSink& sink, std::size_t lines) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < lines; ++i) sink.write(LogLevel::info, numbered(i));
  // A tenth of a second is usual; one line that waited would take for ever.
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
}

TEST_F(LogSinkTest, WritesALineAtOnceWithItsEnd) {
  make_pipe();
  AsyncLogSink sink(writer_.get());
  sink.start();
  sink.write(LogLevel::info, "one");
  EXPECT_EQ(read_lines(1), std::vector<std::string>{"one"});  // while the sink lives: nothing waits for more
  sink.write(LogLevel::error, "two");
  EXPECT_EQ(read_lines(1), std::vector<std::string>{"two"});
  EXPECT_EQ(sink.dropped(), 0u);
}

TEST_F(LogSinkTest, WritesWhatIsQueuedWhenDestroyed) {
  make_pipe();
  {
    AsyncLogSink sink(writer_.get());
    sink.start();
    for (std::size_t i = 0; i < 300; ++i) sink.write(LogLevel::debug, numbered(i));
  }
  writer_.reset();
  const std::vector<std::string> lines = read_lines();
  EXPECT_EQ(lines.size(), 300u);
  expect_whole_and_in_order(lines);
}

TEST_F(LogSinkTest, KeepsLinesUntilItIsStarted) {
  make_pipe();
  AsyncLogSink sink(writer_.get());
  sink.write(LogLevel::info, "early");
  pollfd wanted{reader_.get(), POLLIN, 0};
  EXPECT_EQ(poll(&wanted, 1, 0), 0);
  sink.start();
  sink.write(LogLevel::info, "late");
  EXPECT_EQ(read_lines(2), (std::vector<std::string>{"early", "late"}));
}

TEST_F(LogSinkTest, WritesWithoutAStartWhenDestroyed) {
  make_pipe();
  {
    AsyncLogSink(writer_.get()).write(LogLevel::error, "start_failed");
  }
  EXPECT_EQ(read_lines(1), std::vector<std::string>{"start_failed"});
}

TEST_F(LogSinkTest, NeverWaitsForAPipeThatNobodyReads) {
  make_pipe();
  constexpr std::size_t kLines = 100'000;
  {
    AsyncLogSink sink(writer_.get(), 50ms);
    sink.start();
    write_to_blocked(sink, kLines);
    EXPECT_GT(sink.dropped(), 0u);
    EXPECT_LT(sink.dropped(), kLines);
  }
  writer_.reset();
  const std::vector<std::string> lines = read_lines();
  EXPECT_GT(lines.size(), 0u);
  EXPECT_LT(lines.size(), kLines);
  expect_whole_and_in_order(lines);
}

TEST_F(LogSinkTest, EndsInTimeWhenThePipeIsBlocked) {
  make_pipe();
  auto sink = std::make_optional<AsyncLogSink>(writer_.get(), 50ms);
  sink->start();
  write_to_blocked(*sink, 20'000);
  const auto start = std::chrono::steady_clock::now();
  sink.reset();
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, 50ms);
  EXPECT_LT(took, 20s);
}

TEST_F(LogSinkTest, AReaderThatComesLateInTheGraceGetsTheRest) {
  make_pipe();
  constexpr std::size_t kLines = 4000;  // more than the pipe holds, less than the queue
  std::uint64_t dropped = 1;
  std::thread ending([&] {
    AsyncLogSink sink(writer_.get(), 60s);
    sink.start();
    for (std::size_t i = 0; i < kLines; ++i) sink.write(LogLevel::info, numbered(i));
    dropped = sink.dropped();
  });
  const std::vector<std::string> lines = read_lines(kLines);
  ending.join();
  EXPECT_EQ(dropped, 0u);
  EXPECT_EQ(lines.size(), kLines);
  expect_whole_and_in_order(lines);
}

TEST_F(LogSinkTest, NeverWaitsForASocketThatNobodyReads) {
  make_sockets();
  {
    AsyncLogSink sink(writer_.get(), 50ms);
    sink.start();
    write_to_blocked(sink, 50'000);
    EXPECT_GT(sink.dropped(), 0u);
  }
  writer_.reset();
  const std::vector<std::string> lines = read_lines();
  EXPECT_GT(lines.size(), 0u);
  expect_whole_and_in_order(lines);
}

TEST_F(LogSinkTest, SurvivesAReaderThatWentAway) {
  for (const bool sockets : {false, true}) {
    if (sockets) {
      make_sockets();
    } else {
      make_pipe();
    }
    AsyncLogSink sink(writer_.get());
    sink.start();
    reader_.reset();
    sink.write(LogLevel::error, "nobody hears this");
    while (sink.dropped() == 0) std::this_thread::yield();  // a signal would end the process instead
    EXPECT_EQ(sink.dropped(), 1u);
  }
}

TEST_F(LogSinkTest, CountsLinesForADescriptorThatIsNone) {
  AsyncLogSink sink(-1);
  sink.start();
  sink.write(LogLevel::info, "lost");
  while (sink.dropped() == 0) std::this_thread::yield();
  EXPECT_EQ(sink.dropped(), 1u);
}

TEST_F(LogSinkTest, ALineThatBrokeOffDoesNotSpoilTheNext) {
  std::string path = testing::TempDir() + "postern-log-XXXXXX";
  Descriptor file(mkstemp(path.data()));
  ASSERT_GE(file.get(), 0);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit tight{4, before.rlim_max};  // as if the disk were full
  {
    AsyncLogSink sink(file.get());
    sink.start();
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
    sink.write(LogLevel::info, "0123456789");
    while (sink.dropped() == 0) std::this_thread::yield();
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    sink.write(LogLevel::info, "next");
  }
  reader_.reset(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(read_lines(), (std::vector<std::string>{"0123", "next"}));
  unlink(path.c_str());
}

TEST_F(LogSinkTest, LeavesTheDescriptorsFlagsAlone) {
  make_pipe();
  const int before = fcntl(writer_.get(), F_GETFL);
  AsyncLogSink sink(writer_.get());
  sink.start();
  sink.write(LogLevel::info, "x");
  EXPECT_EQ(read_lines(1).size(), 1u);
  EXPECT_EQ(fcntl(writer_.get(), F_GETFL), before);  // a shared O_NONBLOCK would break whoever shares it
}

TEST_F(LogSinkTest, WritesBehindWhatAFileHasAlready) {
  std::string path = testing::TempDir() + "postern-log-XXXXXX";
  Descriptor file(mkstemp(path.data()));
  ASSERT_GE(file.get(), 0);
  ASSERT_EQ(write(file.get(), "first\n", 6), 6);
  {
    AsyncLogSink sink(file.get());
    sink.start();
    sink.write(LogLevel::info, "second");
  }
  ASSERT_EQ(write(file.get(), "third\n", 6), 6);  // one offset for all who write
  reader_.reset(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(read_lines(), (std::vector<std::string>{"first", "second", "third"}));
  unlink(path.c_str());
}

TEST_F(LogSinkTest, KeepsLinesLongerThanAnAtomicWriteWhole) {
  make_pipe();
  const std::string longest(200'000, 'y');  // more than the pipe holds
  std::thread writing([&] {
    AsyncLogSink sink(writer_.get(), 60s);
    sink.start();
    sink.write(LogLevel::info, "before");
    sink.write(LogLevel::info, longest);
    sink.write(LogLevel::info, "behind");
  });
  const std::vector<std::string> lines = read_lines(3);
  writing.join();
  EXPECT_EQ(lines, (std::vector<std::string>{"before", longest, "behind"}));
}

TEST_F(LogSinkTest, LinesOfManyThreadsDoNotMix) {
  make_pipe();
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 2000;  // together less than the queue: none is lost
  std::thread writing([&] {
    AsyncLogSink sink(writer_.get(), 60s);
    sink.start();
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&sink, t] {
        for (std::size_t i = 0; i < kEach; ++i) sink.write(LogLevel::info, numbered(t * kEach + i));
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  const std::vector<std::string> lines = read_lines(kThreads * kEach);
  writing.join();
  std::array<std::size_t, kThreads> next{};
  for (const std::string& line : lines) {
    const std::optional<std::size_t> number = number_of(line);
    ASSERT_TRUE(number) << line;
    EXPECT_EQ(*number % kEach, next[*number / kEach]++);  // in order within a thread
  }
  EXPECT_EQ(lines.size(), kThreads * kEach);
}

}  // namespace
}  // namespace postern::app
