#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "unit/net/stream_fixture.hpp"

namespace postern::net {
namespace {

/// Behaves like TLS towards a stream: accepts output into a stage, shakes hands in steps, and may have to
/// write before it can read.
class Filter final : public Transport {
 public:
  explicit Filter(std::unique_ptr<Transport> lower) : lower_(std::move(lower)) {}

  std::deque<Want> handshake_steps;  ///< what the next calls want
  IoStatus handshake_end = IoStatus::ok;
  bool read_wants_write = false;
  std::string stage;
  std::string held;  ///< octets that were read from below and not asked for yet
  int calls = 0;

  IoResult try_read(std::span<char> into) override {
    ++calls;
    if (read_wants_write) return {0, Want::write, IoStatus::ok};
    if (!held.empty()) {
      const std::size_t count = std::min(into.size(), held.size());
      std::copy_n(held.begin(), count, into.begin());
      held.erase(0, count);
      return {count, Want::none, IoStatus::ok};
    }
    return lower_->try_read(into);
  }
  IoResult try_write(std::span<const char> from) override {
    if (stage.size() > kStage) return {0, Want::write, IoStatus::ok};
    stage.append(from.data(), from.size());
    const IoResult flushed = try_flush();
    if (!flushed.ok()) return flushed;
    return {from.size(), Want::none, IoStatus::ok};
  }
  IoResult try_flush() override {
    while (!stage.empty()) {
      const IoResult sent = lower_->try_write({stage.data(), stage.size()});
      stage.erase(0, sent.bytes);
      if (!sent.ok() || sent.want != Want::none) return {0, sent.want, sent.status};
    }
    return {};
  }
  IoResult try_handshake() override {
    ++calls;
    std::array<char, 64> into{};  // takes everything that is there, as a flight of the peer
    held.append(into.data(), lower_->try_read(into).bytes);
    if (handshake_steps.empty()) return {0, Want::none, handshake_end};
    const Want want = handshake_steps.front();
    handshake_steps.pop_front();
    return {0, want, IoStatus::ok};
  }
  IoResult try_shutdown() override {
    if (!std::exchange(shut_, true)) stage += "close_notify";
    const IoResult flushed = try_flush();
    if (!flushed.ok() || flushed.want != Want::none) return flushed;
    return lower_->try_shutdown();
  }
  void abort() noexcept override { lower_->abort(); }
  std::size_t unsent() const noexcept override { return stage.size(); }
  std::string failure() const override { return "as the filter says"; }

