#include "postern/base/session_id.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <set>
#include <string>

namespace postern {
namespace {

using std::chrono::milliseconds;

/// Every octet is the same.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(unsigned char octet) : octet_(octet) {}
  void fill(std::span<std::byte> out) noexcept override { std::memset(out.data(), octet_, out.size()); }

 private:
  unsigned char octet_;
};

std::string id(milliseconds since_epoch, unsigned char octet) {
  FixedRandom random(octet);
  return std::string(SessionId(WallTime(since_epoch), random).view());
}

TEST(SessionId, WritesTimeThenRandomBits) {
  // 80 bits: 44 of time, 36 random; five to a letter, so the ninth letter has four of time and one of chance.
  EXPECT_EQ(id(milliseconds(0), 0x00), "0000000000000000");
  EXPECT_EQ(id(milliseconds(0), 0xff), "000000001zzzzzzz");
  EXPECT_EQ(id(milliseconds(1), 0x00), "0000000020000000");
  EXPECT_EQ(id(milliseconds(4'102'444'800'000), 0xff), "7escrfc01zzzzzzz");  // 2100-01-01
}

TEST(SessionId, SortsByTime) {
  const milliseconds start(1'700'000'000'000);
  std::string last = id(start, 0xff);
  for (int step = 1; step < 100'000; step = step * 3 + 1) {
    const std::string next = id(start + milliseconds(step), 0x00);
    EXPECT_LT(last, next) << step;
    last = id(start + milliseconds(step), 0xff);
  }
}

TEST(SessionId, UsesCrockfordsLettersOnly) {
  const std::string_view allowed = "0123456789abcdefghjkmnpqrstvwxyz";
  std::set<char> seen;
  for (int octet = 0; octet < 256; ++octet) {
    for (const char c : id(milliseconds(octet * 12345), static_cast<unsigned char>(octet))) seen.insert(c);
  }
  for (const char c : seen) EXPECT_NE(allowed.find(c), std::string_view::npos) << c;
  EXPECT_EQ(seen.size(), allowed.size());
}

TEST(SessionId, DiffersWithinAMillisecond) {
  std::set<std::string> seen;
  const WallTime now(milliseconds(1'700'000'000'000));
  for (int i = 0; i < 1000; ++i) seen.insert(std::string(SessionId(now, system_random()).view()));
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(SessionId, HasItsLength) {
  EXPECT_EQ(id(milliseconds(42), 7).size(), SessionId::kLength);
}

}  // namespace
}  // namespace postern
