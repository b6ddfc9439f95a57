#include "store/snapshot_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "unit/store/file_fixture.hpp"

namespace postern::store {
namespace {

using namespace std::chrono_literals;

class SnapshotFileTest : public FileTest {};

TEST_F(SnapshotFileTest, GivesBackExactlyWhatWasSaved) {
  Snapshot snapshot = snapshot_of(300, 99);
  snapshot.id_template = "%{guid}";
  for (int i = 0; i < 300; ++i) snapshot.ids().append("guid" + std::to_string(i));
  const std::vector<Saved> saved = {
      Saved(key_of("alice"), std::make_shared<const Snapshot>(snapshot)),
      Saved(key_of("bob"), shared_snapshot(2)),
  };
  ASSERT_TRUE(file().save(saved).has_value());
  auto loaded = file().load(key_of("alice"));
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(*loaded->snapshot, snapshot);
  EXPECT_EQ(load(key_of("bob")), "2");
  EXPECT_EQ(load(key_of("carol")), "none");
}

TEST_F(SnapshotFileTest, AnotherProcessFindsItWarm) {
  EXPECT_EQ(save(key_of("alice"), 5), "saved");
  close();
  EXPECT_EQ(load(key_of("alice")), "5");
}

TEST_F(SnapshotFileTest, TwoProcessesUseItAtATime) {
  EXPECT_EQ(save(key_of("alice"), 5), "saved");
  const auto other = process();
  auto seen = other->load(key_of("alice"));
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->snapshot->count(), 5u);
  const std::vector<Saved> newer = {Saved(key_of("alice"), shared_snapshot(6))};
  ASSERT_TRUE(other->save(newer).has_value());
  EXPECT_EQ(load(key_of("alice")), "6");
}

TEST_F(SnapshotFileTest, TakesKeysOfAnyOctets) {
  using namespace std::string_literals;
  const std::vector<std::string> users = {"", "a", "a\0"s, "a\0b"s, "\xFF\xFE", "' OR 1=1 --", "A"};
  for (std::size_t i = 0; i < users.size(); ++i) {
    EXPECT_EQ(save(key_of(users[i]), static_cast<std::uint32_t>(i + 1)), "saved");
  }
  for (std::size_t i = 0; i < users.size(); ++i) EXPECT_EQ(load(key_of(users[i])), std::to_string(i + 1));
}

TEST_F(SnapshotFileTest, IsForItsOwnerOnly) {
  ASSERT_EQ(save(key_of("alice"), 1), "saved");
  for (const char* name : {"store.db", "store.db-wal"}) {
    const auto status = std::filesystem::status(folder.path() / name);
    EXPECT_EQ(status.permissions(), std::filesystem::perms(0600)) << name;
  }
}

TEST_F(SnapshotFileTest, WantsToBeSavedAgainAfterADay) {
  ASSERT_EQ(save(key_of("alice"), 1), "saved");
  clock.advance(24h);
  EXPECT_FALSE(file().load(key_of("alice"))->is_long_unused);
  clock.advance(1s);
  EXPECT_TRUE(file().load(key_of("alice"))->is_long_unused);
}

TEST_F(SnapshotFileTest, RemovesWhatNobodyAskedForTheLongest) {
  limits.octets = 200'000;
  for (int i = 0; i < 200; ++i) {
    clock.advance(1s);
    ASSERT_EQ(save(key_of("user" + std::to_string(i)), 2000), "saved");  // some 6 KB
    ASSERT_EQ(save(key_of("again"), 1), "saved");
  }
  EXPECT_EQ(load(key_of("user0")), "none");
  EXPECT_EQ(load(key_of("user199")), "2000");
  EXPECT_EQ(load(key_of("again")), "1");
  close();
  EXPECT_LT(std::filesystem::file_size(folder.file()), 1'000'000u);
}

TEST_F(SnapshotFileTest, RemovesWhoHasNotComeForTooLong) {
  limits.age = 10h;
  ASSERT_EQ(save(key_of("gone"), 1), "saved");
  clock.advance(5h);
  ASSERT_EQ(save(key_of("seldom"), 2), "saved");
  clock.advance(6h);
  for (int i = 0; i < 64; ++i) ASSERT_EQ(save(key_of("often"), 3), "saved");
  EXPECT_EQ(load(key_of("gone")), "none");
  EXPECT_EQ(load(key_of("seldom")), "2");
}

TEST_F(SnapshotFileTest, LeavesOutARecordThatIsTooLarge) {
  Snapshot huge;
  huge.append(1, 1);
  huge.ids().append(std::string(64_MiB, 'x'));
  const std::vector<Saved> both = {Saved(key_of("a"), std::make_shared<const Snapshot>(std::move(huge))),
                                   Saved(key_of("b"), shared_snapshot(1))};
  auto saved = file().save(both);
  ASSERT_TRUE(saved.has_value());
  EXPECT_EQ(*saved, 1u);
  EXPECT_EQ(load(key_of("a")), "none");
  EXPECT_EQ(load(key_of("b")), "1");
}

}  // namespace
}  // namespace postern::store
