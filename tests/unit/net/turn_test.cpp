#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "unit/net/stream_fixture.hpp"

namespace postern::net {
namespace {

constexpr std::size_t kMuch = 10'000'000;
constexpr std::uint64_t kLeastTurns = kMuch / Turn::kBudget;
/// A budget is looked at when the gathered output has left, and so it is passed by as much.
constexpr std::uint64_t kLeastTurnsOfPut = kMuch / (Turn::kBudget + Stream::kGather);

coro::Task<std::uint64_t> count_batches(TestScheduler& scheduler, const bool& over) {
  std::uint64_t batches = 0;
  while (!over) {
    co_await coro::Yield(scheduler);
    ++batches;
  }
  co_return batches;
}

coro::Task<void> read_much(Stream& stream, bool& over) {
  std::string end = co_await read_to_end(stream, 64_KiB, coro::Deadline::never());
  over = end.size() > kMuch;
}

coro::Task<void> write_much(Stream& stream, std::size_t piece, bool& over) {
  const std::string text(piece, 'x');
  for (std::size_t written = 0; written < kMuch; written += piece) {
    const IoOutcome outcome = co_await stream.write(text);
    if (!outcome) co_return;
  }
  over = true;
}

coro::Task<void> write_much_at_once(Stream& stream, bool& over) {
  const std::string text(kMuch, 'x');
  const IoOutcome written = co_await stream.write(text);
  over = written.has_value();
}

coro::Task<void> put_much(Stream& stream, bool& over) {
  for (std::size_t put = 0; put < kMuch; put += 1000) {
    const IoOutcome room = co_await stream.make_room(1000);
    stream.put(std::string(1000, 'x'));
    if (!room) co_return;
  }
  over = true;
}

class TurnTest : public StreamTest {
 protected:
  TurnTest() { link.from(Side::a).rules.capacity = link.from(Side::b).rules.capacity = 2 * kMuch; }

  /// How often somebody else got a turn while the task ran.
  std::uint64_t turns_of_others(coro::Task<void> task) {
    Running<void> running(scheduler, std::move(task));
    const std::uint64_t batches = scheduler.run(count_batches(scheduler, over));
    scheduler.run_until_idle();
    EXPECT_TRUE(running.done());
    return batches;
  }
  bool over = false;
};

TEST_F(TurnTest, ReadingMuchAtOnceYields) {
  peer_writes(std::string(kMuch, 'x'));
  peer->try_shutdown();
  EXPECT_GE(turns_of_others(read_much(*stream, over)), kLeastTurns);
}

TEST_F(TurnTest, WritingMuchAtOnceYields) {
  EXPECT_GE(turns_of_others(write_much(*stream, 64_KiB, over)), kLeastTurns);
}

TEST_F(TurnTest, WritingOneLargeTextYields) {
  link.from(Side::a).rules.most_per_write = 64_KiB;
  EXPECT_GE(turns_of_others(write_much_at_once(*stream, over)), kLeastTurns);
}

TEST_F(TurnTest, WritingManySmallTextsYields) {
  EXPECT_GE(turns_of_others(write_much(*stream, 50, over)), kLeastTurns);
}

TEST_F(TurnTest, PuttingManySmallTextsYields) {
  EXPECT_GE(turns_of_others(put_much(*stream, over)), kLeastTurnsOfPut);
}

TEST_F(TurnTest, IsSpentByBothLegsTogetherAndFreshInTheNextTurn) {
  EXPECT_FALSE(turn.is_spent());
  turn.spend(Turn::kBudget - 1);
  EXPECT_FALSE(turn.is_spent());
  turn.spend(1);
  EXPECT_TRUE(turn.is_spent());
  scheduler.run_turn();
  EXPECT_FALSE(turn.is_spent());
}

TEST_F(TurnTest, AWaitForOneStreamPushesTheOther) {
  MemoryLink second;
  Stream other(turn, scope, pool, second.connection(Side::a), kWriteTimeout);
  other.put("RETR 1\r\n");
  read_now();
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  EXPECT_EQ(second.from(Side::a).sent(), "RETR 1\r\n");
  scheduler.advance(1s);
  EXPECT_EQ(word(running.take()), "timed_out");
}

TEST_F(TurnTest, AYieldPushesWhatWasGathered) {
  stream->put("+OK\r\n");
  turn.spend(Turn::kBudget);
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  EXPECT_FALSE(running.done());
  EXPECT_EQ(link.from(Side::a).sent(), "+OK\r\n");
  scheduler.run_turn();
  EXPECT_EQ(word(running.take()), "ok");
}

TEST_F(TurnTest, CancelledWhileItYields) {
  turn.spend(Turn::kBudget);
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  scope.cancel(FailureKind::kicked);
  scheduler.run_until_idle();
  EXPECT_EQ(word(running.take()), "cancelled");
}

TEST_F(TurnTest, StreamsLeaveInAnyOrder) {
  MemoryLink second;
  MemoryLink third;
  auto b = std::make_unique<Stream>(turn, scope, pool, second.connection(Side::a), kWriteTimeout);
  Stream c(turn, scope, pool, third.connection(Side::a), kWriteTimeout);
  b.reset();
  c.put("NOOP\r\n");
  read_now();
  EXPECT_EQ(run(readable(*stream, in(1s))), "timed_out");
  EXPECT_EQ(third.from(Side::a).sent(), "NOOP\r\n");
}

/// Counts what a stream asks of its timer.
class CountingScheduler final : public coro::Scheduler {
 public:
  explicit CountingScheduler(TestScheduler& below) : below_(below) {}
  TimePoint now() const noexcept override { return below_.now(); }
  void enqueue(std::coroutine_handle<> coroutine) override { below_.enqueue(coroutine); }
  void arm(coro::Timer& timer, TimePoint when) override {
    ++arms;
    below_.arm(timer, when);
  }
  void disarm(coro::Timer& timer) noexcept override { below_.disarm(timer); }
  std::uint64_t turn() const noexcept override { return below_.turn(); }
  int arms = 0;

