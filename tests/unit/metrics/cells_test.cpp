#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "postern/metrics/metrics.hpp"

namespace postern::metrics {
namespace {

using namespace std::chrono_literals;

template <std::size_t N>
std::vector<std::uint64_t> counts(const Histogram<N>& histogram) {
  std::vector<std::uint64_t> result;
  for (const Counter& bucket : histogram.buckets()) result.push_back(bucket.value());
  return result;
}

TEST(Counter, Adds) {
  Counter counter;
  counter.add();
  counter.add(41);
  EXPECT_EQ(counter.value(), 42u);
}

TEST(Gauge, GoesUpAndDown) {
  Gauge gauge;
  gauge.add(3);
  gauge.add(-5);
  EXPECT_EQ(gauge.value(), -2);
  gauge.set(7);
  EXPECT_EQ(gauge.value(), 7);
}

TEST(Histogram, CountsABoundAsBelow) {
  Histogram<kSessionBounds.size()> histogram(kSessionBounds);
  for (const double seconds : {0.0, 1.0, 1.5, 15.0, 3600.0, 3600.5, 1e9}) histogram.observe(seconds);
  EXPECT_EQ(counts(histogram), (std::vector<std::uint64_t>{2, 1, 1, 0, 0, 0, 1, 2}));
  EXPECT_DOUBLE_EQ(histogram.sum(), 0.0 + 1.0 + 1.5 + 15.0 + 3600.0 + 3600.5 + 1e9);
}

TEST(Histogram, TakesDurationsInSeconds) {
  Latency latency(kLatencyBounds);
  latency.observe(1500us);
  EXPECT_DOUBLE_EQ(latency.sum(), 0.0015);
  EXPECT_EQ(counts(latency)[1], 1u);  // above 1 ms, up to 2.5 ms
}

TEST(Bounds, Rise) {
  EXPECT_TRUE(std::is_sorted(kLatencyBounds.begin(), kLatencyBounds.end()));
  EXPECT_TRUE(std::is_sorted(kSessionBounds.begin(), kSessionBounds.end()));
  EXPECT_TRUE(std::is_sorted(kSizeBounds.begin(), kSizeBounds.end()));
}

class HeldTest : public testing::Test {
 protected:
  std::int64_t sessions() const { return block_->sessions.value(); }
  Held<BackendMetrics> hold() { return {block_, &BackendMetrics::sessions}; }

  std::shared_ptr<BackendMetrics> block_ = std::make_shared<BackendMetrics>();
};

TEST_F(HeldTest, CountsWhileItLives) {
  {
    const Held<BackendMetrics> one = hold();
    EXPECT_EQ(sessions(), 1);
    EXPECT_EQ(block_.use_count(), 2);
  }
  EXPECT_EQ(sessions(), 0);
  EXPECT_EQ(block_.use_count(), 1);
}

TEST_F(HeldTest, CountsOnceWhenMoved) {
  Held<BackendMetrics> one = hold();
  Held<BackendMetrics> two(std::move(one));
  EXPECT_EQ(sessions(), 1);
  Held<BackendMetrics> three = hold();
  three = std::move(two);
  EXPECT_EQ(sessions(), 1);
  three.release();
  three.release();
  EXPECT_EQ(sessions(), 0);
}

TEST_F(HeldTest, OfNothingCountsNothing) {
  Held<BackendMetrics> none;
  none.release();
  none = hold();
  EXPECT_EQ(sessions(), 1);
  none = Held<BackendMetrics>();
  EXPECT_EQ(sessions(), 0);
}

}  // namespace
}  // namespace postern::metrics
