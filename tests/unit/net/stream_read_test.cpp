#include <gtest/gtest.h>

#include <string>

#include "unit/net/stream_fixture.hpp"

namespace postern::net {
namespace {

using StreamReadTest = StreamTest;

TEST_F(StreamReadTest, ReadReady) {
  peer_writes("hello");
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  ASSERT_TRUE(running.done());
  EXPECT_EQ(word(running.take()), "ok");
  EXPECT_EQ(read_now(), "hello");
  EXPECT_EQ(stream->bytes_read(), 5u);
}

TEST_F(StreamReadTest, ReadWaits) {
  EXPECT_FALSE(stream->read_blocked());
  EXPECT_EQ(read_now(), "");
  EXPECT_TRUE(stream->read_blocked());
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  scheduler.run_until_idle();
  EXPECT_FALSE(running.done());
  peer_writes("hello");
  scheduler.run_until_idle();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(word(running.take()), "ok");
  EXPECT_EQ(read_now(), "hello");
}

TEST_F(StreamReadTest, ReadCancelled) {
  read_now();
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  scope.cancel(FailureKind::kicked);
  EXPECT_FALSE(running.done()) << "resumed in place";
  scheduler.run_until_idle();
  const IoOutcome outcome = running.take();
  EXPECT_EQ(word(outcome), "cancelled");
  EXPECT_EQ(outcome.error().reason(), FailureKind::kicked);
}

TEST_F(StreamReadTest, ReadInACancelledScopeFailsAtOnce) {
  peer_writes("too late");
  scope.cancel(FailureKind::draining);
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  ASSERT_TRUE(running.done());
  EXPECT_EQ(running.take().error().reason(), FailureKind::draining);
}

TEST_F(StreamReadTest, ReadTimeout) {
  read_now();
  const TimePoint end = scheduler.now() + 7s;
  EXPECT_EQ(run(readable(*stream, coro::Deadline(end))), "timed_out");
  EXPECT_EQ(scheduler.now(), end);
}

TEST_F(StreamReadTest, ATimeoutOfReadingLeavesTheStreamAsItWas) {
  read_now();
  EXPECT_EQ(run(readable(*stream, in(1s))), "timed_out");
  peer_writes("late");
  EXPECT_EQ(run(readable(*stream, in(1s))), "ok");
  EXPECT_EQ(read_now(), "late");
}

TEST_F(StreamReadTest, WhatComesWithTheTimeoutIsNotLost) {
  read_now();
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  scheduler.on_poll([&, sent = false]() mutable {  // the timer has fired, and the waiter has not run yet
    if (scheduler.now() < TimePoint(1h) + 1s || sent) return false;
    peer_writes("late");
    return sent = true;
  });
  scheduler.advance(1s);
  EXPECT_EQ(word(running.take()), "timed_out");
  EXPECT_EQ(run(readable(*stream, in(1s))), "ok");
  EXPECT_EQ(read_now(), "late");
}

TEST_F(StreamReadTest, EofWhileWaiting) {
  read_now();
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  peer->try_shutdown();
  scheduler.run_until_idle();
  EXPECT_EQ(word(running.take()), "ok");
  EXPECT_EQ(read_now(), "eof");
  EXPECT_EQ(run(readable(*stream, in(1s))), "ok") << "it says so again, at once";
  EXPECT_EQ(read_now(), "eof");
}

TEST_F(StreamReadTest, ResetWhileWaiting) {
  read_now();
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  peer->abort();
  scheduler.run_until_idle();
  EXPECT_EQ(word(running.take()), "ok");
  EXPECT_EQ(read_now(), "reset");
}

TEST_F(StreamReadTest, AnEventWhileNobodyWaitsIsNeitherLostNorRepeated) {
  read_now();
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  peer_writes("one");
  scheduler.run_turn();
  EXPECT_EQ(word(running.take()), "ok");
  EXPECT_EQ(read_now(), "one");
  EXPECT_EQ(read_now(), "");
  peer_writes("two");
  scheduler.run_until_idle();  // comes to rest only if reading was disarmed
  EXPECT_FALSE(stream->read_blocked());
  EXPECT_EQ(run(readable(*stream, in(1s))), "ok");
  EXPECT_EQ(read_now(), "two");
}

TEST_F(StreamReadTest, AfterAnUnseenEventReadingIsArmedAgain) {
  read_now();
  EXPECT_EQ(run(readable(*stream, in(1s))), "timed_out");
  peer_writes("one");
  scheduler.run_until_idle();
  EXPECT_EQ(read_now(), "one");
  EXPECT_EQ(read_now(), "");
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  peer_writes("two");
  scheduler.run_until_idle();
  EXPECT_EQ(word(running.take()), "ok");
}

TEST_F(StreamReadTest, AResetWhileNobodyWaitsDoesNotSpin) {
  read_now();
  EXPECT_EQ(run(readable(*stream, in(1s))), "timed_out");
  peer->abort();
  scheduler.run_turn();
  scheduler.run_turn();
  EXPECT_FALSE(stream->read_blocked());
  EXPECT_EQ(read_now(), "reset");
}

struct ReadRow {
  std::size_t chunk;
  std::size_t most_per_read;
  bool alternate;
};

std::string read_by(const ReadRow& row, const std::string& text) {
  TestScheduler scheduler;
  MemoryLink link;
  ChunkPool pool;
  coro::CancelSource scope;
  Turn turn(scheduler);
  Stream reader(turn, scope, pool, link.connection(Side::a), 30s);
  const auto writer = link.transport(Side::b);
  scheduler.on_poll([&link] { return link.deliver(); });
  link.from(Side::b).rules.most_per_read = row.most_per_read;
  link.from(Side::b).rules.alternate_reads = row.alternate;
  writer->try_write({text.data(), text.size()});
  writer->try_shutdown();
  return scheduler.run(read_to_end(reader, row.chunk, coro::Deadline::never()));
}

TEST(StreamReadRows, EveryShortAndBlockedReadGivesTheSameOctets) {
  const std::string text = pattern(5000);
  for (const std::size_t chunk : {1u, 7u, 4096u}) {
    for (const std::size_t most : {1u, 2u, 3u, 5000u}) {
      for (const bool alternate : {false, true}) {
        EXPECT_EQ(read_by({chunk, most, alternate}, text), text + "|eof")
            << chunk << " " << most << " " << alternate;
      }
    }
  }
}

}  // namespace
}  // namespace postern::net
