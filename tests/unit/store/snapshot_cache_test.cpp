#include "store/snapshot_cache.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "unit/store/examples.hpp"

namespace postern::store {
namespace {

/// What an entry of ten messages takes under a key of one letter.
Bytes octets_of_one() {
  SnapshotCache cache(1_MiB);
  cache.put(key_of("a"), shared_snapshot(10));
  return cache.octets();
}

TEST(SnapshotCache, GivesWhatWasPutLast) {
  SnapshotCache cache(1_MiB);
  EXPECT_EQ(cache.find(key_of("a")), nullptr);
  cache.put(key_of("a"), shared_snapshot(3));
  const auto newer = shared_snapshot(4);
  cache.put(key_of("a"), newer);
  EXPECT_EQ(cache.find(key_of("a")), newer);
}

TEST(SnapshotCache, TellsKeysApartByAllTheirParts) {
  SnapshotCache cache(1_MiB);
  cache.put(MailboxKey("b", "u", "m"), shared_snapshot(1));
  for (const MailboxKey& key : {MailboxKey("B", "u", "m"), MailboxKey("b", "U", "m"),
                                MailboxKey("b", "u", "M"), MailboxKey("bu", "", "m")}) {
    EXPECT_EQ(cache.find(key), nullptr);
  }
}

TEST(SnapshotCache, AddDoesNotReplaceWhatIsThere) {
  SnapshotCache cache(1_MiB);
  const auto saved = shared_snapshot(4);
  cache.put(key_of("a"), saved);
  EXPECT_EQ(cache.add(key_of("a"), shared_snapshot(3)), saved);
  const auto loaded = shared_snapshot(5);
  EXPECT_EQ(cache.add(key_of("b"), loaded), loaded);
  EXPECT_EQ(cache.find(key_of("b")), loaded);
}

TEST(SnapshotCache, DropsWhatWasNotUsedForTheLongest) {
  SnapshotCache cache(octets_of_one() * 3);
  for (const char* user : {"a", "b", "c"}) cache.put(key_of(user), shared_snapshot(10));
  EXPECT_NE(cache.find(key_of("a")), nullptr);
  cache.put(key_of("d"), shared_snapshot(10));
  EXPECT_EQ(cache.find(key_of("b")), nullptr);
  cache.put(key_of("e"), shared_snapshot(10));
  EXPECT_EQ(cache.find(key_of("c")), nullptr);
  for (const char* user : {"a", "d", "e"}) EXPECT_NE(cache.find(key_of(user)), nullptr) << user;
}

TEST(SnapshotCache, NeverHoldsMoreThanItsCapacity) {
  constexpr Bytes kCapacity = 100'000;
  SnapshotCache cache(kCapacity);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    cache.put(key_of(std::to_string(i % 300)), shared_snapshot(i % 997));
    ASSERT_LE(cache.octets(), kCapacity);
  }
  EXPECT_GT(cache.octets(), kCapacity / 2);
}

TEST(SnapshotCache, DoesNotKeepWhatIsLargerThanAllOfIt) {
  SnapshotCache cache(octets_of_one() * 2);
  cache.put(key_of("a"), shared_snapshot(10));
  cache.put(key_of("b"), shared_snapshot(10'000));
  EXPECT_EQ(cache.find(key_of("b")), nullptr);
  EXPECT_NE(cache.find(key_of("a")), nullptr);
  cache.put(key_of("a"), shared_snapshot(10'000));  // the old one goes all the same: it is wrong now
  EXPECT_EQ(cache.find(key_of("a")), nullptr);
  EXPECT_EQ(cache.octets(), 0u);
}

TEST(SnapshotCache, WithoutCapacityKeepsNothing) {
  SnapshotCache cache(0);
  const auto loaded = shared_snapshot(1);
  EXPECT_EQ(cache.add(key_of("a"), loaded), loaded);
  cache.put(key_of("b"), loaded);
  EXPECT_EQ(cache.octets(), 0u);
}

TEST(SnapshotCache, ServesManyThreads) {
  SnapshotCache cache(octets_of_one() * 20);
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      for (std::uint32_t i = 0; i < 2000; ++i) {
        const MailboxKey key = key_of(std::to_string((i * 7 + t) % 50));
        if (i % 3 == 0) cache.put(key, shared_snapshot(i % 20));
        const auto found = cache.find(key);
        EXPECT_TRUE(found == nullptr || found->count() < 20);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(cache.octets(), octets_of_one() * 20);
}

}  // namespace
}  // namespace postern::store
