#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/process_usage.hpp"
#include "postern/metrics/metrics.hpp"

namespace postern::metrics {

/// Histograms of several loops, added up.
struct HistogramTotal {
  std::span<const double> bounds;
  std::vector<std::uint64_t> buckets;
  double sum = 0;
};

inline void add_to(double& total, const Counter& cell) {
  total += static_cast<double>(cell.value());
}
inline void add_to(double& total, const Gauge& cell) {
  total += static_cast<double>(cell.value());
}
template <std::size_t N>
void add_to(HistogramTotal& total, const Histogram<N>& cell) {
  total.bounds = cell.bounds();
  total.buckets.resize(N + 1);
  for (std::size_t i = 0; i <= N; ++i) total.buckets[i] += cell.buckets()[i].value();
  total.sum += cell.sum();
}

template <class Cell>
struct TotalOf {
  using Type = double;
};
template <std::size_t N>
struct TotalOf<Histogram<N>> {
  using Type = HistogramTotal;
};

/// A listener, a backend or a loop, with the blocks that the loops write for it.
template <class Block>
struct Owner {
  std::string name;
  std::vector<std::shared_ptr<const Block>> blocks;

  /// The sum over the loops of the cell that `read` (a member pointer, or a function of a block) finds.
  template <class Read>
  auto sum(Read read) const {
    using Cell = std::remove_cvref_t<std::invoke_result_t<Read, const Block&>>;
    typename TotalOf<Cell>::Type total{};
    for (const auto& block : blocks) add_to(total, std::invoke(read, *block));
    return total;
  }
};

/// All that one scrape shows.
struct View {
  const BuildInfo& build;
  const ProcessMetrics& process;
  ProcessUsage usage;
  std::vector<Owner<LoopMetrics>> loops;
  std::vector<Owner<ListenerMetrics>> listeners;
  std::vector<Owner<BackendMetrics>> backends;
  std::vector<CertificateExpiry> certificates;
  std::uint64_t log_dropped = 0;
};

/// Takes the samples of one family.
class Samples {
 public:
  using LabelValues = std::initializer_list<std::string_view>;

  Samples(prometheus::MetricFamily& family, std::span<const std::string_view> label_names)
      : family_(family), label_names_(label_names) {}

  void add(LabelValues labels, double value);
  void add(LabelValues labels, const HistogramTotal& total);

 private:
  prometheus::ClientMetric& metric(LabelValues labels);

  prometheus::MetricFamily& family_;
  std::span<const std::string_view> label_names_;
};

}  // namespace postern::metrics
