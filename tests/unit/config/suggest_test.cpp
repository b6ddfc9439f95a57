#include "config/suggest.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postern::config {
namespace {

TEST(Suggest, CountsChangedAddedRemovedAndSwappedLetters) {
  EXPECT_EQ(distance("", ""), 0U);
  EXPECT_EQ(distance("abc", ""), 3U);
  EXPECT_EQ(distance("", "ab"), 2U);
  EXPECT_EQ(distance("threads", "treads"), 1U);
  EXPECT_EQ(distance("threads", "threeads"), 1U);
  EXPECT_EQ(distance("threads", "threabs"), 1U);
  EXPECT_EQ(distance("tls", "tsl"), 1U);
  EXPECT_EQ(distance("kitten", "sitting"), 3U);
  EXPECT_EQ(distance("TLS1.2", "tls1.2"), 0U);
}

TEST(Suggest, NamesNearestCandidate) {
  EXPECT_EQ(did_you_mean("lisenters", {"listeners", "limits", "log"}), "; did you mean 'listeners'?");
  EXPECT_EQ(did_you_mean("TLSv1.2", {"TLS1.1", "TLS1.2", "TLS1.3"}), "; did you mean 'TLS1.2'?");
}

TEST(Suggest, NamesCandidateThatEndsInTheWord) {
  EXPECT_EQ(did_you_mean("1.2", {"TLS1.1", "TLS1.2"}), "; did you mean 'TLS1.2'?");
  EXPECT_EQ(did_you_mean(".2", {"TLS1.1", "TLS1.2"}), "");
}

TEST(Suggest, KeepsQuietWhenNothingIsNear) {
  EXPECT_EQ(did_you_mean("verbose", {"debug", "info"}), "");
  EXPECT_EQ(did_you_mean("ssl", {"tls"}), "");
  EXPECT_EQ(did_you_mean("", {"a"}), "");
  EXPECT_EQ(did_you_mean("x", {"a"}), "");
  EXPECT_EQ(did_you_mean(std::string(100, 'a'), {"a"}), "");
}

TEST(Suggest, EnumeratesWords) {
  EXPECT_EQ(enumerate({}, "or"), "");
  EXPECT_EQ(enumerate({"a"}, "or"), "a");
  EXPECT_EQ(enumerate({"a", "b"}, "or"), "a or b");
  EXPECT_EQ(enumerate({"a", "b", "c"}, "and"), "a, b and c");
}

TEST(Suggest, CutsLongEnumeration) {
  const std::string text = enumerate(std::vector<std::string_view>(25, "x"), "or");
  EXPECT_EQ(text.substr(text.size() - 6), "x, ...");
}

}  // namespace
}  // namespace postern::config
