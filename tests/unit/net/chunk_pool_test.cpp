#include "postern/net/chunk_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::net {
namespace {

bool is_all(const Lease& lease, char octet) {
  const auto span = lease.span();
  return std::all_of(span.begin(), span.end(), [octet](char c) { return c == octet; });
}

TEST(ChunkPool, CountsWhatIsLentOut) {
  ChunkPool pool;
  EXPECT_EQ(pool.leased(), 0u);
  {
    const Lease small = pool.lease_small();
    const Lease large = pool.lease_large();
    EXPECT_EQ(small.capacity(), ChunkPool::kSmall);
    EXPECT_EQ(large.capacity(), ChunkPool::kLarge);
    EXPECT_EQ(pool.leased(), ChunkPool::kSmall + ChunkPool::kLarge);
  }
  EXPECT_EQ(pool.leased(), 0u);
}

TEST(ChunkPool, LendsTheChunkAgainThatCameBackLast) {
  ChunkPool pool;
  char* const small = pool.lease_small().data();
  char* const large = pool.lease_large().data();
  EXPECT_EQ(pool.lease_small().data(), small);
  EXPECT_EQ(pool.lease_large().data(), large);
}

TEST(ChunkPool, WipesWhatIsSensitiveAndNothingElse) {
  ChunkPool pool;
  Lease plain = pool.lease_small();
  Lease secret = pool.lease_small();
  std::memset(plain.data(), 'p', plain.capacity());
  std::memset(secret.data(), 's', secret.capacity());
  secret.mark_sensitive();
  secret.release();
  plain.release();
  const Lease first = pool.lease_small();
  const Lease second = pool.lease_small();
  EXPECT_TRUE(is_all(first, 'p'));
  EXPECT_TRUE(is_all(second, '\0'));
  EXPECT_FALSE(second.is_sensitive());
}

TEST(ChunkPool, ChunksDoNotOverlap) {
  ChunkPool pool;
  std::vector<Lease> leases;
  std::set<char*> begins;
  for (int i = 0; i < 3000; ++i) {
    leases.push_back(pool.lease_small());
    std::memset(leases.back().data(), i % 251, leases.back().capacity());
    begins.insert(leases.back().data());
  }
  EXPECT_EQ(begins.size(), leases.size());
  for (std::size_t i = 0; i < leases.size(); ++i)
    EXPECT_TRUE(is_all(leases[i], static_cast<char>(i % 251))) << i;
  leases.clear();
  EXPECT_EQ(pool.leased(), 0u);
}

TEST(ChunkPool, AfterARushTheChunksInUseKeepTheirPages) {
  ChunkPool pool;
  std::vector<Lease> rush;
  for (int i = 0; i < 200; ++i) rush.push_back(pool.lease_large());
  rush.clear();
  Lease first = pool.lease_large();
  std::memset(first.data(), 'x', first.capacity());
  first.release();
  EXPECT_TRUE(is_all(pool.lease_large(), 'x')) << "its pages went back to the system";
}

TEST(ChunkPool, AfterARushThePagesOfMostGoBack) {
  ChunkPool pool;
  std::vector<Lease> rush;
  for (int i = 0; i < 200; ++i) {
    rush.push_back(pool.lease_large());
    std::memset(rush.back().data(), 'x', rush.back().capacity());
  }
  rush.clear();
  for (int i = 0; i < 200; ++i) rush.push_back(pool.lease_large());
  const auto kept =
      std::count_if(rush.begin(), rush.end(), [](const Lease& lease) { return lease.data()[0] == 'x'; });
  EXPECT_EQ(kept, 32);
}

TEST(Lease, MovesAndReleasesOnce) {
  ChunkPool pool;
  Lease a = pool.lease_small();
  char* const data = a.data();
  Lease b(std::move(a));
  EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): what is left behind is what is tested
  EXPECT_EQ(b.data(), data);
  Lease c = pool.lease_large();
  c = std::move(b);
  EXPECT_EQ(c.data(), data);
  EXPECT_EQ(pool.leased(), ChunkPool::kSmall);
  c.release();
  c.release();
  EXPECT_EQ(pool.leased(), 0u);
  EXPECT_TRUE(c.span().empty());
}

TEST(Lease, TakesItsMarkAlongWhenItMoves) {
  ChunkPool pool;
  Lease a = pool.lease_small();
  std::memset(a.data(), 's', a.capacity());
  a.mark_sensitive();
  Lease b(std::move(a));
  EXPECT_TRUE(b.is_sensitive());
  b.release();
  EXPECT_TRUE(is_all(pool.lease_small(), '\0'));
}

#if GTEST_HAS_DEATH_TEST
TEST(ChunkPoolDeathTest, OutlivesItsLeases) {
  auto pool = std::make_unique<ChunkPool>();
  const Lease lease = pool->lease_small();
  EXPECT_DEATH(pool.reset(), "leased_");
}
#endif

}  // namespace
}  // namespace postern::net