 private:
  TestScheduler& below_;
};

/// Counts the changes of interest, each of which costs system calls on a descriptor.
class CountingReadiness final : public Readiness {
 public:
  CountingReadiness(std::unique_ptr<Readiness> below, int& changes)
      : below_(std::move(below)), changes_(changes) {}
  void watch(ReadinessWatcher* watcher) override { below_->watch(watcher); }
  void arm(bool read, bool write) override {
    if (read != read_ || write != write_) ++changes_;
    read_ = read;
    write_ = write;
    below_->arm(read, write);
  }

 private:
  std::unique_ptr<Readiness> below_;
  int& changes_;
  bool read_ = false;
  bool write_ = false;
};

class StreamCostTest : public StreamTest {
 protected:
  StreamCostTest() {
    scheduler.on_poll([this] { return own_link.deliver(); });
  }
  Connection connection() {
    return Connection(own_link.transport(Side::a),
                      std::make_unique<CountingReadiness>(own_link.readiness(Side::a), changes));
  }

  MemoryLink own_link;
  CountingScheduler counting{scheduler};
  Turn own_turn{counting};
  int changes = 0;
  std::unique_ptr<Transport> client = own_link.transport(Side::b);
  Stream server{own_turn, scope, pool, connection(), kWriteTimeout};
};

TEST_F(StreamCostTest, ACommandAndItsReplyNeitherArmTheTimerNorChangeTheInterest) {
  std::array<char, 64> into{};
  server.try_read(into);
  for (int i = 0; i < 100; ++i) {
    Running<IoOutcome> running(scheduler, readable(server, in(10min)));
    scheduler.advance(1s);
    client->try_write(std::string_view("NOOP\r\n"));
    scheduler.run_turn();
    ASSERT_EQ(word(running.take()), "ok");
    server.try_read(into);
    server.try_read(into);  // nothing left
    server.put("+OK\r\n");
  }
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(counting.arms, 1);
}

TEST_F(StreamCostTest, ADeadlineThatMovedAwayDoesNotFireEarly) {
  std::array<char, 64> into{};
  server.try_read(into);
  Running<IoOutcome> first(scheduler, readable(server, in(10s)));
  scheduler.advance(5s);
  client->try_write(std::string_view("NOOP\r\n"));
  scheduler.run_until_idle();
  ASSERT_EQ(word(first.take()), "ok");
  server.try_read(into);
  server.try_read(into);
  const TimePoint end = scheduler.now() + 10s;
  Running<IoOutcome> second(scheduler, readable(server, coro::Deadline(end)));
  scheduler.advance(10s - 1ns);
  EXPECT_FALSE(second.done());
  scheduler.advance(1ns);
  EXPECT_EQ(word(second.take()), "timed_out");
  EXPECT_EQ(counting.arms, 2);
}

TEST_F(StreamCostTest, ADeadlineThatMovedCloserIsKept) {
  std::array<char, 64> into{};
  server.try_read(into);
  Running<IoOutcome> first(scheduler, readable(server, in(10min)));
  client->try_write(std::string_view("NOOP\r\n"));
  scheduler.run_until_idle();
  ASSERT_EQ(word(first.take()), "ok");
  server.try_read(into);
  server.try_read(into);
  const TimePoint end = scheduler.now() + 3s;
  EXPECT_EQ(run(readable(server, coro::Deadline(end))), "timed_out");
  EXPECT_EQ(scheduler.now(), end);
}

}  // namespace
}  // namespace postern::net
