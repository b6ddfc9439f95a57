#include "app/listening.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "postern/base/clock.hpp"
#include "support/log_lines.hpp"

namespace postern::app {
namespace {

/// Two descriptors of one socket have one queue of connections.
ino_t queue_of(const ListeningSocket& socket) {
  struct stat status{};
  EXPECT_EQ(fstat(socket.socket.number(), &status), 0);
  return status.st_ino;
}

std::vector<ino_t> queues_of(const std::vector<ListeningSocket>& sockets) {
  std::vector<ino_t> queues;
  for (const ListeningSocket& socket : sockets) queues.push_back(queue_of(socket));
  return queues;
}

/// What a process that takes over does with what it is given.
class GivenSockets : public ::testing::Test {
 protected:
  GivenSockets() {
    config_.listeners.resize(1);
    config_.listeners.front().name = "pop3";
    config_.listeners.front().bind = {*SocketAddress::parse("127.0.0.1", 0)};
  }

  /// As another process opened them, for so many loops.
  std::vector<ListeningSocket> opened_by(std::size_t loops) {
    std::vector<ListeningSocket> all;
    auto opened = open_sockets(config_, loops, std::set<std::string>(), log_);
    EXPECT_TRUE(opened);
    for (auto& sockets : *opened) std::move(sockets.begin(), sockets.end(), std::back_inserter(all));
    return all;
  }

  config::Config config_;
  test::LogLines sink_;
  Log log_{sink_, system_clock(), LogFormat::logfmt, LogLevel::info};
};

TEST_F(GivenSockets, EachLoopHasItsOwn) {
  auto given = opened_by(2);
  const std::vector<ino_t> queues = queues_of(given);
  const auto opened = open_sockets(config_, 2, given, log_);
  ASSERT_TRUE(opened);
  EXPECT_EQ(queues_of((*opened)[0]), std::vector<ino_t>{queues[0]});
  EXPECT_EQ(queues_of((*opened)[1]), std::vector<ino_t>{queues[1]});
}

TEST_F(GivenSockets, NoQueueIsLeftWhereThereAreFewerLoops) {
  auto given = opened_by(3);
  std::vector<ino_t> queues = queues_of(given);
  const auto opened = open_sockets(config_, 1, given, log_);
  ASSERT_TRUE(opened);
  EXPECT_EQ(queues_of(opened->front()), queues);
}

TEST_F(GivenSockets, NoLoopIsWithoutOneWhereThereAreMore) {
  auto given = opened_by(1);
  const std::vector<ino_t> queue = queues_of(given);
  const auto opened = open_sockets(config_, 3, given, log_);
  ASSERT_TRUE(opened);
  for (const auto& sockets : *opened) EXPECT_EQ(queues_of(sockets), queue);
}

TEST_F(GivenSockets, WhatIsNotConfiguredAnyMoreStaysBehind) {
  auto given = opened_by(1);
  const ino_t old = queue_of(given.front());
  config_.listeners.front().name = "pop3-new";
  const auto opened = open_sockets(config_, 1, given, log_);
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->front().size(), 1U);
  EXPECT_EQ(opened->front().front().listener, "pop3-new");
  EXPECT_NE(queue_of(opened->front().front()), old);
  EXPECT_TRUE(given.front().socket);
}

TEST_F(GivenSockets, AdminListenerKeepsItsOwn) {
  config_.admin.bind = {*SocketAddress::parse("127.0.0.1", 0)};
  std::vector<ListeningSocket> none;
  auto given = open_admin_sockets(config_, none, log_);
  ASSERT_TRUE(given);
  const std::vector<ino_t> queue = queues_of(*given);
  const auto opened = open_admin_sockets(config_, *given, log_);
  ASSERT_TRUE(opened);
  EXPECT_EQ(queues_of(*opened), queue);
}

}  // namespace
}  // namespace postern::app
