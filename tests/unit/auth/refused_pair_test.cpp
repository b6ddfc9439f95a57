#include "postern/auth/refused_pair.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postern::auth {
namespace {

TEST(RefusedPair, MatchesNothingBeforeARefusal) {
  const RefusedPair pair;
  EXPECT_FALSE(pair.matches("", ""));
  EXPECT_FALSE(pair.matches("alice", "secret"));
}

TEST(RefusedPair, MatchesThePairAlone) {
  RefusedPair pair;
  pair.remember("alice", "secret");
  EXPECT_TRUE(pair.matches("alice", "secret"));
  EXPECT_FALSE(pair.matches("alice", "Secret"));
  EXPECT_FALSE(pair.matches("Alice", "secret"));
  EXPECT_FALSE(pair.matches("alice", ""));
  EXPECT_FALSE(pair.matches("alic", "esecret"));
  EXPECT_FALSE(pair.matches("alicesecret", ""));
}

TEST(RefusedPair, KnowsTheLastOneOnly) {
  RefusedPair pair;
  pair.remember("alice", "one");
  pair.remember("alice", "two");
  EXPECT_FALSE(pair.matches("alice", "one"));
  EXPECT_TRUE(pair.matches("alice", "two"));
}

TEST(RefusedPair, TakesAnyOctets) {
  RefusedPair pair;
  const std::string long_password(4096, '\xff');
  pair.remember("", long_password);
  EXPECT_TRUE(pair.matches("", long_password));
  EXPECT_FALSE(pair.matches("", long_password.substr(1)));
}

TEST(RefusedPair, KeepsNeitherNameNorPassword) {
  RefusedPair pair;
  pair.remember("alice-the-user", "secret-password");
  const std::string memory(reinterpret_cast<const char*>(&pair), sizeof pair);
  EXPECT_EQ(memory.find("alice"), std::string::npos);
  EXPECT_EQ(memory.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace postern::auth
