#include "postern/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace postern {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error(FailureKind::client_protocol, "odd");
  return n / 2;
}

Result<void> refuse(bool really) {
  if (really) return Error(FailureKind::internal, "refused");
  return {};
}

TEST(Result, HoldsValue) {
  const Result<int> result = half(8);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result.has_value());
  EXPECT_EQ(result.value(), 4);
  EXPECT_EQ(*result, 4);
}

TEST(Result, HoldsError) {
  const Result<int> result = half(7);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), FailureKind::client_protocol);
  EXPECT_EQ(result.error().detail(), "odd");
}

TEST(Result, OfVoidHoldsNothingOrError) {
  EXPECT_TRUE(refuse(false));
  const Result<void> refused = refuse(true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), FailureKind::internal);
}

TEST(Result, GivesMoveOnlyValueAway) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 5);
  EXPECT_EQ(*result, nullptr);  // still a value, moved from
}

TEST(Result, GivesErrorAwayAsAnotherResultsError) {
  const auto forward = [](Result<int> from) -> Result<std::string> {
    if (!from) return std::move(from).error();
    return std::to_string(*from);
  };
  EXPECT_EQ(forward(half(7)).error().detail(), "odd");
  EXPECT_EQ(*forward(half(8)), "4");
}

TEST(Result, ReachesMembersOfValue) {
  Result<std::string> result(std::string("abc"));
  result->push_back('d');
  EXPECT_EQ(std::as_const(result)->size(), 4u);
}

TEST(ResultDeathTest, LookingAtTheMissingSideEndsTheProcess) {
  EXPECT_DEATH((void)half(7).value(), "this must not happen");
  EXPECT_DEATH((void)half(8).error(), "this must not happen");
  EXPECT_DEATH((void)refuse(false).error(), "this must not happen");
}

}  // namespace
}  // namespace postern
