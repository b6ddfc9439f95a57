#include "postern/store/loop_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "store/backoff.hpp"
#include "support/log_lines.hpp"
#include "support/run_on_loop.hpp"
#include "support/test_scheduler.hpp"
#include "unit/store/examples.hpp"
#include "unit/store/folder.hpp"

namespace postern::store {
namespace {

using namespace std::chrono_literals;
using metrics::StoreTrouble;
using test::Running;
using Found = std::shared_ptr<const Snapshot>;

/// A process with one loop. Threads are the test's: they work in the next turn, or not at all.
class LoopStoreTest : public testing::Test {
 protected:
  ~LoopStoreTest() override { stop(); }

  LoopStore& store() {
    if (!store_) {
      shared_ = std::make_unique<Shared>(settings, scheduler, log);
      store_ = make_store(*shared_, scheduler, &scheduler, log, cells);
    }
    return *store_;
  }
  /// The process ends, as it should.
  void stop() {
    scheduler.hold_work(false);
    if (store_) scheduler.run(store_->close(in(5s)));
    scheduler.run(scheduler.idle(scheduler));
    store_.reset();
    shared_.reset();
  }
  coro::Deadline in(Duration duration) const { return coro::Deadline(scheduler.now() + duration); }
  Found load(const MailboxKey& key) { return scheduler.run(store().load(key, in(10s), scope)); }
  void save(const std::string& user, std::uint32_t messages) {
    store().save(key_of(user), shared_snapshot(messages));
  }
  std::uint64_t troubles(StoreTrouble kind) const {
    return cells.troubles[static_cast<std::size_t>(kind)].value();
  }

  Folder folder;
  config::Store settings;
  test::TestScheduler scheduler;
  test::LogLines lines;
  Log log{lines, scheduler, LogFormat::logfmt, LogLevel::debug};
  metrics::StoreMetrics cells;
  coro::CancelSource scope;
  const MailboxKey alice = key_of("alice");

