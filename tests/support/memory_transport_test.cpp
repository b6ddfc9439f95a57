#include "support/memory_transport.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace postern::test {
namespace {

class MemoryTransport : public ::testing::Test {
 protected:
  IoResult read(Transport& end) {
    std::array<char, 100> buffer;
    const IoResult result = end.try_read(buffer);
    got_.append(buffer.data(), result.bytes);
    return result;
  }
  static IoResult write(Transport& end, std::string_view text) { return end.try_write(text); }

  MemoryLink link_;
  std::unique_ptr<Transport> a_ = link_.transport(Side::a);
  std::unique_ptr<Transport> b_ = link_.transport(Side::b);
  std::string got_;
};

class Watcher final : public ReadinessWatcher {
 public:
  void on_ready(bool readable, bool writable) override {
    reads += readable ? 1 : 0;
    writes += writable ? 1 : 0;
  }
  int reads = 0;
  int writes = 0;
};

TEST_F(MemoryTransport, CarriesOctetsBothWays) {
  EXPECT_EQ(write(*a_, "to b").bytes, 4U);
  EXPECT_EQ(write(*b_, "to a").bytes, 4U);
  read(*b_);
  read(*a_);
  EXPECT_EQ(got_, "to bto a");
  EXPECT_EQ(read(*a_).want, Want::read);
}

TEST_F(MemoryTransport, LimitsEachCallAndBlocksEveryOther) {
  Direction& way = link_.from(Side::a);
  way.rules.most_per_write = 3;
  way.rules.most_per_read = 2;
  way.rules.alternate_writes = way.rules.alternate_reads = true;
  EXPECT_EQ(write(*a_, "abcd").want, Want::write);
  EXPECT_EQ(write(*a_, "abcd").bytes, 3U);
  EXPECT_EQ(read(*b_).want, Want::read);
  EXPECT_EQ(read(*b_).bytes, 2U);
  EXPECT_EQ(got_, "ab");
}

TEST_F(MemoryTransport, BlocksWritesBeyondItsCapacity) {
  link_.from(Side::a).rules.capacity = 4;
  EXPECT_EQ(write(*a_, "abcdef").bytes, 4U);
  EXPECT_EQ(write(*a_, "ef").want, Want::write);
  read(*b_);
  EXPECT_EQ(write(*a_, "ef").bytes, 2U);
}

TEST_F(MemoryTransport, EndsWithFinBehindTheOctets) {
  write(*a_, "last");
  EXPECT_TRUE(a_->try_shutdown().ok());
  EXPECT_EQ(read(*b_).bytes, 4U);
  EXPECT_EQ(read(*b_).status, IoStatus::eof);
  EXPECT_EQ(write(*b_, "still open").bytes, 10U);
  EXPECT_EQ(write(*a_, "x").status, IoStatus::failed);
}

TEST_F(MemoryTransport, AbortResetsBothWaysAtOnce) {
  write(*a_, "lost");
  a_->abort();
  EXPECT_EQ(read(*b_).status, IoStatus::reset);
  EXPECT_EQ(write(*b_, "x").status, IoStatus::reset);
  EXPECT_EQ(got_, "");
  EXPECT_EQ(b_->failure(), "connection reset");
}

TEST_F(MemoryTransport, CutGivesEofAfterThatOctet) {
  link_.from(Side::a).cut_after(3, Ending::eof);
  EXPECT_EQ(write(*a_, "abcd").bytes, 4U);
  EXPECT_EQ(read(*b_).bytes, 3U);
  EXPECT_EQ(read(*b_).status, IoStatus::eof);
  EXPECT_EQ(write(*a_, "more").bytes, 4U);
  EXPECT_EQ(read(*b_).status, IoStatus::eof);
}

TEST_F(MemoryTransport, CutGivesResetToBothEnds) {
  link_.from(Side::a).cut_after(3, Ending::reset);
  write(*a_, "abcd");
  EXPECT_EQ(read(*b_).bytes, 3U);
  EXPECT_EQ(read(*b_).status, IoStatus::reset);
  EXPECT_EQ(write(*a_, "x").status, IoStatus::reset);
  EXPECT_EQ(read(*a_).status, IoStatus::reset);
}

TEST_F(MemoryTransport, GivesOnlyWhatHasArrived) {
  link_.from(Side::a).rules.arrived = 2;
  write(*a_, "abc");
  read(*b_);
  EXPECT_EQ(got_, "ab");
  EXPECT_EQ(read(*b_).want, Want::read);
  link_.from(Side::a).rules.arrived = 3;
  read(*b_);
  EXPECT_EQ(got_, "abc");
}

TEST_F(MemoryTransport, EndsOnlyWhenEverythingHasArrived) {
  link_.from(Side::a).rules.arrived = 1;
  write(*a_, "ab");
  a_->try_shutdown();
  read(*b_);
  EXPECT_EQ(read(*b_).want, Want::read);
  link_.from(Side::a).rules.arrived = 2;
  read(*b_);
  EXPECT_EQ(got_, "ab");
  EXPECT_EQ(read(*b_).status, IoStatus::eof);
}

TEST_F(MemoryTransport, CutCountsWhatHasArrived) {
  link_.from(Side::a).cut_after(2, Ending::reset);
  link_.from(Side::a).rules.arrived = 1;
  write(*a_, "abc");
  EXPECT_TRUE(write(*a_, "d").ok());
  read(*b_);
  EXPECT_EQ(read(*b_).want, Want::read);
  link_.from(Side::a).rules.arrived = 4;
  read(*b_);
  EXPECT_EQ(got_, "ab");
  EXPECT_EQ(read(*b_).status, IoStatus::reset);
  EXPECT_EQ(write(*a_, "e").status, IoStatus::reset);
}

TEST_F(MemoryTransport, ClosingWithUnreadOctetsResets) {
  write(*a_, "unread");
  b_.reset();
  EXPECT_EQ(read(*a_).status, IoStatus::reset);
}

TEST_F(MemoryTransport, ClosingIsFinAndLaterWritesAreReset) {
  b_.reset();
  EXPECT_EQ(read(*a_).status, IoStatus::eof);
  EXPECT_EQ(write(*a_, "x").status, IoStatus::reset);
}

TEST_F(MemoryTransport, TellsOnlyArmedWatchersAndOnlyWhenDelivering) {
  Watcher watcher;
  const auto readiness = link_.readiness(Side::b);
  readiness->watch(&watcher);
  readiness->arm(true, false);
  EXPECT_FALSE(link_.deliver());
  write(*a_, "x");
  EXPECT_EQ(watcher.reads, 0);
  EXPECT_TRUE(link_.deliver());
  EXPECT_EQ(watcher.reads, 1);
  EXPECT_EQ(watcher.writes, 0);
  readiness->arm(false, true);
  EXPECT_TRUE(link_.deliver());
  EXPECT_EQ(watcher.reads, 1);
  EXPECT_EQ(watcher.writes, 1);
  readiness->watch(nullptr);
  EXPECT_FALSE(link_.deliver());
}

TEST_F(MemoryTransport, TellsBothWaysWhenReset) {
  Watcher watcher;
  const auto readiness = link_.readiness(Side::b);
  readiness->watch(&watcher);
  readiness->arm(true, false);
  a_->abort();
  EXPECT_TRUE(link_.deliver());
  EXPECT_EQ(watcher.reads, 1);
  EXPECT_EQ(watcher.writes, 1);
}

}  // namespace
}  // namespace postern::test