 private:
  static constexpr std::size_t kStage = 1000;
  std::unique_ptr<Transport> lower_;
  bool shut_ = false;
};

class StreamFilterTest : public StreamTest {
 protected:
  StreamFilterTest() {
    stream->upgrade([this](std::unique_ptr<Transport> lower) {
      auto made = std::make_unique<Filter>(std::move(lower));
      filter = made.get();
      return made;
    });
  }
  std::string sent() { return link.from(Side::a).sent(); }
  Filter* filter = nullptr;
};

TEST_F(StreamFilterTest, HandshakeWaitsForEachStep) {
  filter->handshake_steps = {Want::read, Want::write, Want::read};
  block_writes();
  Running<IoOutcome> running(scheduler, stream->handshake(in(10s)));
  std::vector<int> calls;
  const auto note = [&] {
    scheduler.run_until_idle();
    calls.push_back(filter->calls);
  };
  note();
  peer_writes("hello");
  note();
  unblock_writes();
  note();
  peer_writes("finished");
  note();
  EXPECT_EQ(calls, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(word(running.take()), "ok");
}

TEST_F(StreamFilterTest, AnEventBeforeTheHandshakeDoesNotMakeItSpin) {
  read_now();
  EXPECT_EQ(run(readable(*stream, in(1s))), "timed_out");
  peer_writes("client hello");
  scheduler.run_until_idle();  // nobody waits: reading is disarmed, and the event is kept
  filter->handshake_steps.assign(1000, Want::read);
  filter->calls = 0;
  Running<IoOutcome> running(scheduler, stream->handshake(in(10s)));
  scheduler.run_until_idle();
  EXPECT_FALSE(running.done());
  EXPECT_EQ(filter->calls, 1);
  scheduler.advance(10s);
  EXPECT_EQ(word(running.take()), "timed_out");
}

TEST_F(StreamFilterTest, WhatCameWithTheLastMessageOfTheHandshakeIsRead) {
  filter->handshake_steps = {Want::read, Want::read};
  Running<IoOutcome> running(scheduler, stream->handshake(in(10s)));
  peer_writes("early");
  scheduler.run_until_idle();
  peer_writes("bird");
  scheduler.run_until_idle();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(word(running.take()), "ok");
  EXPECT_FALSE(stream->read_blocked()) << "nothing more comes: a wait would never end";
  EXPECT_EQ(read_now(), "earlybird");
}

TEST_F(StreamFilterTest, AFailedHandshakeSaysWhyAndSendsItsAlert) {
  filter->handshake_end = IoStatus::failed;
  filter->stage = "alert";
  const IoOutcome outcome = scheduler.run(stream->handshake(in(10s)));
  EXPECT_EQ(word(outcome), "failed");
  EXPECT_EQ(outcome.error().detail(), "as the filter says");
  EXPECT_EQ(sent(), "alert");
}

TEST_F(StreamFilterTest, HandshakeIsCancelled) {
  filter->handshake_steps = {Want::read, Want::read};
  Running<IoOutcome> running(scheduler, stream->handshake(in(10s)));
  scope.cancel(FailureKind::draining);
  scheduler.run_until_idle();
  EXPECT_EQ(word(running.take()), "cancelled");
}

TEST_F(StreamFilterTest, WhatIsStagedLeavesBeforeAWaitForReading) {
  read_now();
  filter->stage = "tickets ";
  stream->put("+OK\r\n");
  Running<IoOutcome> running(scheduler, readable(*stream, in(1s)));
  EXPECT_EQ(sent(), "tickets +OK\r\n");
  scheduler.advance(1s);
  EXPECT_EQ(word(running.take()), "timed_out");
}

TEST_F(StreamFilterTest, WhatIsStagedLeavesWhileAReaderWaits) {
  read_now();
  block_writes();
  filter->stage = "key update";
  Running<IoOutcome> running(scheduler, readable(*stream, in(1h)));
  scheduler.run_until_idle();
  EXPECT_EQ(sent(), "");
  unblock_writes();
  scheduler.run_until_idle();
  EXPECT_EQ(sent(), "key update");
  EXPECT_FALSE(running.done());
  scheduler.advance(1h);
  EXPECT_EQ(word(running.take()), "timed_out");
}

TEST_F(StreamFilterTest, WhatIsStagedCanStall) {
  read_now();
  block_writes();
  filter->stage = "key update";
  const TimePoint begin = scheduler.now();
  EXPECT_EQ(run(readable(*stream, in(1h))), "stalled");
  EXPECT_EQ(scheduler.now(), begin + kWriteTimeout);
}

TEST_F(StreamFilterTest, AReaderThatHasToWriteWaitsForThatAlone) {
  filter->read_wants_write = true;
  block_writes();
  read_now();
  Running<IoOutcome> running(scheduler, readable(*stream, in(10s)));
  peer_writes("cannot be read yet");
  scheduler.run_until_idle();  // comes to rest only if the event was disarmed
  EXPECT_FALSE(running.done());
  filter->read_wants_write = false;
  unblock_writes();
  scheduler.run_until_idle();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(word(running.take()), "ok");
  EXPECT_EQ(read_now(), "cannot be read yet");
}

TEST_F(StreamFilterTest, AReaderThatHasToWriteIsNotSatisfiedByAnEarlierEvent) {
  filter->read_wants_write = true;
  block_writes();
  read_now();
  EXPECT_EQ(run(readable(*stream, in(1s))), "timed_out");
  peer_writes("seen by nobody");
  scheduler.run_until_idle();
  EXPECT_TRUE(stream->read_blocked());
  EXPECT_EQ(run(readable(*stream, in(1s))), "timed_out");
}

coro::Task<IoOutcome> flush(Stream& stream, coro::Deadline deadline) {
  IoOutcome outcome = co_await stream.flush(deadline);
  co_return outcome;
}

TEST_F(StreamFilterTest, AWritableEventWakesBothWaiters) {
  filter->read_wants_write = true;
  block_writes();
  read_now();
  stream->put("+OK\r\n");
  Running<IoOutcome> reading(scheduler, readable(*stream, in(10s)));
  Running<IoOutcome> writing(scheduler, flush(*stream, in(10s)));
  scheduler.run_until_idle();
  EXPECT_FALSE(reading.done());
  EXPECT_FALSE(writing.done());
  unblock_writes();
  scheduler.run_until_idle();
  EXPECT_EQ(word(reading.take()), "ok");
  EXPECT_EQ(word(writing.take()), "ok");
  EXPECT_EQ(sent(), "+OK\r\n");
}

TEST_F(StreamFilterTest, LargeWritesPassAStageInOrder) {
  const std::string text = pattern(200'000);
  link.from(Side::a).rules.capacity = 3000;
  std::string got;
  scheduler.on_poll([&] {
    const std::string piece = peer_reads();
    got += piece;
    return !piece.empty();
  });
  stream->put("+OK\r\n");
  EXPECT_EQ(run(stream->write(text)), "ok");
  EXPECT_EQ(run(stream->flush(in(1min))), "ok");
  got += peer_reads();
  EXPECT_TRUE(got == "+OK\r\n" + text);
}

TEST_F(StreamFilterTest, CloseWaitsUntilItsLastWordHasLeft) {
  block_writes();
  Running<void> closing(scheduler, stream->close());
  scheduler.run_until_idle();
  EXPECT_FALSE(link.from(Side::a).ending());
  unblock_writes();
  scheduler.run_until_idle();
  EXPECT_EQ(peer_reads(), "close_notify");
  EXPECT_EQ(peer_end(), "eof");
  peer->try_shutdown();
  scheduler.run_until_idle();
  EXPECT_TRUE(closing.done());
}

}  // namespace
}  // namespace postern::net
