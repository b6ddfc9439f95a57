#include "unit/metrics/exposition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "postern/metrics/metrics.hpp"

// What `promtool check metrics` would say about the exposition, and a little more.
namespace postern::metrics {
namespace {

std::string exposition() {
  Registry registry(2, {"1", "3", "1"});
  registry.set_current({"l"}, {"b"});
  registry.set_certificates({{"p", "n", WallTime()}});
  for (unsigned loop = 0; loop < 2; ++loop) {
    const auto backend = registry.backend(loop, "b");
    for (const double value : {0.0003, 0.2, 1e3, 1e12}) {
      backend->login_duration.observe(value);
      backend->message_size.observe(value);
      backend->session_duration.observe(value);
    }
  }
  return registry.text();
}

class ExpositionTest : public testing::Test {
 protected:
  const std::vector<ParsedFamily> families_ = parse_exposition(exposition());
};

TEST_F(ExpositionTest, EveryFamilyHasHelpTypeAndSamples) {
  ASSERT_FALSE(families_.empty());
  for (const ParsedFamily& family : families_) {
    EXPECT_GT(family.help.size(), 10u) << family.name;
    EXPECT_EQ(family.help.find('\\'), std::string::npos) << family.name;  // would need escaping
    EXPECT_TRUE(family.type == "counter" || family.type == "gauge" || family.type == "histogram")
        << family.name;
    EXPECT_FALSE(family.samples.empty()) << family.name;
  }
}

TEST_F(ExpositionTest, NamesHavePrefixAndLettersOfPrometheus) {
  for (const ParsedFamily& family : families_) {
    EXPECT_TRUE(family.name.starts_with("postern_") || family.name.starts_with("process_")) << family.name;
    EXPECT_EQ(family.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << family.name;
  }
}

TEST_F(ExpositionTest, CountersAndOnlyCountersEndInTotal) {
  for (const ParsedFamily& family : families_) {
    EXPECT_EQ(family.name.ends_with("_total"), family.type == "counter") << family.name;
  }
}

TEST_F(ExpositionTest, NoNameEndsLikeAHistogramsParts) {
  for (const ParsedFamily& family : families_) {
    for (const char* suffix : {"_count", "_sum", "_bucket"})
      EXPECT_FALSE(family.name.ends_with(suffix)) << family.name;
  }
}

TEST_F(ExpositionTest, UnitsAreBaseUnitsAtTheEnd) {
  constexpr std::array kOtherUnits = {"milliseconds", "microseconds", "ms", "us", "minutes", "hours",  "days",
                                      "kilobytes",    "megabytes",    "kb", "mb", "bits",    "percent"};
  for (const ParsedFamily& family : families_) {
    std::string name = "_" + family.name + "_";
    for (const char* unit : kOtherUnits)
      EXPECT_EQ(name.find("_" + std::string(unit) + "_"), name.npos) << family.name;
    std::string_view stem = family.name;
    if (stem.ends_with("_total")) stem.remove_suffix(6);
    if (stem.find("_duration") != stem.npos || stem.find("timestamp") != stem.npos) {
      EXPECT_TRUE(stem.ends_with("_seconds")) << family.name;
    }
    if (family.type == "histogram") {
      EXPECT_TRUE(stem.ends_with("_seconds") || stem.ends_with("_bytes")) << family.name;
    }
  }
}

TEST_F(ExpositionTest, HelpTextsDiffer) {
  std::set<std::string> helps;
  for (const ParsedFamily& family : families_) EXPECT_TRUE(helps.insert(family.help).second) << family.help;
}

TEST_F(ExpositionTest, BucketsRiseToTheCount) {
  int checked = 0;
  for (const ParsedFamily& family : families_) {
    if (family.type != "histogram") continue;
    std::map<std::string, std::map<double, double>> buckets;  // by labels, then by bound
    for (const auto& [series, value] : family.samples) {
      const std::size_t le = series.find("le=\"");
      if (le == std::string::npos) continue;
      std::string labels = series.substr(series.find('{'), le - series.find('{'));
      labels.back() = labels.size() > 1 ? '}' : labels.back();
      buckets[labels][std::strtod(series.c_str() + le + 4, nullptr)] = value;
    }
    for (const auto& [labels, by_bound] : buckets) {
      EXPECT_TRUE(std::is_sorted(by_bound.begin(), by_bound.end(),
                                 [](const auto& a, const auto& b) { return a.second < b.second; }));
      EXPECT_TRUE(std::isinf(by_bound.rbegin()->first)) << family.name;
      EXPECT_EQ(by_bound.rbegin()->second, family.samples.at(family.name + "_count" + labels)) << family.name;
      ++checked;
    }
  }
  EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace postern::metrics
