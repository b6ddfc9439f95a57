#include "store/shared.hpp"

#include <chrono>
#include <utility>

namespace postern::store {

void TroubleLog::write(const Trouble& trouble) {
  // From 1: 0 is never.
  const std::int64_t second =
      std::chrono::duration_cast<std::chrono::seconds>(log_.clock().now().time_since_epoch()).count() + 1;
  auto& last = last_second_[trouble.index()];
  std::int64_t seen = last.load(std::memory_order_relaxed);
  if (seen == second || !last.compare_exchange_strong(seen, second, std::memory_order_relaxed)) return;
  LogLine(log_, LogLevel::warn, "store_trouble", "trouble with the store's file")
      .field("kind", metrics::kStoreTroubles[trouble.index()])
      .field("file", file_)
      .field("detail", trouble.detail);
}

Shared::Parts::Parts(const config::Store& settings, const Clock& clock, Log& log)
    : cache(settings.memory), failures(clock), postponements(clock), troubles(log, settings.file) {
  if (settings.file.empty()) return;
  file = std::make_shared<SnapshotFile>(settings.file, clock, SnapshotFile::Limits());
  auto opened = file->open();
  if (!opened && opened.error().kind == metrics::StoreTrouble::corrupt) {
    note(opened.error());
    opened = file->open();  // a new one
  }
  if (!opened) {
    note(opened.error());
    return;
  }
  LogLine(log, LogLevel::info, "store_opened", "the store's file is open").field("file", settings.file);
}

void Shared::Parts::note(const Trouble& trouble) {
  uncounted[trouble.index()].fetch_add(1, std::memory_order_relaxed);
  troubles.write(trouble);
}

Shared::Shared(const config::Store& settings, const Clock& clock, Log& log)
    : parts_(std::make_unique<Parts>(settings, clock, log)) {}

Shared::~Shared() = default;

config::ServedUidls Shared::served_uidls(const config::ServedUidls& asked) {
  if (!parts_->file) return {};
  auto served = parts_->file->served(asked);
  if (served) return std::move(*served);
  parts_->note(served.error());
  return {};
}

void Shared::keep(config::ServedUidls served) {
  if (!parts_->file) return;
  const auto kept = parts_->file->keep(std::move(served));
  if (!kept) parts_->troubles.write(kept.error());
}

Result<config::ServedUidls, std::string> read_served_uidls(const std::string& file,
                                                           const config::ServedUidls& asked) {
  auto served = SnapshotFile::served_untouched(file, asked);
  if (!served) return std::move(served).error().detail;
  return std::move(*served);
}

}  // namespace postern::store
