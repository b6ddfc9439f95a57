#include <gtest/gtest.h>

#include <string>

#include "unit/net/stream_fixture.hpp"

namespace postern::net {
namespace {

using StreamCloseTest = StreamTest;

TEST_F(StreamCloseTest, CloseSendsWhatIsLeftAndWaitsForThePeer) {
  stream->put("+OK bye\r\n");
  Running<void> closing(scheduler, stream->close());
  scheduler.run_until_idle();
  EXPECT_FALSE(closing.done());
  EXPECT_EQ(peer_reads(), "+OK bye\r\n");
  EXPECT_EQ(peer_end(), "eof");
  peer->try_shutdown();
  scheduler.run_until_idle();
  EXPECT_TRUE(closing.done());
}

TEST_F(StreamCloseTest, CloseWithPendingWrite) {
  block_writes();
  stream->put("+OK bye\r\n");
  Running<void> closing(scheduler, stream->close());
  scheduler.advance(kWriteTimeout - 1s);
  EXPECT_FALSE(closing.done());
  EXPECT_FALSE(link.from(Side::a).ending());
  unblock_writes();
  scheduler.run_until_idle();
  EXPECT_EQ(peer_reads(), "+OK bye\r\n");
  EXPECT_EQ(peer_end(), "eof");
  peer->try_shutdown();
  scheduler.run_until_idle();
  EXPECT_TRUE(closing.done());
}

TEST_F(StreamCloseTest, CloseGivesUpOnAPeerThatTakesNothing) {
  block_writes();
  stream->put("+OK bye\r\n");
  const TimePoint begin = scheduler.now();
  scheduler.run(stream->close());
  EXPECT_EQ(scheduler.now(), begin + kWriteTimeout);
}

TEST_F(StreamCloseTest, CloseDrainsInput) {
  const std::string unread(40'000, 'x');
  peer_writes(unread);
  stream->put("-ERR bye\r\n");
  Running<void> closing(scheduler, stream->close());
  scheduler.run_until_idle();
  peer->try_shutdown();
  scheduler.run_until_idle();
  ASSERT_TRUE(closing.done());
  stream.reset();
  EXPECT_EQ(peer_reads(), "-ERR bye\r\n");
  EXPECT_EQ(peer_end(), "eof");
}

TEST_F(StreamCloseTest, CloseDrainsNoLongerThanTwoSeconds) {
  const TimePoint begin = scheduler.now();
  scheduler.run(stream->close());
  EXPECT_EQ(scheduler.now(), begin + 2s);
}

TEST_F(StreamCloseTest, CloseDrainsNoMoreThan64KiB) {
  link.from(Side::b).rules.capacity = 1_MiB;
  peer_writes(std::string(1_MiB, 'x'));
  const TimePoint begin = scheduler.now();
  scheduler.run(stream->close());
  EXPECT_EQ(scheduler.now(), begin);
  EXPECT_GE(stream->bytes_read(), 64_KiB);
  EXPECT_LE(stream->bytes_read(), 70_KiB);
}

TEST_F(StreamCloseTest, CloseInACancelledScopeSendsWhatItCanAndDoesNotWait) {
  stream->put("-ERR bye\r\n");
  scope.cancel(FailureKind::draining);
  Running<void> closing(scheduler, stream->close());
  EXPECT_TRUE(closing.done());
  EXPECT_EQ(peer_reads(), "-ERR bye\r\n");
  EXPECT_EQ(peer_end(), "eof");
}

TEST_F(StreamCloseTest, CancellingEndsACloseThatWaits) {
  Running<void> closing(scheduler, stream->close());
  scheduler.run_until_idle();
  EXPECT_FALSE(closing.done());
  scope.cancel(FailureKind::draining);
  scheduler.run_until_idle();
  EXPECT_TRUE(closing.done());
}

TEST_F(StreamCloseTest, CloseAfterAFailedWriteDoesNotWait) {
  peer->abort();
  stream->put("+OK\r\n");
  EXPECT_FALSE(stream->push());
  Running<void> closing(scheduler, stream->close());
  EXPECT_TRUE(closing.done());
}

TEST_F(StreamCloseTest, AbortSendsReset) {
  stream->put("+OK here it comes\r\n");
  stream->abort();
  stream.reset();
  EXPECT_EQ(peer_end(), "reset");
  EXPECT_EQ(link.from(Side::a).sent(), "") << "what was gathered is dropped";
}

TEST_F(StreamCloseTest, AbortWakesWhoeverWaits) {
  read_now();
  Running<IoOutcome> running(scheduler, readable(*stream, in(1h)));
  stream->abort();
  EXPECT_FALSE(running.done()) << "resumed in place";
  scheduler.run_until_idle();
  EXPECT_EQ(word(running.take()), "failed");
}

TEST_F(StreamCloseTest, AfterAbortEveryOperationFails) {
  peer_writes("hello");
  stream->abort();
  stream->abort();
  EXPECT_EQ(read_now(), "failed");
  EXPECT_EQ(run(readable(*stream, in(1s))), "failed");
  EXPECT_EQ(run(stream->write("x")), "failed");
  EXPECT_EQ(run(stream->handshake(in(1s))), "failed");
  Running<void> closing(scheduler, stream->close());
  EXPECT_TRUE(closing.done());
}

TEST_F(StreamCloseTest, MayBeDestroyedWithOutputAndATimer) {
  block_writes();
  read_now();
  stream->put("+OK\r\n");
  EXPECT_EQ(run(readable(*stream, in(1s))), "timed_out");
  stream.reset();
  EXPECT_EQ(pool.leased(), 0u);
  EXPECT_FALSE(scheduler.advance_to_next_timer());
}

}  // namespace
}  // namespace postern::net
