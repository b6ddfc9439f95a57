#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unit/store/file_fixture.hpp"

// Whatever is done to the file: a word for the trouble, or a cold start, and never a wrong answer.
namespace postern::store {
namespace {

class StoreTroubleTest : public FileTest {
 protected:
  /// A file with a hundred mailboxes, closed.
  void fill() {
    std::vector<Saved> snapshots;
    for (std::uint32_t i = 0; i < 100; ++i) snapshots.emplace_back(user(i), shared_snapshot(100 + i));
    ASSERT_TRUE(file().save(snapshots).has_value());
    close();
  }
  static MailboxKey user(std::uint32_t i) { return key_of("user" + std::to_string(i)); }

  /// Asks for all of them; how many came. None may be wrong.
  int right_answers() {
    int right = 0;
    for (std::uint32_t i = 0; i < 100; ++i) {
      auto loaded = file().load(user(i));
      if (!loaded || !loaded->snapshot) continue;
      EXPECT_EQ(*loaded->snapshot, snapshot_of(100 + i)) << i;
      ++right;
    }
    return right;
  }
  /// Whether it works (again).
  void expect_works() {
    EXPECT_EQ(save(key_of("new"), 3), "saved");
    EXPECT_EQ(load(key_of("new")), "3");
  }
};

TEST_F(StoreTroubleTest, ACorruptPageIsNeverAWrongAnswer) {
  fill();
  const std::string whole = folder.read();
  ASSERT_GT(whole.size(), 10u * 4096);
  int right = 0;
  int pages = 0;
  for (std::size_t page = 1; page < whole.size() / 4096; ++page) {
    std::string broken = whole;
    broken.replace(page * 4096, 4096, 4096, static_cast<char>(page * 37 + 1));
    folder.write(broken);
    right += right_answers();
    static_cast<void>(save(key_of("new"), 2));  // finds what is wrong with an index
    expect_works();
    close();
    ++pages;
  }
  EXPECT_LT(right, pages * 100);
  EXPECT_EQ(folder.wrecks().size(), 1u);
}

TEST_F(StoreTroubleTest, AFlippedBitInARecordIsDamaged) {
  fill();
  Intruder(folder.file())
      .execute(
          "UPDATE snapshots SET record = CAST(substr(record, 1, 30) || x'FF' || substr(record, 32) AS "
          "BLOB) WHERE user = 'user7'");
  EXPECT_EQ(load(user(7)), "damaged");
  EXPECT_EQ(load(user(8)), "108");
  EXPECT_TRUE(folder.wrecks().empty());
  EXPECT_EQ(save(user(7), 5), "saved");
  EXPECT_EQ(load(user(7)), "5");
}

TEST_F(StoreTroubleTest, ARowUnderAnothersKeyIsDamaged) {
  fill();
  Intruder(folder.file())
      .execute(
          "DELETE FROM snapshots WHERE user = 'user7';"
          "UPDATE snapshots SET user = 'user7' WHERE user = 'user8'");
  EXPECT_EQ(load(user(7)), "damaged");
  EXPECT_EQ(load(user(8)), "none");
}

TEST_F(StoreTroubleTest, ATruncatedFileIsMovedAside) {
  fill();
  const std::string whole = folder.read();
  folder.write(whole.substr(0, whole.size() / 2 / 4096 * 4096));
  EXPECT_EQ(open(), "corrupt");
  EXPECT_EQ(folder.wrecks().size(), 1u);
  expect_works();
}

TEST_F(StoreTroubleTest, AnyTruncationIsNeverAWrongAnswer) {
  fill();
  const std::string whole = folder.read();
  for (std::size_t size = 0; size < whole.size(); size += 3000) {
    folder.write(whole.substr(0, size));
    EXPECT_LT(right_answers(), 100) << size;
    static_cast<void>(save(key_of("new"), 2));
    expect_works();
    close();
    std::filesystem::remove(folder.file());
  }
}

TEST_F(StoreTroubleTest, TheWreckSaysWhereItWentAndOnlyTheLastIsKept) {
  for (int i = 0; i < 3; ++i) {
    fill();
    folder.write(std::string(8192, '\0') + folder.read().substr(8192));
    EXPECT_NE(detail(user(1)).find("moved to " + folder.file() + ".corrupt-"), std::string::npos);
    EXPECT_EQ(folder.wrecks().size(), 1u);
    clock.advance(std::chrono::seconds(5));
    expect_works();
    close();
  }
}

TEST_F(StoreTroubleTest, AFileOfSomebodyElseIsLeftAlone) {
  for (const std::string& octets : {std::string("listeners:\n  - name: pop3\n"), std::string(100'000, 'x')}) {
    folder.write(octets);
    EXPECT_EQ(open(), "foreign");
    EXPECT_EQ(load(user(1)), "foreign");
    EXPECT_EQ(save(user(1), 1), "foreign");
    close();
    EXPECT_TRUE(folder.read() == octets);
    EXPECT_TRUE(folder.wrecks().empty());
  }
}

TEST_F(StoreTroubleTest, AForeignSchemaIsLeftAlone) {
  for (const char* sql : {"CREATE TABLE t (x); INSERT INTO t VALUES (1)", "PRAGMA application_id = 5",
                          "PRAGMA user_version = 7", "CREATE VIEW snapshots AS SELECT 1 AS record"}) {
    std::filesystem::remove(folder.file());
    Intruder(folder.file()).execute(sql);
    const std::string before = folder.read();
    EXPECT_EQ(open(), "foreign") << sql;
    EXPECT_EQ(save(user(1), 1), "foreign") << sql;
    close();
    EXPECT_TRUE(folder.read() == before) << sql;
  }
}

TEST_F(StoreTroubleTest, ANewerSchemaIsLeftAlone) {
  fill();
  Intruder(folder.file()).execute("PRAGMA user_version = 2");
  EXPECT_EQ(open(), "foreign");
  Intruder(folder.file()).execute("PRAGMA user_version = 1; ALTER TABLE snapshots RENAME record TO other");
  EXPECT_EQ(open(), "foreign");
  EXPECT_TRUE(folder.wrecks().empty());
}

TEST_F(StoreTroubleTest, AFullDiskLosesSavesAndNoMore) {
  limits.most_octets = 100'000;
  std::string last;
  int saved = 0;
  for (; saved < 100 && last != "full"; ++saved) last = save(user(static_cast<std::uint32_t>(saved)), 2000);
  EXPECT_EQ(last, "full");
  EXPECT_EQ(load(user(0)), "2000");
  EXPECT_EQ(load(user(static_cast<std::uint32_t>(saved - 1))), "none");
  close();
  limits.most_octets = 1280_MiB;
  expect_works();
}

TEST_F(StoreTroubleTest, ALockOfAnotherConnectionIsBusyAndPasses) {
  fill();
  {
    Intruder intruder(folder.file());
    intruder.execute("BEGIN IMMEDIATE; DELETE FROM snapshots");
    EXPECT_EQ(save(user(1), 1), "busy");
    EXPECT_EQ(load(user(1)), "101");  // readers do not wait for a writer
    intruder.execute("ROLLBACK");
  }
  EXPECT_EQ(save(user(1), 1), "saved");
  EXPECT_EQ(load(user(1)), "1");
}

TEST_F(StoreTroubleTest, AnExclusiveLockIsBusyForReadersToo) {
  fill();
  {
    Intruder intruder(folder.file());
    intruder.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM snapshots");
    EXPECT_EQ(load(user(1)), "busy");
    EXPECT_EQ(save(user(1), 1), "busy");
  }
  EXPECT_EQ(load(user(1)), "101");
}

TEST_F(StoreTroubleTest, AReadOnlyFileIsReadAndNotWritten) {
  const Unprivileged unprivileged;
  fill();
  std::filesystem::permissions(folder.file(), std::filesystem::perms(0400));
  EXPECT_EQ(load(user(1)), "101");
  EXPECT_EQ(save(user(1), 1), "read_only");
  EXPECT_EQ(load(user(1)), "101");
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    std::filesystem::permissions(entry.path(), std::filesystem::perms(0600));  // SQLite's -shm is as the file
  }
  EXPECT_EQ(save(user(1), 1), "read_only");  // opened as it was; the next one opens it again
  EXPECT_EQ(save(user(1), 1), "saved");
}

TEST_F(StoreTroubleTest, AFolderThatIsNotThereOrMayNotBeWrittenIsUnavailable) {
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  {
    const Unprivileged unprivileged;
    EXPECT_EQ(open(), "unavailable");
  }
  std::filesystem::remove(folder.path());
  EXPECT_EQ(open(), "unavailable");
  EXPECT_EQ(load(user(1)), "unavailable");
  std::filesystem::create_directory(folder.path());
  expect_works();
}

TEST_F(StoreTroubleTest, AFolderInItsPlaceIsUnavailable) {
  std::filesystem::create_directory(folder.file());
  EXPECT_EQ(open(), "unavailable");
}

TEST_F(StoreTroubleTest, AFileThatIsRemovedOrReplacedIsNoticed) {
  fill();
  EXPECT_EQ(load(user(1)), "101");
  std::filesystem::remove(folder.file());
  EXPECT_EQ(load(user(1)), "none");
  EXPECT_EQ(save(user(1), 4), "saved");
  EXPECT_TRUE(std::filesystem::exists(folder.file()));
  std::filesystem::rename(folder.file(), folder.file() + ".old");
  folder.write("something else");
  EXPECT_EQ(load(user(1)), "foreign");
  EXPECT_TRUE(folder.read() == "something else");
}

TEST_F(StoreTroubleTest, WhatOneProcessMovedAsideTheOtherDoesNotMoveAgain) {
  fill();
  const auto other = process();
  ASSERT_TRUE(other->load(user(1)).has_value());
  std::filesystem::rename(folder.file(), folder.file() + ".corrupt-1");  // as move_aside() does
  std::filesystem::remove(folder.file() + "-wal");
  std::filesystem::remove(folder.file() + "-shm");
  expect_works();
  auto found = other->load(key_of("new"));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->snapshot->count(), 3u);
  EXPECT_EQ(folder.wrecks().size(), 1u);
}

TEST_F(StoreTroubleTest, RestsAfterTroublesInARowReadsApartFromWrites) {
  fill();
  Intruder intruder(folder.file());
  intruder.execute("BEGIN IMMEDIATE");
  for (unsigned i = 0; i < Backoff::kTroubles; ++i) EXPECT_EQ(save(user(1), 1), "busy");
  EXPECT_TRUE(file().writes_rest());
  EXPECT_FALSE(file().reads_rest());
  for (unsigned i = 0; i < Backoff::kTroubles; ++i) file().late();
  EXPECT_TRUE(file().reads_rest());
  clock.advance(Backoff::kRest);
  EXPECT_FALSE(file().writes_rest() || file().reads_rest());
}

}  // namespace
}  // namespace postern::store
