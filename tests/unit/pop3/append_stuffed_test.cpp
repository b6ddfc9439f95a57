#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "postern/pop3/dot.hpp"
#include "unit/pop3/dot_corpus.hpp"
#include "unit/pop3/dot_reference.hpp"

namespace postern::pop3 {
namespace {

std::string stuffed(std::string_view text) {
  std::string out;
  append_stuffed(out, text);
  return out;
}

TEST(AppendStuffed, WritesNothingForNothing) {
  EXPECT_EQ(stuffed(""), "");
}

TEST(AppendStuffed, AppendsBehindWhatIsThere) {
  std::string out = "+OK\r\n";
  append_stuffed(out, "a\r\n");
  EXPECT_EQ(out, "+OK\r\na\r\n");
}

TEST(AppendStuffed, EndsEveryLineWithCrLf) {
  EXPECT_EQ(stuffed("a\nb\r\nc"), "a\r\nb\r\nc\r\n");
  EXPECT_EQ(stuffed("\n\n"), "\r\n\r\n");
  EXPECT_EQ(stuffed("a\r"), "a\r\n");
}

TEST(AppendStuffed, DoublesDotsAtTheStartOfLines) {
  EXPECT_EQ(stuffed(".\n..\r\na.b\n.c"), "..\r\n...\r\na.b\r\n..c\r\n");
}

TEST(AppendStuffed, NeverWritesATerminator) {
  RandomAnswers random;
  for (int i = 0; i < 20'000; ++i) {
    const auto text = random.next();
    ASSERT_FALSE(reference::answer_length(stuffed(text)).has_value()) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace postern::pop3
