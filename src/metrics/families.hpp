#pragma once

#include <prometheus/metric_type.h>

#include <functional>
#include <string_view>
#include <vector>

#include "metrics/samples.hpp"

namespace postern::metrics {

/// A metric family: what stands in the exposition, and how its samples are read.
struct Family {
  std::string_view name;
  prometheus::MetricType type;
  std::vector<std::string_view> labels;
  std::string_view help;  ///< without line ends and backslashes: prometheus-cpp does not escape it
  std::function<void(const View&, Samples&)> collect;
};

/// All families, in the order of the exposition. The only place that names them; docs/metrics.md explains
/// them.
const std::vector<Family>& families();

}  // namespace postern::metrics
