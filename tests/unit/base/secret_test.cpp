#include "postern/base/secret.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

// What is freed is looked at before it goes back: memory that is still ours, so nothing undefined is read.
// ThreadSanitizer does not let a program have its own operators; it has nothing to find here anyway.
#define POSTERN_WATCH_FREED 1
#if defined(__SANITIZE_THREAD__)  // g++
#undef POSTERN_WATCH_FREED
#define POSTERN_WATCH_FREED 0
#elif defined(__has_feature)  // clang++
#if __has_feature(thread_sanitizer)
#undef POSTERN_WATCH_FREED
#define POSTERN_WATCH_FREED 0
#endif
#endif

namespace {

constexpr std::string_view kShort = "hunter2-sso";  // fits into a std::string itself
constexpr std::string_view kLong =
    "correct horse battery staple, in memory of its own, never a std::string's buffer";

std::atomic<bool> watching{false};
std::atomic<int> freed_blocks{0};
std::atomic<int> freed_with_secret{0};

bool holds(const void* memory, std::size_t size, std::string_view part) {
  return memmem(memory, size, part.data(), part.size()) != nullptr;
}

/// Parts from the middle: an emptied std::string overwrites the first octet and leaves the rest.
bool holds_secret(const void* memory, std::size_t size) {
  return holds(memory, size, kLong.substr(8, 8)) || holds(memory, size, kLong.substr(40, 8)) ||
         holds(memory, size, kShort.substr(3));
}

#if POSTERN_WATCH_FREED
void free_watched(void* memory) noexcept {
  if (memory != nullptr && watching.load()) {
    freed_blocks.fetch_add(1);
    if (holds_secret(memory, malloc_usable_size(memory))) freed_with_secret.fetch_add(1);
  }
  std::free(memory);
}
#endif

}  // namespace

#if POSTERN_WATCH_FREED
void* operator new(std::size_t size) {
  void* memory = std::calloc(1, size == 0 ? 1 : size);  // nothing of an earlier owner is seen
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  free_watched(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  free_watched(memory);
}
#endif

namespace postern {
namespace {

class SecretTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!POSTERN_WATCH_FREED) GTEST_SKIP() << "freed memory cannot be watched in this build";
    freed_blocks = 0;
    freed_with_secret = 0;
    watching = true;
  }
  void TearDown() override { watching = false; }
};

/// Whether the object itself (where short strings live) still has the text.
bool object_holds_secret(const Secret& secret) {
  return holds_secret(&secret, sizeof secret);
}

TEST(Secret, CannotBeCopiedComparedOrPrinted) {
  EXPECT_FALSE(std::is_copy_constructible_v<Secret>);
  EXPECT_FALSE(std::is_copy_assignable_v<Secret>);
  EXPECT_FALSE((std::is_convertible_v<Secret, std::string>));
  EXPECT_FALSE((std::is_convertible_v<Secret, std::string_view>));
}

TEST_F(SecretTest, TheWatchSeesWhatIsNotWiped) {
  {
    const std::string careless(kLong);
  }
  EXPECT_EQ(freed_with_secret, 1);
}

TEST_F(SecretTest, WipesWhenDestroyed) {
  {
    const Secret secret(kLong);
    ASSERT_EQ(secret.view(), kLong);
  }
  EXPECT_GE(freed_blocks, 1);
  EXPECT_EQ(freed_with_secret, 0);
}

TEST_F(SecretTest, WipesWhatItIsMovedFrom) {
  for (const std::string_view text : {kShort, kLong}) {
    Secret from{text};
    const char* const old = from.view().data();
    const Secret to(std::move(from));
    EXPECT_EQ(to.view(), text);
    EXPECT_TRUE(from.empty());
    EXPECT_FALSE(object_holds_secret(from));
    // The source keeps its buffer, so it may be looked at up to what it held.
    ASSERT_EQ(from.view().data(), old);
    EXPECT_FALSE(holds_secret(old, text.size()));
  }
  EXPECT_EQ(freed_with_secret, 0);
}

TEST_F(SecretTest, WipesBothSidesOfAnAssignment) {
  {
    Secret from{kLong};
    Secret to{kShort};
    to = std::move(from);
    EXPECT_EQ(to.view(), kLong);
    EXPECT_TRUE(from.empty());
    to = Secret("x");
    EXPECT_EQ(to.view(), "x");
    EXPECT_FALSE(holds_secret(to.view().data(), kLong.size()));  // what was longer once is wiped too
  }
  EXPECT_EQ(freed_with_secret, 0);
}

TEST_F(SecretTest, WipesWhenCleared) {
  for (const std::string_view text : {kShort, kLong}) {
    Secret secret{text};
    secret.clear();
    EXPECT_EQ(secret.size(), 0u);
    EXPECT_FALSE(object_holds_secret(secret));
    EXPECT_FALSE(holds_secret(secret.view().data(), text.size()));
  }
  EXPECT_EQ(freed_with_secret, 0);
}

TEST(Secret, SurvivesMoveToItself) {
  Secret secret{kLong};
  Secret& same = secret;
  secret = std::move(same);
  EXPECT_EQ(secret.view(), kLong);
}

TEST(Secret, ClonesForASecondOwner) {
  Secret first{kShort};
  const Secret second = first.clone();
  first.clear();
  EXPECT_EQ(second.view(), kShort);
}

TEST(Secret, HoldsAnyOctets) {
  const std::string_view octets("\0\xff\r\n", 4);
  EXPECT_EQ(Secret(octets).view(), octets);
}

TEST(Wipe, OverwritesAllAndNoMore) {
  char memory[] = "abcdef";
  wipe(std::span(memory, 3));
  EXPECT_EQ(std::string_view(memory, 6), std::string_view("\0\0\0def", 6));
  wipe({});
}

}  // namespace
}  // namespace postern
