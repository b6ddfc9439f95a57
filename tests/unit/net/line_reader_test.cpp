#include "postern/net/line_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "unit/net/stream_fixture.hpp"

namespace postern::net {
namespace {

coro::Task<std::string> line(LineReader& reader, std::size_t limit, coro::Deadline deadline) {
  const Result<std::string_view, IoError> got = co_await reader.line(limit, deadline);
  if (!got) co_return std::string("|") + word(got.error().code());
  co_return std::string(*got);
}

coro::Task<IoOutcome> fill(LineReader& reader, bool large, coro::Deadline deadline) {
  IoOutcome outcome = co_await reader.fill(large, deadline);
  co_return outcome;
}

class LineReaderTest : public StreamTest {
 protected:
  std::string next(std::size_t limit = 255) { return scheduler.run(line(reader, limit, in(1s))); }
  bool is_sensitive_memory_wiped(Lease chunk) {
    const std::string_view memory(chunk.data(), chunk.capacity());
    return memory.find_first_not_of('\0') == std::string_view::npos;
  }

  LineReader reader{*stream, pool};
};

TEST_F(LineReaderTest, GivesLinesWithoutTheirEnds) {
  peer_writes("USER alice\r\nbare\n\r\n\nlone\rcr\r\n");
  const std::vector<std::string> lines = {next(), next(), next(), next(), next(), next()};
  EXPECT_EQ(lines, (std::vector<std::string>{"USER alice", "bare", "", "", "lone\rcr", "|timed_out"}));
}

TEST_F(LineReaderTest, GivesTheSameLinesAtEverySplitPoint) {
  const std::string text = "USER a\r\nPASS b c\r\nbare\n\r\nQUIT\r\n";
  const std::vector<std::string> expected = {"USER a", "PASS b c", "bare", "", "QUIT"};
  for (std::size_t split = 0; split <= text.size(); ++split) {
    peer_writes(text.substr(0, split));
    scheduler.on_poll([&, rest = text.substr(split), sent = false]() mutable {
      if (std::exchange(sent, true) || rest.empty()) return false;
      peer_writes(rest);
      return true;
    });
    for (const std::string& want : expected) EXPECT_EQ(next(), want) << "split at " << split;
    EXPECT_TRUE(reader.buffered().empty());
  }
}

TEST_F(LineReaderTest, GivesTheSameLinesOctetByOctet) {
  link.from(Side::b).rules.most_per_read = 1;
  link.from(Side::b).rules.alternate_reads = true;
  peer_writes("USER a\r\nbare\nQUIT\r\n");
  EXPECT_EQ(next(), "USER a");
  EXPECT_EQ(next(), "bare");
  EXPECT_EQ(next(), "QUIT");
}

class LineLimit : public LineReaderTest,
                  public testing::WithParamInterface<std::tuple<std::size_t, const char*>> {
 protected:
  std::string line_of(std::size_t length) {
    peer_writes(std::string(length, 'x') + std::get<1>(GetParam()));
    return next(limit);
  }
  const std::size_t limit = std::get<0>(GetParam());
};

TEST_P(LineLimit, ALineOfFullLengthFits) {
  EXPECT_EQ(line_of(limit), std::string(limit, 'x'));
}

TEST_P(LineLimit, ALineThatIsOneLongerIsTooLong) {
  EXPECT_EQ(line_of(limit + 1), "|too_long");
}

INSTANTIATE_TEST_SUITE_P(All, LineLimit,
                         testing::Combine(testing::Values(10, 255, ChunkPool::kSmall - 2,
                                                          ChunkPool::kSmall - 1, ChunkPool::kSmall, 8192),
                                          testing::Values("\r\n", "\n")));

TEST_F(LineReaderTest, ALineIsTooLongBeforeItsEndHasCome) {
  peer_writes(std::string(11, 'x'));
  EXPECT_EQ(next(10), "|too_long");
  EXPECT_TRUE(reader.buffered().empty());
}

TEST_F(LineReaderTest, ACarriageReturnBehindALineOfFullLengthIsWaitedFor) {
  peer_writes(std::string(10, 'x') + "\r");
  EXPECT_EQ(next(10), "|timed_out");
  peer_writes("\n");
  EXPECT_EQ(next(10), std::string(10, 'x'));
}

TEST_F(LineReaderTest, TooLongDropsWhatIsBuffered) {
  peer_writes(std::string(11, 'x') + "\r\nQUIT\r\n");
  EXPECT_EQ(next(10), "|too_long");
  EXPECT_EQ(next(10), "|timed_out");
}

TEST_F(LineReaderTest, TakesLinesOf64KiB) {
  const std::string text = pattern(LineReader::kLongestLine);
  link.from(Side::b).rules.capacity = 1_MiB;
  peer_writes(text + "\r\n" + text + "\r\nQUIT\r\n");
  EXPECT_TRUE(next(100'000) == text);
  EXPECT_TRUE(next(100'000) == text);
  EXPECT_EQ(next(), "QUIT");
}

TEST_F(LineReaderTest, APeerWithoutLineEndsIsTooLongWhateverTheLimit) {
  link.from(Side::b).rules.capacity = 1_MiB;
  peer_writes(std::string(200'000, 'x'));
  EXPECT_EQ(next(1'000'000), "|too_long");
}

TEST_F(LineReaderTest, HoldsNoMemoryWhileItIsEmptyAndWaits) {
  peer_writes("NOOP\r\n");
  EXPECT_EQ(next(), "NOOP");
  Running<std::string> running(scheduler, line(reader, 255, in(1s)));
  scheduler.run_until_idle();
  EXPECT_EQ(pool.leased(), 0u);
  scheduler.advance(1s);
  EXPECT_EQ(running.take(), "|timed_out");
}

TEST_F(LineReaderTest, HoldsASmallChunkWhileAPartialLineWaits) {
  peer_writes("USER alice\r\nPASS ses");
  EXPECT_EQ(next(8192), "USER alice");
  EXPECT_EQ(pool.leased(), ChunkPool::kLarge);
  Running<std::string> running(scheduler, line(reader, 8192, in(1s)));
  scheduler.run_until_idle();
  EXPECT_EQ(pool.leased(), ChunkPool::kSmall);
  peer_writes("ame\r\n");
  scheduler.run_until_idle();
  EXPECT_EQ(running.take(), "PASS sesame");
}

TEST_F(LineReaderTest, TellsHowTheStreamEnded) {
  peer_writes("QUI");
  peer->try_shutdown();
  EXPECT_EQ(next(), "|eof");
  EXPECT_EQ(next(), "|eof");
  EXPECT_EQ(reader.buffered(), "QUI");
}

TEST_F(LineReaderTest, AtTheEndItHoldsNoMemory) {
  peer->abort();
  EXPECT_EQ(next(), "|reset");
  EXPECT_EQ(pool.leased(), 0u);
}

TEST_F(LineReaderTest, FillGivesChunksBehindALine) {
  peer_writes("+OK\r\nbody");
  EXPECT_EQ(next(), "+OK");
  EXPECT_EQ(reader.buffered(), "body");
  peer_writes(" and more");
  EXPECT_EQ(run(fill(reader, true, in(1s))), "ok");
  EXPECT_EQ(reader.buffered(), "body and more");
  reader.consume(5);
  EXPECT_EQ(reader.buffered(), "and more");
}

TEST_F(LineReaderTest, FillCountsFromWhatIsBuffered) {
  peer_writes("one\r\npart");
  EXPECT_EQ(next(), "one");
  EXPECT_EQ(run(fill(reader, false, in(1s))), "timed_out");
  EXPECT_EQ(reader.buffered(), "part");
}

TEST_F(LineReaderTest, ASmallChunkThatIsFullGrows) {
  const std::string text = pattern(3 * ChunkPool::kSmall);
  peer_writes(text);
  EXPECT_EQ(run(fill(reader, false, in(1s))), "ok");
  EXPECT_EQ(reader.buffered().size(), ChunkPool::kSmall);
  EXPECT_EQ(run(fill(reader, false, in(1s))), "ok");
  EXPECT_TRUE(reader.buffered() == text);
}

TEST_F(LineReaderTest, FillNowReadsOnceWithoutWaiting) {
  peer_writes("DELE 1\r\n");
  EXPECT_EQ(next(), "DELE 1");
  peer_writes("DELE 2\r\nDELE 3\r\n");
  reader.fill_now(16_KiB);
  EXPECT_EQ(reader.buffered(), "DELE 2\r\nDELE 3\r\n");
}

TEST_F(LineReaderTest, FillNowDoesNotReadMoreThanItsRoom) {
  peer_writes("0123456789");
  reader.fill_now(4);
  EXPECT_EQ(reader.buffered(), "0123");
  reader.fill_now(4);
  EXPECT_EQ(reader.buffered(), "0123");
  reader.fill_now(6);
  EXPECT_EQ(reader.buffered(), "012345");
}

TEST_F(LineReaderTest, FillNowWithoutInputHoldsNoMemoryAndDoesNotTryAgain) {
  reader.fill_now(16_KiB);
  EXPECT_EQ(pool.leased(), 0u);
  const std::size_t calls = link.from(Side::b).read_calls();
  reader.fill_now(16_KiB);
  EXPECT_EQ(link.from(Side::b).read_calls(), calls);
}

TEST_F(LineReaderTest, FillNowSeesWhatCameWhileTheSessionWaitedElsewhere) {
  EXPECT_EQ(next(), "|timed_out");
  peer_writes("NOOP\r\n");
  scheduler.run_until_idle();
  reader.fill_now(16_KiB);
  EXPECT_EQ(reader.buffered(), "NOOP\r\n");
}

TEST_F(LineReaderTest, FillNowKeepsAnErrorForTheNextFill) {
  peer->try_shutdown();
  reader.fill_now(16_KiB);
  EXPECT_EQ(next(), "|eof");
}

TEST_F(LineReaderTest, AFullBufferTakesNoMoreNow) {
  link.from(Side::b).rules.capacity = 1_MiB;
  peer_writes(std::string(200'000, 'x'));
  for (int i = 0; i < 4; ++i) reader.fill_now(1_MiB);
  EXPECT_EQ(reader.buffered().size(), ChunkPool::kLarge);
}

TEST_F(LineReaderTest, ASensitiveChunkIsWipedWhenItGoesBack) {
  reader.set_sensitive(true);
  peer_writes("PASS sesame\r\n");
  EXPECT_EQ(next(), "PASS sesame");
  EXPECT_EQ(next(), "|timed_out");
  ASSERT_EQ(pool.leased(), 0u);
  EXPECT_TRUE(is_sensitive_memory_wiped(pool.lease_small()));
}

TEST_F(LineReaderTest, WhatIsAlreadyBufferedBecomesSensitiveToo) {
  peer_writes("USER alice\r\nPASS sesame\r\n");
  EXPECT_EQ(next(), "USER alice");
  reader.set_sensitive(true);
  EXPECT_EQ(next(), "PASS sesame");
  reader.set_sensitive(false);
  EXPECT_EQ(next(), "|timed_out");
  EXPECT_TRUE(is_sensitive_memory_wiped(pool.lease_small()));
}

TEST_F(LineReaderTest, EveryChunkThatALineMovedThroughIsWiped) {
  reader.set_sensitive(true);
  peer_writes("AUTH PLAIN AGFsaWNl");
  EXPECT_EQ(run(fill(reader, true, in(1s))), "ok");          // in a large chunk
  EXPECT_EQ(run(fill(reader, false, in(1s))), "timed_out");  // moved to a small one
  reader.set_sensitive(false);
  EXPECT_EQ(pool.leased(), ChunkPool::kSmall);
  EXPECT_TRUE(is_sensitive_memory_wiped(pool.lease_large()));
  peer_writes("AHNlc2FtZQ==\r\n");
  EXPECT_EQ(next(8192), "AUTH PLAIN AGFsaWNlAHNlc2FtZQ==");  // and back to a large one
  EXPECT_TRUE(is_sensitive_memory_wiped(pool.lease_small()));
  EXPECT_EQ(next(), "|timed_out");
  EXPECT_TRUE(is_sensitive_memory_wiped(pool.lease_large()));
}

TEST_F(LineReaderTest, WithoutTheMarkNothingIsWiped) {
  peer_writes("NOOP\r\n");
  EXPECT_EQ(next(), "NOOP");
  EXPECT_EQ(next(), "|timed_out");
  EXPECT_FALSE(is_sensitive_memory_wiped(pool.lease_small()));
}

}  // namespace
}  // namespace postern::net
