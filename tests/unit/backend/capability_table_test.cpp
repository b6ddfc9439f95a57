#include "postern/backend/capability_table.hpp"

#include <gtest/gtest.h>

#include "support/test_scheduler.hpp"

namespace postern::backend {
namespace {

using namespace std::chrono_literals;

pop3::Capabilities pipelining() {
  pop3::Capabilities made;
  made.pipelining = true;
  return made;
}

TEST(CapabilityTable, RemembersEachServerForAnHour) {
  test::TestScheduler clock;
  CapabilityTable table(clock);
  EXPECT_FALSE(table.pop3.find("a:110/plain").has_value());
  table.pop3.learn("a:110/plain", pipelining());
  EXPECT_TRUE(table.pop3.find("a:110/plain").value().pipelining);
  EXPECT_FALSE(table.pop3.find("a:110/stls").has_value());
  clock.advance(1h);
  EXPECT_TRUE(table.pop3.find("a:110/plain").has_value());
  clock.advance(1ms);
  EXPECT_FALSE(table.pop3.find("a:110/plain").has_value());
}

TEST(CapabilityTable, WhatIsLearnedAnewReplaces) {
  test::TestScheduler clock;
  CapabilityTable table(clock);
  table.pop3.learn("a", pipelining());
  clock.advance(50min);
  table.pop3.learn("a", pop3::Capabilities());
  clock.advance(50min);
  EXPECT_FALSE(table.pop3.find("a").value().pipelining);
}

TEST(CapabilityTable, ForgetsOnDemand) {
  test::TestScheduler clock;
  CapabilityTable table(clock);
  table.pop3.learn("a", pipelining());
  table.pop3.learn("b", pipelining());
  table.pop3.forget("a");
  table.pop3.forget("c");
  EXPECT_FALSE(table.pop3.find("a").has_value());
  EXPECT_TRUE(table.pop3.find("b").has_value());
}

}  // namespace
}  // namespace postern::backend
