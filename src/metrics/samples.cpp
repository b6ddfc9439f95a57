#include "metrics/samples.hpp"

#include <limits>

#include "postern/base/assert.hpp"

namespace postern::metrics {

prometheus::ClientMetric& Samples::metric(LabelValues labels) {
  POSTERN_ASSERT(labels.size() == label_names_.size());
  prometheus::ClientMetric& metric = family_.metric.emplace_back();
  metric.label.reserve(labels.size());
  const std::string_view* name = label_names_.data();
  for (const std::string_view value : labels)
    metric.label.push_back({std::string(*name++), std::string(value)});
  return metric;
}

void Samples::add(LabelValues labels, double value) {
  prometheus::ClientMetric& added = metric(labels);
  if (family_.type == prometheus::MetricType::Counter) {
    added.counter.value = value;
  } else {
    added.gauge.value = value;
  }
}

void Samples::add(LabelValues labels, const HistogramTotal& total) {
  prometheus::ClientMetric::Histogram& histogram = metric(labels).histogram;
  histogram.bucket.reserve(total.buckets.size());
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < total.buckets.size(); ++i) {
    count += total.buckets[i];
    const double bound = i < total.bounds.size() ? total.bounds[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({count, bound});
  }
  histogram.sample_count = count;
  histogram.sample_sum = total.sum;
}

}  // namespace postern::metrics
