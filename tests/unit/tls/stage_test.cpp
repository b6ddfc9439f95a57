#include "tls/stage.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postern::tls {
namespace {

std::string text_of(const Stage& stage) {
  return {stage.octets().begin(), stage.octets().end()};
}

TEST(Stage, GivesBackWhatWasAppendedInOrder) {
  Stage stage;
  ASSERT_TRUE(stage.append(std::string("first ")));
  ASSERT_TRUE(stage.append(std::string("second")));
  EXPECT_EQ(text_of(stage), "first second");
  stage.consume(6);
  EXPECT_EQ(text_of(stage), "second");
}

TEST(Stage, KeepsOrderWhenItMovesAndGrows) {
  Stage stage;
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const std::string piece = std::to_string(1000 + i * 7919) + ";";
    ASSERT_TRUE(stage.append(piece));
    expected += piece;
    stage.consume(3);
    expected.erase(0, 3);
  }
  EXPECT_EQ(text_of(stage), expected);
}

TEST(Stage, RefusesWhatExceedsItsLimitAndTakesNothingOfIt) {
  Stage stage;
  ASSERT_TRUE(stage.append(std::string(Stage::kLimit - 1, 'x')));
  EXPECT_FALSE(stage.append(std::string("ab")));
  EXPECT_EQ(stage.size(), Stage::kLimit - 1);
  EXPECT_TRUE(stage.append(std::string("a")));
}

TEST(Stage, HoldsNoMemoryWhenItIsEmpty) {
  Stage stage;
  EXPECT_EQ(stage.memory(), 0U);
  ASSERT_TRUE(stage.append(std::string(100, 'x')));
  EXPECT_GT(stage.memory(), 0U);
  stage.consume(99);
  EXPECT_GT(stage.memory(), 0U);
  stage.consume(1);
  EXPECT_EQ(stage.memory(), 0U);
}

TEST(Stage, ReservesAtMostItsLimit) {
  Stage stage;
  stage.reserve(10 * Stage::kLimit);
  EXPECT_EQ(stage.memory(), Stage::kLimit);
  ASSERT_TRUE(stage.append(std::string(Stage::kLimit, 'x')));
  EXPECT_EQ(stage.memory(), Stage::kLimit);
}

}  // namespace
}  // namespace postern::tls
