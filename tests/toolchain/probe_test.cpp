// The detector must detect: faults that are made on purpose, without any help of a compiler.

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "toolchain/patterns.hpp"

namespace postern::toolchain {
namespace {

/// Room for a probe whose lifetime the test decides.
union Room {
  Room() {}
  ~Room() {}
  Probe probe;
};

TEST(Detector, NoticesDoubleDestruction) {
  Ledger::begin();
  Room room;
  std::construct_at(&room.probe, 1);
  std::destroy_at(&room.probe);
  std::destroy_at(&room.probe);
  EXPECT_EQ(Ledger::faults(), std::vector<std::string>{"destroyed twice or never constructed"});
}

TEST(Detector, NoticesConstructionOverALivingObject) {
  Ledger::begin();
  Room room;
  std::construct_at(&room.probe, 1);
  std::construct_at(&room.probe, 2);
  EXPECT_EQ(Ledger::faults(), std::vector<std::string>{"constructed over a living object"});
}

Task<void> leaks() {
  static Room room;
  std::construct_at(&room.probe, 1);
  co_await step();
}

TEST(Detector, NoticesLeaks) {
  const Outcome outcome = run(leaks, {Pace::suspended});
  EXPECT_TRUE(outcome.completed);
  EXPECT_EQ(outcome.leaked, 1U);
}

TEST(Detector, NoticesUseAfterTheEnd) {
  Ledger::begin();
  Room room;
  std::construct_at(&room.probe, 1);
  const Probe& probe = room.probe;
  std::destroy_at(&room.probe);
  const Probe copy(probe);
  EXPECT_EQ(Ledger::faults(), std::vector<std::string>{"used after its end"});
}

Task<void> goes_wrong() {
  require(false, "two and two");
  co_await step();
  throw std::runtime_error("left over");
}

TEST(Detector, NoticesWrongValuesAndExceptions) {
  const Outcome outcome = run(goes_wrong, {Pace::ready});
  EXPECT_EQ(outcome.faults, std::vector<std::string>{"two and two"});
  EXPECT_EQ(outcome.exception, "left over");
}

Task<void> three_steps() {
  for (int i = 0; i < 3; ++i) co_await step();
}

TEST(Detector, FollowsTheRhythm) {
  EXPECT_EQ(run(three_steps, {Pace::ready}).suspensions, 0U);
  EXPECT_EQ(run(three_steps, {Pace::straight_on}).suspensions, 0U);
  EXPECT_EQ(run(three_steps, {Pace::suspended}).suspensions, 3U);
  EXPECT_EQ(run(three_steps, {Pace::suspended, Pace::ready}).suspensions, 2U);
}

}  // namespace
}  // namespace postern::toolchain
