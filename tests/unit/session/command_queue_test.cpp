#include "session/command_queue.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/memory_transport.hpp"
#include "support/test_scheduler.hpp"

namespace postern::session {
namespace {

using namespace std::chrono_literals;
using pop3::ParseError;
using pop3::Verb;

/// A queue at side a of a link, whose side b the test plays.
class CommandQueueTest : public testing::Test {
 protected:
  CommandQueueTest() {
    scheduler.on_poll([this] { return link.deliver(); });
  }

  void say(const std::string& octets) { ASSERT_EQ(peer->try_write(octets).bytes, octets.size()); }
  /// Waits for a command, for a minute; empty if there is one, otherwise how that ended.
  std::string wait() {
    const coro::Deadline deadline(scheduler.now() + 1min);
    const net::IoOutcome come = scheduler.run(queue.wait(deadline));
    return come ? "" : come.error().detail();
  }

  test::TestScheduler scheduler;
  test::MemoryLink link;
  net::ChunkPool pool;
  coro::CancelSource scope;
  net::Turn turn{scheduler};
  std::unique_ptr<Transport> peer = link.transport(test::Side::b);
  net::Stream stream{turn, scope, pool, link.connection(test::Side::a), 5min};
  net::LineReader reader{stream, pool};
  CommandQueue queue{reader};
};

TEST_F(CommandQueueTest, GivesCommandsInOrder) {
  say("stat\r\nRETR 7\nTOP 1 20\r\nnonsense\r\nDELE\r\nRE");
  ASSERT_EQ(wait(), "");
  EXPECT_EQ(queue.pop().command.verb, Verb::stat);
  EXPECT_EQ(queue.pop().command.message, 7U);
  EXPECT_EQ(queue.pop().command.lines, 20U);
  EXPECT_EQ(queue.pop().command.verb, Verb::other);
  EXPECT_EQ(queue.pop().error, ParseError::bad_argument);
  EXPECT_TRUE(queue.empty());
  say("TR 2\r\n");
  ASSERT_EQ(wait(), "");
  EXPECT_EQ(queue.pop().command.verb, Verb::retr);
}

TEST_F(CommandQueueTest, NumbersEachCommand) {
  say("NOOP\r\nNOOP\r\n");
  ASSERT_EQ(wait(), "");
  const std::uint64_t first = queue.pop().command.sequence;
  EXPECT_EQ(queue.pop().command.sequence, first + 1);
  say("NOOP\r\n");
  ASSERT_EQ(wait(), "");
  EXPECT_EQ(queue.pop().command.sequence, first + 2);
}

TEST_F(CommandQueueTest, ParsesNothingBehindQuit) {
  for (const char* barrier : {"QUIT", "PASS x", "AUTH PLAIN", "STLS", "QUIT now"}) {
    say(std::string(barrier) + "\r\nNOOP\r\n");
    ASSERT_EQ(wait(), "");
    queue.look_ahead();
    queue.pop();
    EXPECT_TRUE(queue.empty()) << barrier;
    ASSERT_EQ(wait(), "");
    EXPECT_EQ(queue.pop().command.verb, Verb::noop);
  }
}

TEST_F(CommandQueueTest, HoldsThirtyTwoCommandsAtMost) {
  std::string many;
  for (std::size_t i = 0; i < CommandQueue::kMaxCommands + 1; ++i) many += "NOOP\r\n";
  say(many);
  ASSERT_EQ(wait(), "");
  for (std::size_t i = 0; i < CommandQueue::kMaxCommands; ++i) queue.pop();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(wait(), "");
}

TEST_F(CommandQueueTest, DoesNotGrowThoughItNeverEmpties) {
  say("NOOP\r\n");
  ASSERT_EQ(wait(), "");
  for (int i = 0; i < 1000; ++i) {
    say("NOOP\r\n");
    queue.look_ahead();
    queue.pop();
    ASSERT_FALSE(queue.empty());
  }
  EXPECT_LE(queue.capacity(), 2 * CommandQueue::kMaxCommands);
}

TEST_F(CommandQueueTest, HoldsNothingWhileItWaits) {
  say("NOOP\r\nNOOP\r\n");
  ASSERT_EQ(wait(), "");
  queue.pop();
  queue.pop();
  EXPECT_EQ(wait(), "timed out");
  EXPECT_EQ(queue.capacity(), 0U);
  EXPECT_EQ(pool.leased(), 0U);
}

TEST_F(CommandQueueTest, ExecutesWhatStandsBeforeALineThatIsTooLong) {
  say("NOOP\r\n" + std::string(pop3::kMaxCommandLine + 1, 'x') + "\r\n");
  ASSERT_EQ(wait(), "");
  EXPECT_EQ(queue.pop().command.verb, Verb::noop);
  EXPECT_EQ(wait(), "line too long");
}

TEST_F(CommandQueueTest, EndOfTheClientIsToldBehindItsCommands) {
  say("NOOP\r\nQUIT");
  peer->try_shutdown();
  ASSERT_EQ(wait(), "");
  queue.look_ahead();
  EXPECT_EQ(queue.pop().command.verb, Verb::noop);
  EXPECT_EQ(wait(), "the peer closed the connection");
}

}  // namespace
}  // namespace postern::session
