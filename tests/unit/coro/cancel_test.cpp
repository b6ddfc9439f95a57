#include "postern/coro/cancel.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace postern::coro {
namespace {

class Target final : public CancelTarget {
 public:
  using CancelTarget::CancelTarget;
  std::vector<FailureKind> heard;

 private:
  void on_cancel(FailureKind reason) override { heard.push_back(reason); }
};

TEST(CancelSource, TellsEveryTargetTheReason) {
  CancelSource source;
  Target a(source);
  Target b(source);
  source.cancel(FailureKind::kicked);
  EXPECT_EQ(a.heard, std::vector<FailureKind>{FailureKind::kicked});
  EXPECT_EQ(b.heard, std::vector<FailureKind>{FailureKind::kicked});
  EXPECT_EQ(a.cancelled(), FailureKind::kicked);
}

TEST(CancelSource, KeepsTheFirstReasonAndTellsItOnce) {
  CancelSource source;
  Target target(source);
  source.cancel(FailureKind::draining);
  source.cancel(FailureKind::kicked);
  EXPECT_EQ(source.reason(), FailureKind::draining);
  EXPECT_EQ(target.heard, std::vector<FailureKind>{FailureKind::draining});
}

TEST(CancelSource, ATargetThatComesLaterKnowsTheReason) {
  CancelSource source;
  source.cancel(FailureKind::client_eof);
  const Target late(source);
  EXPECT_TRUE(late.heard.empty());
  EXPECT_EQ(late.cancelled(), FailureKind::client_eof);
}

TEST(CancelSource, TargetsLeaveInAnyOrder) {
  for (std::size_t first = 0; first < 3; ++first) {
    for (std::size_t second = 0; second < 2; ++second) {
      CancelSource source;
      std::vector<std::unique_ptr<Target>> targets;
      for (int i = 0; i < 3; ++i) targets.push_back(std::make_unique<Target>(source));
      targets.erase(targets.begin() + static_cast<std::ptrdiff_t>(first));
      targets.erase(targets.begin() + static_cast<std::ptrdiff_t>(second));
      source.cancel(FailureKind::kicked);
      EXPECT_EQ(targets.front()->heard.size(), 1u) << first << " " << second;
    }
  }
}

TEST(CancelSource, WithoutTargetsOnlyKeepsTheReason) {
  CancelSource source;
  EXPECT_EQ(source.reason(), std::nullopt);
  source.cancel(FailureKind::overload);
  EXPECT_EQ(source.reason(), FailureKind::overload);
}

#if GTEST_HAS_DEATH_TEST
TEST(CancelSourceDeathTest, OutlivesItsTargets) {
  auto source = std::make_unique<CancelSource>();
  const Target target(*source);
  EXPECT_DEATH(source.reset(), "first_");
}
#endif

}  // namespace
}  // namespace postern::coro
