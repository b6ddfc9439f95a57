#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "unit/net/stream_fixture.hpp"

namespace postern::net {
namespace {

class StreamWriteTest : public StreamTest {
 protected:
  const std::string& sent() { return link.from(Side::a).sent(); }
  std::size_t write_calls() { return link.from(Side::a).write_calls(); }
};

TEST_F(StreamWriteTest, WriteGathers) {
  stream->put("+OK ");
  stream->put("two messages\r\n");
  EXPECT_EQ(write_calls(), 0u);
  EXPECT_EQ(run(stream->flush(in(1s))), "ok");
  EXPECT_EQ(sent(), "+OK two messages\r\n");
  EXPECT_EQ(write_calls(), 1u);
  EXPECT_EQ(stream->bytes_written(), sent().size());
}

TEST_F(StreamWriteTest, WhatWasGatheredLeavesBeforeAWaitAndHoldsNoMemoryThen) {
  read_now();
  stream->put("+OK\r\n");
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  EXPECT_EQ(sent(), "+OK\r\n");
  EXPECT_EQ(pool.leased(), 0u);
  EXPECT_EQ(write_calls(), 1u);
  scheduler.advance(1s);
  EXPECT_EQ(word(running.take()), "timed_out");
}

TEST_F(StreamWriteTest, WhatWasGatheredStaysWhileNobodyWaits) {
  peer_writes("NOOP\r\n");
  stream->put("+OK\r\n");
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  EXPECT_EQ(word(running.take()), "ok");
  EXPECT_EQ(sent(), "");
}

TEST_F(StreamWriteTest, AShortWriteIsGathered) {
  EXPECT_EQ(run(stream->write("+OK\r\n")), "ok");
  EXPECT_EQ(write_calls(), 0u);
  EXPECT_TRUE(stream->push());
  EXPECT_EQ(sent(), "+OK\r\n");
}

TEST_F(StreamWriteTest, WhatWasGatheredStandsBeforeALargeWrite) {
  const std::string body = pattern(40000);
  stream->put("+OK\r\n");
  EXPECT_EQ(run(stream->write(body)), "ok");
  EXPECT_EQ(sent(), "+OK\r\n" + body);
  EXPECT_EQ(write_calls(), 1u);
}

/// Writes a text in pieces whose sizes cross every path: gathered, filled up, and sent from where they are.
coro::Task<IoOutcome> write_in_pieces(Stream& stream, std::string_view text) {
  constexpr std::size_t kSizes[] = {5, 70, 16384, 1, 40000, 65536, 16383, 2};
  for (std::size_t i = 0; !text.empty(); ++i) {
    const std::string_view piece = text.substr(0, kSizes[i % std::size(kSizes)]);
    IoOutcome written = co_await stream.write(piece);
    if (!written) co_return std::move(written).error();
    text.remove_prefix(piece.size());
  }
  IoOutcome flushed = co_await stream.flush(coro::Deadline::never());
  co_return flushed;
}

class WriteLimits : public StreamWriteTest,
                    public testing::WithParamInterface<std::tuple<std::size_t, bool>> {};

TEST_P(WriteLimits, WriteLargeGoesThroughInOrder) {
  const std::string text = pattern(220'000);
  auto& rules = link.from(Side::a).rules;
  rules.most_per_write = std::get<0>(GetParam());
  rules.alternate_writes = std::get<1>(GetParam());
  rules.capacity = 48_KiB;
  std::string got;
  scheduler.on_poll([&] {
    const std::string piece = peer_reads();
    got += piece;
    return !piece.empty();
  });
  EXPECT_EQ(run(write_in_pieces(*stream, text)), "ok");
  got += peer_reads();
  EXPECT_EQ(got.size(), text.size());
  EXPECT_TRUE(got == text);
  EXPECT_EQ(stream->bytes_written(), text.size());
  EXPECT_EQ(pool.leased(), 0u);
}

INSTANTIATE_TEST_SUITE_P(All, WriteLimits,
                         testing::Combine(testing::Values(1, 2, 3, 7, 16_KiB, 64_KiB), testing::Bool()));

TEST_F(StreamWriteTest, WriteTimeout) {
  block_writes();
  stream->put("+OK\r\n");
  const TimePoint end = scheduler.now() + 3s;
  EXPECT_EQ(run(stream->flush(coro::Deadline(end))), "timed_out");
  EXPECT_EQ(scheduler.now(), end);
  EXPECT_TRUE(stream->write_failed());
}

TEST_F(StreamWriteTest, AWriteThatTimedOutPoisonsTheStream) {
  block_writes();
  stream->put("+OK\r\n");
  EXPECT_EQ(run(stream->flush(in(3s))), "timed_out");
  unblock_writes();
  stream->put("more");
  EXPECT_EQ(run(stream->flush(in(3s))), "timed_out");
  EXPECT_EQ(run(stream->write("more")), "timed_out");
  EXPECT_EQ(run(stream->write(pattern(100'000))), "timed_out");
  EXPECT_EQ(run(stream->make_room(Stream::kGather)), "timed_out");
  EXPECT_EQ(run(readable(*stream, in(1s))), "timed_out");
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(pool.leased(), 0u);
}

TEST_F(StreamWriteTest, WriteStalls) {
  block_writes();
  const TimePoint begin = scheduler.now();
  EXPECT_EQ(run(stream->write(pattern(100'000))), "stalled");
  EXPECT_EQ(scheduler.now(), begin + kWriteTimeout);
  EXPECT_FALSE(scheduler.advance_to_next_timer()) << "a timer is left, and would fire for ever";
}

TEST_F(StreamWriteTest, ProgressPutsTheStallOff) {
  link.from(Side::a).rules.capacity = 1000;
  const std::string text = pattern(100'000);
  Running<IoOutcome> running(scheduler, stream->write(text));
  for (int i = 0; i < 5; ++i) {
    scheduler.advance(kWriteTimeout - 1s);
    ASSERT_FALSE(running.done());
    peer_reads();
  }
  scheduler.advance(kWriteTimeout - 1ns);
  EXPECT_FALSE(running.done());
  scheduler.advance(1ns);
  EXPECT_EQ(word(running.take()), "stalled");
}

TEST_F(StreamWriteTest, OldProgressDoesNotCountAsAStallAfterIdleness) {
  EXPECT_EQ(run(stream->write(pattern(20'000))), "ok");
  peer_reads();
  scheduler.advance(2h);
  block_writes();
  const TimePoint begin = scheduler.now();
  EXPECT_EQ(run(stream->write(pattern(20'000))), "stalled");
  EXPECT_EQ(scheduler.now(), begin + kWriteTimeout);
}

TEST_F(StreamWriteTest, AStallEndsAWaitForReading) {
  read_now();
  block_writes();
  stream->put("+OK\r\n");
  const TimePoint begin = scheduler.now();
  EXPECT_EQ(run(readable(*stream, in(1h))), "stalled");
  EXPECT_EQ(scheduler.now(), begin + kWriteTimeout);
}

TEST_F(StreamWriteTest, WriteCancelledPoisons) {
  block_writes();
  const std::string text = pattern(100'000);
  Running<IoOutcome> running(scheduler, stream->write(text));
  scope.cancel(FailureKind::kicked);
  scheduler.run_until_idle();
  const IoOutcome outcome = running.take();
  EXPECT_EQ(word(outcome), "cancelled");
  EXPECT_EQ(outcome.error().reason(), FailureKind::kicked);
  EXPECT_EQ(stream->write_error(), Errc::cancelled);
  unblock_writes();
  EXPECT_FALSE(stream->push());
  EXPECT_EQ(sent(), "");
}

TEST_F(StreamWriteTest, PeerResetDuringWrite) {
  block_writes();
  const std::string text = pattern(100'000);
  Running<IoOutcome> running(scheduler, stream->write(text));
  peer->abort();
  scheduler.run_until_idle();
  EXPECT_EQ(word(running.take()), "reset");
  EXPECT_EQ(stream->write_error(), Errc::reset);
}

TEST_F(StreamWriteTest, ABlockedWriteIsNotTriedAgainBeforeItCanGoOn) {
  read_now();
  block_writes();
  stream->put("+OK\r\n");
  EXPECT_FALSE(stream->push());
  stream->put("+OK\r\n");
  EXPECT_FALSE(stream->push());
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  peer_writes("NOOP\r\n");
  scheduler.run_until_idle();
  EXPECT_EQ(word(running.take()), "ok");
  EXPECT_EQ(write_calls(), 1u);
  unblock_writes();
  scheduler.run_until_idle();
  EXPECT_EQ(sent(), "+OK\r\n+OK\r\n");
  EXPECT_EQ(write_calls(), 2u);
}

TEST_F(StreamWriteTest, RoomIsMadeOnlyWhenItIsNeeded) {
  stream->put(std::string(60'000, 'a'));
  EXPECT_EQ(run(stream->make_room(5000)), "ok");
  EXPECT_EQ(write_calls(), 0u);
  EXPECT_EQ(run(stream->make_room(6000)), "ok");
  EXPECT_EQ(sent().size(), 60'000u);
  EXPECT_EQ(stream->room(), Stream::kGather);
}

TEST_F(StreamWriteTest, RoomIsMadeWhenThePeerTakesSomething) {
  stream->put(std::string(60'000, 'a'));
  block_writes();
  Running<IoOutcome> running(scheduler, stream->make_room(6000));
  scheduler.run_until_idle();
  EXPECT_FALSE(running.done());
  unblock_writes();
  scheduler.run_until_idle();
  EXPECT_EQ(word(running.take()), "ok");
}

TEST_F(StreamWriteTest, PutMovesWhatIsLeftToMakeItsRoomUsable) {
  link.from(Side::a).rules.capacity = 60'000;
  const std::string first = pattern(Stream::kGather);
  stream->put(first);
  EXPECT_FALSE(stream->push());
  const std::string second = pattern(stream->room());
  EXPECT_EQ(second.size(), 60'000u);
  stream->put(second);
  EXPECT_EQ(stream->room(), 0u);
  peer_reads();
  scheduler.run_until_idle();
  peer_reads();
  EXPECT_EQ(run(stream->flush(in(1s))), "ok");
  EXPECT_TRUE(sent() == first + second);
}

TEST_F(StreamWriteTest, ATextWithACredentialIsWipedOnceItHasLeft) {
  stream->put("USER alice\r\n");
  stream->put_sensitive("PASS sesame\r\n");
  EXPECT_TRUE(stream->push());
  const Lease same = pool.lease_large();  // the chunk that came back last goes out first
  const std::string_view memory(same.data(), same.capacity());
  EXPECT_EQ(std::count(memory.begin(), memory.end(), '\0'), static_cast<std::ptrdiff_t>(memory.size()));
}

}  // namespace
}  // namespace postern::net
