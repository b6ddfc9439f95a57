// Octets are not taken from the server before the client has taken those before them (RETR-9).
#include "unit/maildrop/fetch_fixture.hpp"

namespace postern::maildrop {
namespace {

constexpr std::size_t kLarge = 20 * 1024 * 1024;
/// A chunk that is read into, one that is written from, and what the other connections of the test need.
constexpr std::size_t kChunks = 2 * net::ChunkPool::kLarge + 4 * net::ChunkPool::kSmall;
/// What the kernel holds in the test's network, and a chunk.
constexpr Bytes kOnTheWay = 64 * 1024 + net::ChunkPool::kLarge;

class TranslationMemoryTest : public FetchTest {
 protected:
  TranslationMemoryTest() {
    std::string line(997, 'x');
    std::string text = "Subject: large\r\n\r\n";
    while (text.size() < kLarge) text += line + "\r\n";
    imap.deliver(text);
    fill(20, 1000);
  }
  Bytes taken() {
    test::Direction& wire = server().link().from(Side::b);
    return wire.sent().size() - wire.on_the_way();
  }
};

TEST_F(TranslationMemoryTest, LargeMessageToASlowClient) {
  ASSERT_EQ(open(), "");
  expect_retr({1, 2, 3, 4});
  Slow sink(scheduler, scope, 10ms);
  Running<Result<void>> running(scheduler, maildrop->retrieve(1, sink));
  const Bytes before = taken();
  std::size_t looks = 0;
  for (; !running.done(); ++looks) {
    scheduler.run_until_idle();
    ASSERT_LE(pool.leased(), kChunks);
    ASSERT_LE(opener.budget().used(), 0U);
    ASSERT_LE(taken() - before, sink.octets + kOnTheWay);
    scheduler.advance(10ms);
  }
  EXPECT_EQ(failure(running.take()), "");
  EXPECT_GT(looks, 200U);
  EXPECT_GE(sink.octets, kLarge);
}

TEST_F(TranslationMemoryTest, TopDoesNotReadMoreThanItsWindow) {
  ASSERT_EQ(open(), "");
  const Bytes before = maildrop->bytes_from_backend();
  EXPECT_EQ(top(1, 0), "Subject: large\r\n\r\n");
  EXPECT_LT(maildrop->bytes_from_backend() - before, 17 * 1024U);
}

TEST_F(TranslationMemoryTest, ClientWhoNeverReadsOnTakesNothingFromTheServer) {
  ASSERT_EQ(open(), "");
  Slow sink(scheduler, scope, 10h);
  Running<Result<void>> running(scheduler, maildrop->retrieve(1, sink));
  scheduler.run_until_idle();
  const Bytes before = taken();
  scheduler.advance(1h);  // no timeout of the server's
  EXPECT_EQ(taken(), before);
  EXPECT_FALSE(running.done());
  scope.cancel(FailureKind::client_stalled);
  scheduler.run_until_idle();
  EXPECT_EQ(failure(running.take()), "client_stalled");
}

TEST_F(TranslationMemoryTest, WindowsOfManySessionsShareABudget) {
  ASSERT_EQ(open(), "");
  Reservation others;
  ASSERT_TRUE(others.reserve(opener.budget(), Bytes{64} * 1024 * 1024 - 3000));
  for (std::uint32_t message = 2; message <= 5; ++message) text(message);
  settle();
  EXPECT_LE(opener.budget().used(), Bytes{64} * 1024 * 1024);
  EXPECT_GT(opener.budget().used(), Bytes{64} * 1024 * 1024 - 3000);
  for (std::uint32_t message = 6; message <= 21; ++message)
    EXPECT_EQ(text(message), small(message - 1, 1000));
}

TEST_F(TranslationMemoryTest, WhatIsHeldGoesWithTheSession) {
  ASSERT_EQ(open(), "");
  for (std::uint32_t message = 2; message <= 5; ++message) text(message);
  settle();
  EXPECT_NE(opener.budget().used(), 0U);
  maildrop.reset();
  EXPECT_EQ(opener.budget().used(), 0U);
}

}  // namespace
}  // namespace postern::maildrop
