#include "postern/store/snapshot.hpp"

#include <gtest/gtest.h>

#include "unit/store/examples.hpp"

namespace postern::store {
namespace {

constexpr Bytes kFourGigabytes = Bytes{4} * 1024 * 1024 * 1024;

TEST(Snapshot, FindsMessagesByUid) {
  Snapshot snapshot;
  for (const std::uint32_t uid : {3u, 7u, 4'294'967'295u}) snapshot.append(uid, uid);
  EXPECT_EQ(snapshot.find(3), 0u);
  EXPECT_EQ(snapshot.find(7), 1u);
  EXPECT_EQ(snapshot.find(4'294'967'295u), 2u);
  for (const std::uint32_t uid : {1u, 5u, 4'294'967'294u}) EXPECT_EQ(snapshot.find(uid), snapshot.count());
}

TEST(Snapshot, FindsNothingInAnEmptyMailbox) {
  EXPECT_EQ(Snapshot().find(1), 0u);
  EXPECT_TRUE(Snapshot().empty());
}

TEST(Snapshot, KeepsSizesOfAnyWidth) {
  const Bytes sizes[] = {0, 1, kFourGigabytes - 2, kFourGigabytes - 1, kFourGigabytes, UINT64_MAX};
  Snapshot snapshot;
  for (const Bytes size : sizes) snapshot.append(static_cast<std::uint32_t>(snapshot.count() + 1), size);
  for (std::size_t i = 0; i < snapshot.count(); ++i) EXPECT_EQ(snapshot.size(i), sizes[i]);
}

TEST(Snapshot, ALearnedSizeReplacesTheOldOneWholly) {
  Snapshot learned;
  learned.append(1, kFourGigabytes);
  learned.set_size(0, 5);
  Snapshot known;
  known.append(1, 5);
  EXPECT_EQ(learned, known);
  learned.set_size(0, kFourGigabytes + 1);
  learned.set_size(0, kFourGigabytes + 2);
  EXPECT_EQ(learned.size(0), kFourGigabytes + 2);
}

TEST(Snapshot, AMillionMessagesTakeEightOctetsEach) {
  const Bytes octets = snapshot_of(1'000'000).memory();
  EXPECT_GE(octets, 8'000'000u);
  EXPECT_LE(octets, 8'001'000u);
}

TEST(Snapshot, CountsTheMemoryOfIdsAndLargeSizes) {
  Snapshot snapshot = snapshot_of(10);
  const Bytes before = snapshot.memory();
  for (int i = 0; i < 10; ++i) snapshot.ids().append(std::string(70, 'x'));
  EXPECT_GE(snapshot.memory(), before + 700 + 40);
  const Bytes with_ids = snapshot.memory();
  snapshot.set_size(0, kFourGigabytes);
  EXPECT_GT(snapshot.memory(), with_ids);
}

TEST(StoredIds, GivesEachIdAsItWas) {
  StoredIds ids;
  const std::string odd("a\0b", 3);
  for (const std::string& id : {std::string("first"), std::string(), odd}) ids.append(id);
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[0], "first");
  EXPECT_EQ(ids[1], "");
  EXPECT_EQ(ids[2], odd);
}

#if GTEST_HAS_DEATH_TEST
TEST(SnapshotDeathTest, DiesWhenUidsDoNotRise) {
  Snapshot snapshot;
  EXPECT_DEATH(snapshot.append(0, 1), "uid");
  snapshot.append(5, 1);
  EXPECT_DEATH(snapshot.append(5, 1), "uid");
}
#endif

}  // namespace
}  // namespace postern::store
