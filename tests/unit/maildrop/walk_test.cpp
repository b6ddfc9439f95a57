#include "maildrop/translate/walk.hpp"

#include <gtest/gtest.h>

namespace postern::maildrop {
namespace {

TEST(Walk, FirstMessageIsNoWalk) {
  Walk walk;
  EXPECT_EQ(walk.window(), 0U);
  walk.retrieves(1);
  EXPECT_EQ(walk.window(), 0U);
}

TEST(Walk, DoublesUpToItsLimit) {
  Walk walk;
  std::uint32_t message = 7;
  walk.retrieves(message);
  for (const std::uint32_t window : {2U, 4U, 8U, 16U, 16U, 16U}) {
    walk.retrieves(++message);
    EXPECT_EQ(walk.window(), window);
  }
}

TEST(Walk, DeletingTheMessageThatIsNextIsWalkingOn) {
  Walk walk;
  walk.retrieves(1);
  walk.deletes(1);
  walk.deletes(2);
  walk.deletes(3);
  walk.retrieves(4);
  EXPECT_EQ(walk.window(), 2U);
}

TEST(Walk, DeletingOthersChangesNothing) {
  Walk walk;
  walk.retrieves(5);
  walk.deletes(2);
  walk.deletes(9);
  walk.retrieves(6);
  EXPECT_EQ(walk.window(), 2U);
}

TEST(Walk, MayBeginWithADeletion) {
  Walk walk;
  walk.deletes(1);
  walk.retrieves(2);
  EXPECT_EQ(walk.window(), 2U);
}

TEST(Walk, JumpBackOrForthOrTheSameAgainBeginsAnew) {
  for (const std::uint32_t to : {1U, 3U, 5U, 100U}) {
    Walk walk;
    for (std::uint32_t message = 1; message <= 3; ++message) walk.retrieves(message);
    EXPECT_EQ(walk.window(), 4U);
    walk.retrieves(to);
    EXPECT_EQ(walk.window(), 0U);
    walk.retrieves(to + 1);
    EXPECT_EQ(walk.window(), 2U);
  }
}

TEST(Walk, StopsWhenToldTo) {
  Walk walk;
  walk.retrieves(1);
  walk.retrieves(2);
  walk.stop();
  EXPECT_EQ(walk.window(), 0U);
  walk.retrieves(3);
  EXPECT_EQ(walk.window(), 0U);
}

TEST(Walk, LastNumberThereIsHasNoNext) {
  Walk walk;
  walk.retrieves(UINT32_MAX);
  walk.retrieves(1);
  EXPECT_EQ(walk.window(), 0U);
}

}  // namespace
}  // namespace postern::maildrop