 private:
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<LoopStore> store_;
};

class LoopStoreFileTest : public LoopStoreTest {
 protected:
  LoopStoreFileTest() { settings.file = folder.file(); }
  /// Saved by a process that has ended: in the file and not in memory.
  void saved_before(const std::string& user, std::uint32_t messages) {
    save(user, messages);
    stop();
  }
};

TEST_F(LoopStoreTest, GivesFromMemoryWhatWasSaved) {
  EXPECT_EQ(load(alice), nullptr);
  const Found saved = shared_snapshot(3);
  store().save(alice, saved);
  EXPECT_EQ(load(alice), saved);
  EXPECT_EQ(cells.from_memory.value(), 1u);
  EXPECT_EQ(cells.misses.value(), 1u);
  EXPECT_EQ(cells.writes.value() + cells.dropped.value(), 0u);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(LoopStoreTest, CountsFailures) {
  store().count_failure(alice, 7, 1);
  EXPECT_EQ(store().failures(alice, 7, 1), 1u);
  EXPECT_EQ(store().failures(alice, 7, 2), 0u);
}

TEST_F(LoopStoreFileTest, GivesWarmWhatAProcessBeforeSaved) {
  saved_before("alice", 3);
  EXPECT_EQ(cells.writes.value(), 1u);
  const Found found = load(alice);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(*found, snapshot_of(3));
  EXPECT_EQ(cells.from_file.value(), 1u);
  EXPECT_EQ(load(alice), found);  // from memory now
  EXPECT_EQ(cells.from_memory.value(), 1u);
  EXPECT_EQ(lines.of("store_opened").size(), 2u);
}

TEST_F(LoopStoreFileTest, WhatTheFileHasNotIsAMiss) {
  EXPECT_EQ(load(alice), nullptr);
  EXPECT_EQ(cells.misses.value(), 1u);
  EXPECT_TRUE(lines.of("store_trouble").empty());
}

TEST_F(LoopStoreFileTest, ALateLoadIsNullAtTheDeadlineAndLeavesNothing) {
  saved_before("alice", 3);
  store();
  scheduler.hold_work(true);
  const TimePoint end = scheduler.now() + 500ms;
  EXPECT_EQ(scheduler.run(store().load(alice, in(500ms), scope)), nullptr);
  EXPECT_EQ(scheduler.now(), end);
  EXPECT_EQ(troubles(StoreTrouble::late), 1u);
  EXPECT_EQ(scheduler.running(), 1u);
  scheduler.hold_work(false);
  scheduler.run_until_idle();
  EXPECT_EQ(scheduler.running(), 0u);
  EXPECT_NE(load(alice), nullptr);
}

TEST_F(LoopStoreFileTest, AHangingFileCostsTwoSecondsOfALongDeadline) {
  store();
  scheduler.hold_work(true);
  const TimePoint begin = scheduler.now();
  EXPECT_EQ(scheduler.run(store().load(alice, in(45s), scope)), nullptr);
  EXPECT_EQ(scheduler.now() - begin, 2s);
}

TEST_F(LoopStoreFileTest, AHangingFileIsNotAskedByEveryLogin) {
  saved_before("alice", 3);
  store();
  scheduler.hold_work(true);
  for (unsigned i = 0; i < Backoff::kTroubles; ++i) EXPECT_EQ(load(alice), nullptr);
  const TimePoint begin = scheduler.now();
  EXPECT_EQ(load(alice), nullptr);
  EXPECT_EQ(scheduler.now(), begin);
  EXPECT_EQ(lines.of("store_trouble").size(), Backoff::kTroubles);
  scheduler.hold_work(false);
  scheduler.advance(Backoff::kRest);
  EXPECT_NE(load(alice), nullptr);
}

TEST_F(LoopStoreFileTest, ADeadlineThatHasPassedIsAMissAndNoTrouble) {
  saved_before("alice", 3);
  EXPECT_EQ(scheduler.run(store().load(alice, in(0s), scope)), nullptr);
  EXPECT_EQ(troubles(StoreTrouble::late), 0u);
}

TEST_F(LoopStoreFileTest, ACancelledLoadEndsAtOnce) {
  saved_before("alice", 3);
  store();
  scheduler.hold_work(true);
  Running<Found> running(scheduler, store().load(alice, in(10s), scope));
  scope.cancel(FailureKind::kicked);
  scheduler.run_until_idle();
  ASSERT_TRUE(running.done());
  EXPECT_EQ(running.take(), nullptr);
  EXPECT_EQ(troubles(StoreTrouble::late), 0u);
}

TEST_F(LoopStoreFileTest, TooManyLoadsAtATimeAreMisses) {
  store();
  scheduler.hold_work(true);
  std::vector<std::unique_ptr<Running<Found>>> loads;
  for (int i = 0; i < 65; ++i) {
    loads.push_back(std::make_unique<Running<Found>>(scheduler, store().load(alice, in(10s), scope)));
  }
  EXPECT_TRUE(loads.back()->done());
  EXPECT_FALSE(loads.front()->done());
  EXPECT_EQ(troubles(StoreTrouble::busy), 1u);
  scheduler.hold_work(false);
  scheduler.run_until_idle();
}

TEST_F(LoopStoreFileTest, WhatWasSavedMeanwhileWinsOverWhatWasLoaded) {
  saved_before("alice", 3);
  Running<Found> running(scheduler, store().load(alice, in(10s), scope));
  save("alice", 4);
  scheduler.run_until_idle();
  EXPECT_EQ(running.take()->count(), 4u);
  EXPECT_EQ(load(alice)->count(), 4u);
}

TEST_F(LoopStoreFileTest, WritesOnceWhatIsSavedOftenInAWhile) {
  store();
  scheduler.hold_work(true);
  for (std::uint32_t i = 1; i <= 50; ++i) save("alice", i);
  scheduler.hold_work(false);
  scheduler.run_until_idle();
  EXPECT_EQ(cells.writes.value(), 2u);  // the first at once, the last one behind it
  EXPECT_EQ(cells.dropped.value(), 0u);
  stop();
  EXPECT_EQ(load(alice)->count(), 50u);
}

TEST_F(LoopStoreFileTest, GivesWhatWaitsToBeWrittenThoughMemoryIsOff) {
  settings.memory = 0;
  store();
  scheduler.hold_work(true);
  save("bob", 1);
  save("alice", 2);
  EXPECT_EQ(load(alice)->count(), 2u);
}

TEST_F(LoopStoreFileTest, DropsWhatIsMoreThanItCanWrite) {
  store();
  scheduler.hold_work(true);
  for (int i = 0; i < 300; ++i) save("user" + std::to_string(i), 1);
  EXPECT_EQ(cells.dropped.value(), 300u - 1 - 256);  // one is being written
  EXPECT_NE(load(key_of("user299")), nullptr);       // memory has it all the same
  stop();
  EXPECT_EQ(cells.writes.value(), 257u);
}

TEST_F(LoopStoreFileTest, DropsWhatTakesTooMuchMemoryWhileItWaits) {
  store();
  scheduler.hold_work(true);
  for (int i = 0; i < 10; ++i) save("user" + std::to_string(i), 1'000'000);
  EXPECT_EQ(cells.dropped.value(), 10u - 1 - 4);  // 32 MiB of 8 MB each
  stop();
  EXPECT_EQ(cells.writes.value(), 5u);
}

TEST_F(LoopStoreFileTest, MarksAnOldEntryAsUsedByWritingItAgain) {
  saved_before("alice", 3);
  scheduler.advance(25h);
  EXPECT_NE(load(alice), nullptr);
  scheduler.run_until_idle();
  EXPECT_EQ(cells.writes.value(), 2u);
  stop();
  EXPECT_NE(load(alice), nullptr);
  scheduler.run_until_idle();
  EXPECT_EQ(cells.writes.value(), 2u);
}

TEST_F(LoopStoreFileTest, CloseWritesWhatIsPending) {
  for (int i = 0; i < 100; ++i) save("user" + std::to_string(i), 1);
  EXPECT_EQ(cells.writes.value(), 0u);
  stop();
  EXPECT_EQ(cells.writes.value(), 100u);
  EXPECT_NE(load(key_of("user99")), nullptr);
}

TEST_F(LoopStoreFileTest, CloseEndsAtItsDeadlineThoughTheFileHangs) {
  for (int i = 0; i < 100; ++i) save("user" + std::to_string(i), 1);
  scheduler.hold_work(true);
  const TimePoint begin = scheduler.now();
  scheduler.run(store().close(in(3s)));
  EXPECT_EQ(scheduler.now() - begin, 3s);
  EXPECT_EQ(cells.dropped.value(), 100u);
  save("late", 1);
  EXPECT_EQ(cells.dropped.value(), 101u);
  EXPECT_EQ(load(key_of("late"))->count(), 1u);
}

TEST_F(LoopStoreFileTest, AFileThatCannotBeOpenedIsAWarningAndMemoryWorksAlone) {
  settings.file = (folder.path() / "missing" / "store.db").string();
  save("alice", 3);
  EXPECT_EQ(load(alice)->count(), 3u);
  const auto warnings = lines.of("store_trouble");
  ASSERT_FALSE(warnings.empty());
  EXPECT_EQ(test::LogLines::field(warnings[0], "level"), "warn");
  EXPECT_EQ(test::LogLines::field(warnings[0], "kind"), "unavailable");
  scheduler.run_until_idle();
  EXPECT_EQ(cells.dropped.value(), 1u);
  EXPECT_EQ(troubles(StoreTrouble::unavailable), 2u);  // at the start, and when something was to be written
}

TEST_F(LoopStoreFileTest, ACorruptFileIsMovedAsideAtTheStart) {
  folder.write(std::string(8192, '\0'));
  save("alice", 3);
  stop();
  EXPECT_EQ(folder.wrecks().size(), 1u);
  EXPECT_EQ(lines.of("store_opened").size(), 1u);
  EXPECT_EQ(troubles(StoreTrouble::corrupt), 1u);
  EXPECT_EQ(load(alice)->count(), 3u);
}

TEST_F(LoopStoreFileTest, LogsOneTroubleOfAKindInASecond) {
  saved_before("alice", 3);
  Intruder(folder.file()).execute("UPDATE snapshots SET record = x'00'");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(load(alice), nullptr);
  EXPECT_EQ(lines.of("store_trouble").size(), 1u);
  EXPECT_EQ(troubles(StoreTrouble::damaged), 3u);
  scheduler.advance(1s);
  EXPECT_EQ(load(alice), nullptr);
  EXPECT_EQ(lines.of("store_trouble").size(), 2u);
}

/// On a real loop, with real threads.
coro::Task<bool> save_then_close(LoopStore& store, loop::Loop& loop) {
  for (int i = 0; i < 100; ++i) store.save(key_of(std::to_string(i)), shared_snapshot(100));
  coro::CancelSource scope;
  const MailboxKey key = key_of("50");
  const coro::Deadline deadline(loop.now() + 60s);
  const Found found = co_await store.load(key, deadline, scope);
  co_await store.close(deadline);
  co_await loop.idle(loop);
  co_return found != nullptr;
}

coro::Task<Found> load_then_close(LoopStore& store, loop::Loop& loop) {
  coro::CancelSource scope;
  const MailboxKey key = key_of("99");
  const coro::Deadline deadline(loop.now() + 60s);
  Found found = co_await store.load(key, deadline, scope);
  co_await store.close(deadline);
  co_await loop.idle(loop);
  co_return found;
}

TEST(LoopStore, WorksOnThreads) {
  const Folder folder;
  test::LogLines lines;
  Log log(lines, system_clock(), LogFormat::logfmt, LogLevel::debug);
  config::Store settings;
  settings.file = folder.file();
  metrics::StoreMetrics cells;
  loop::Loop loop(system_clock());
  for (const bool first : {true, false}) {
    Shared shared(settings, system_clock(), log);
    const auto store = make_store(shared, loop, &loop, log, cells);
    if (first) {
      EXPECT_TRUE(test::run_on(loop, save_then_close(*store, loop)));
    } else {
      EXPECT_NE(test::run_on(loop, load_then_close(*store, loop)), nullptr);
    }
  }
  EXPECT_EQ(cells.writes.value(), 100u);
  EXPECT_EQ(cells.from_file.value(), 1u);
  EXPECT_TRUE(lines.of("store_trouble").empty());
}

}  // namespace
}  // namespace postern::store
