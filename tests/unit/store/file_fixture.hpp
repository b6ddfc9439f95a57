#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "store/snapshot_file.hpp"
#include "support/test_scheduler.hpp"
#include "unit/store/examples.hpp"
#include "unit/store/folder.hpp"

namespace postern::store {

/// A file in a folder, in the hands of a process; what it answers is told in a word: a count of messages,
/// "none", "saved", or the kind of a trouble.
class FileTest : public testing::Test {
 protected:
  FileTest() { limits.patience = std::chrono::milliseconds(10); }

  std::unique_ptr<SnapshotFile> process() {
    return std::make_unique<SnapshotFile>(folder.file(), clock, limits);
  }
  SnapshotFile& file() {
    if (!file_) file_ = process();
    return *file_;
  }
  /// As if the process ended.
  void close() { file_.reset(); }

  static std::string word(const Trouble& trouble) {
    return std::string(metrics::kStoreTroubles[trouble.index()]);
  }
  std::string open() {
    auto opened = file().open();
    return opened ? "open" : word(opened.error());
  }
  std::string load(const MailboxKey& key) {
    auto loaded = file().load(key);
    if (!loaded) return word(loaded.error());
    return loaded->snapshot ? std::to_string(loaded->snapshot->count()) : "none";
  }
  std::string save(const MailboxKey& key, std::uint32_t messages) {
    const std::vector<Saved> snapshots = {Saved(key, shared_snapshot(messages))};
    auto saved = file().save(snapshots);
    return saved ? "saved" : word(saved.error());
  }
  /// Of a trouble that comes next.
  std::string detail(const MailboxKey& key) {
    auto loaded = file().load(key);
    return loaded ? "" : loaded.error().detail;
  }

  test::TestScheduler clock;
  SnapshotFile::Limits limits;
  Folder folder;

 private:
  std::unique_ptr<SnapshotFile> file_;
};

}  // namespace postern::store
