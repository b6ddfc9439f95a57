#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <tuple>
#include <utility>

#include "metrics/families.hpp"
#include "postern/base/assert.hpp"
#include "postern/metrics/metrics.hpp"

namespace postern::metrics {
namespace {

Latency make_latency(std::size_t) {
  return Latency(kLatencyBounds);
}

template <std::size_t... I>
std::array<Latency, sizeof...(I)> make_latencies(std::index_sequence<I...>) {
  return {{make_latency(I)...}};
}

/// The blocks of all listeners, or of all backends. A name has the blocks of all loops or none, and they go
/// together: if one loop's went before another's, the sums would go backwards.
template <class Block>
class BlockTable {
 public:
  explicit BlockTable(unsigned loops) : loops_(loops) {}

  std::shared_ptr<Block> find(unsigned loop, const std::string& name) {
    POSTERN_ASSERT(loop < loops_);
    return blocks_of(name)[loop];
  }

  void set_current(std::vector<std::string> names) {
    current_ = std::set<std::string>(names.begin(), names.end());
    for (const std::string& name : current_) blocks_of(name);
    prune();
  }

  /// Forgets what the configuration no longer has and nobody holds. Whoever wants a block comes through this
  /// table, so a block that only the table holds cannot be taken meanwhile.
  void prune() {
    std::erase_if(table_, [this](const auto& entry) {
      return !current_.contains(entry.first) &&
             std::ranges::all_of(entry.second, [](const auto& block) { return block.use_count() == 1; });
    });
  }

  std::vector<Owner<Block>> owners() const {
    std::vector<Owner<Block>> result;
    result.reserve(table_.size());
    for (const auto& [name, blocks] : table_) result.push_back({name, {blocks.begin(), blocks.end()}});
    return result;
  }

 private:
  using Blocks = std::vector<std::shared_ptr<Block>>;

  Blocks& blocks_of(const std::string& name) {
    Blocks& blocks = table_[name];
    while (blocks.size() < loops_) blocks.push_back(std::make_shared<Block>());
    return blocks;
  }

  unsigned loops_;
  std::set<std::string> current_;
  std::map<std::string, Blocks> table_;  // sorted, so that a scrape reads the same each time
};

}  // namespace

BackendMetrics::BackendMetrics()
    : command_duration(make_latencies(std::make_index_sequence<kCommands.size()>())) {}

struct Registry::Impl {
  Impl(unsigned loops, BuildInfo info) : build(std::move(info)), listeners(loops), backends(loops) {}

  const BuildInfo build;
  std::mutex mutex;  // of all below; held for moments, never while a scrape is written
  BlockTable<ListenerMetrics> listeners;
  BlockTable<BackendMetrics> backends;
  std::vector<CertificateExpiry> certificates;
  std::function<std::uint64_t()> read_log_dropped;
};

Registry::Registry(unsigned loops, BuildInfo build) : impl_(std::make_unique<Impl>(loops, std::move(build))) {
  for (unsigned i = 0; i < loops; ++i) loop_metrics_.push_back(std::make_unique<LoopMetrics>());
}

Registry::~Registry() = default;

std::shared_ptr<ListenerMetrics> Registry::listener(unsigned loop, const std::string& name) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->listeners.find(loop, name);
}

std::shared_ptr<BackendMetrics> Registry::backend(unsigned loop, const std::string& name) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->backends.find(loop, name);
}

void Registry::set_current(std::vector<std::string> listeners, std::vector<std::string> backends) {
  const std::lock_guard lock(impl_->mutex);
  impl_->listeners.set_current(std::move(listeners));
  impl_->backends.set_current(std::move(backends));
}

void Registry::set_certificates(std::vector<CertificateExpiry> certificates) {
  // The same name twice in a profile (an RSA and an ECDSA certificate) is one series: the one that expires
  // first.
  std::ranges::sort(certificates, {},
                    [](const CertificateExpiry& c) { return std::tie(c.profile, c.name, c.not_after); });
  const auto repeated = std::ranges::unique(
      certificates, {}, [](const CertificateExpiry& c) { return std::tie(c.profile, c.name); });
  certificates.erase(repeated.begin(), repeated.end());
  const std::lock_guard lock(impl_->mutex);
  impl_->certificates = std::move(certificates);
}

void Registry::set_log_dropped(std::function<std::uint64_t()> read) {
  const std::lock_guard lock(impl_->mutex);
  impl_->read_log_dropped = std::move(read);
}

std::string Registry::text() const {
  View view{impl_->build, process_, read_process_usage(), {}, {}, {}, {}};
  for (std::size_t i = 0; i < loop_metrics_.size(); ++i) {
    // Not owning: the registry outlives the scrape.
    std::shared_ptr<const LoopMetrics> block(std::shared_ptr<void>(), loop_metrics_[i].get());
    view.loops.push_back({std::to_string(i), {std::move(block)}});
  }
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->listeners.prune();
    impl_->backends.prune();
    view.listeners = impl_->listeners.owners();
    view.backends = impl_->backends.owners();
    view.certificates = impl_->certificates;
    if (impl_->read_log_dropped) view.log_dropped = impl_->read_log_dropped();
  }
  // Family by family, so that what stands between the cells and the text stays small.
  std::ostringstream out;
  const prometheus::TextSerializer serializer;
  for (const Family& family : families()) {
    std::vector<prometheus::MetricFamily> one(1);
    one[0].name = family.name;
    one[0].help = family.help;
    one[0].type = family.type;
    Samples samples(one[0], family.labels);
    family.collect(view, samples);
    serializer.Serialize(out, one);
  }
  return std::move(out).str();
}

}  // namespace postern::metrics
