#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "postern/pop3/dot.hpp"
#include "unit/pop3/dot_corpus.hpp"
#include "unit/pop3/dot_reference.hpp"

namespace postern::pop3 {
namespace {

constexpr int kRandomTexts = 200'000;

/// Feeds `text` in chunks that end at `ends` and compares each outcome with the reference.
testing::AssertionResult scans_like_reference(std::string_view text, const std::vector<std::size_t>& ends) {
  const auto length = reference::answer_length(text);
  DotScanner scanner;
  std::size_t begin = 0;
  for (const auto end : ends) {
    const bool completes = length && *length <= end;
    const auto consumed_end = completes ? *length : end;
    const auto found = scanner.feed(text.substr(begin, end - begin));
    const bool bare_lf = reference::bare_lfs(text, begin, consumed_end) > 0;
    const auto held = completes ? 0 : reference::held(text.substr(0, end));
    if (found.complete != completes || found.consumed != consumed_end - begin || found.bare_lf != bare_lf ||
        scanner.held() != held) {
      return testing::AssertionFailure() << testing::PrintToString(text) << ", chunk " << begin << ".." << end
                                         << ": consumed " << found.consumed << ", complete " << found.complete
                                         << ", bare LF " << found.bare_lf << ", held " << scanner.held();
    }
    if (completes) break;
    begin = end;
  }
  return testing::AssertionSuccess();
}

std::vector<std::size_t> every_octet(std::size_t size) {
  std::vector<std::size_t> ends;
  for (std::size_t end = 1; end <= size; ++end) ends.push_back(end);
  return ends;
}

TEST(DotScanner, FindsEndOfEmptyAnswerAtOnce) {
  DotScanner scanner;
  const auto found = scanner.feed(".\r\n+OK");
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.consumed, 3U);
}

TEST(DotScanner, FindsEndOfEmptyAnswerInThreePackets) {
  DotScanner scanner;
  EXPECT_FALSE(scanner.feed(".").complete);
  EXPECT_FALSE(scanner.feed("\r").complete);
  EXPECT_TRUE(scanner.feed("\n").complete);
}

TEST(DotScanner, LeavesWhatStandsBehindTheTerminator) {
  DotScanner scanner;
  const auto found = scanner.feed("text\r\n.\r\n+OK next\r\n.\r\n");
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.consumed, 9U);
}

TEST(DotScanner, TakesNoLineEndButCrLf) {
  for (const std::string_view text :
       {"a\n.\n", "a\n.\r\n", "a\r\n.\n", "a\r.\r\n", "a\r\n.\r.", "a\r\n.\r\r\n"}) {
    DotScanner scanner;
    const auto found = scanner.feed(text);
    EXPECT_FALSE(found.complete) << testing::PrintToString(text);
    EXPECT_EQ(found.consumed, text.size()) << testing::PrintToString(text);
  }
}

TEST(DotScanner, TakesStuffedAndUnstuffedDotsForText) {
  for (const std::string_view text : {"\r\n..\r\n", "\r\n.x\r\n", ".capability\r\n", "..\r\n"}) {
    DotScanner scanner;
    EXPECT_FALSE(scanner.feed(text).complete) << testing::PrintToString(text);
  }
}

TEST(DotScanner, TellsWhatCouldBeginTheTerminator) {
  DotScanner scanner;
  std::vector<std::size_t> held;
  for (const char octet : std::string_view("a\r\n.\rb")) {
    scanner.feed(std::string_view(&octet, 1));
    held.push_back(scanner.held());
  }
  EXPECT_EQ(held, (std::vector<std::size_t>{0, 1, 2, 3, 4, 0}));
}

TEST(DotScanner, HoldsNothingOfTheStatusLine) {
  DotScanner scanner;
  EXPECT_EQ(scanner.held(), 0U);
  scanner.feed(".");
  EXPECT_EQ(scanner.held(), 1U);
  scanner.feed("\r");
  EXPECT_EQ(scanner.held(), 2U);
}

TEST(DotScanner, SeesNoBareLfWhereTheCrIsInTheChunkBefore) {
  DotScanner scanner;
  scanner.feed("a\r");
  EXPECT_FALSE(scanner.feed("\nb").bare_lf);
  EXPECT_TRUE(scanner.feed("\n").bare_lf);
  EXPECT_FALSE(scanner.feed("c").bare_lf);
}

TEST(DotScanner, LooksAtNoOctetBeforeTheChunk) {
  constexpr std::string_view kBuffer = "\r\n.\r\n";
  DotScanner scanner;
  scanner.feed("a");
  const auto found = scanner.feed(kBuffer.substr(1));  // the CR before it was never fed
  EXPECT_FALSE(found.complete);
  EXPECT_TRUE(found.bare_lf);
}

TEST(DotScanner, KeepsItsStateOverAnEmptyChunk) {
  DotScanner scanner;
  scanner.feed("a\r\n.");
  EXPECT_FALSE(scanner.feed("").complete);
  EXPECT_EQ(scanner.held(), 3U);
  EXPECT_TRUE(scanner.feed("\r\n").complete);
}

TEST(DotScanner, AgreesWithReferenceInOneChunkAndInSingleOctets) {
  for (const auto& text : difficult_answers()) {
    EXPECT_TRUE(scans_like_reference(text, {text.size()}));
    EXPECT_TRUE(scans_like_reference(text, every_octet(text.size())));
  }
}

TEST(DotScanner, AgreesWithReferenceInTwoChunksAtEverySplit) {
  for (const auto& text : difficult_answers()) {
    for (std::size_t split = 0; split <= text.size(); ++split) {
      EXPECT_TRUE(scans_like_reference(text, {split, text.size()}));
    }
  }
}

TEST(DotScanner, AgreesWithReferenceInThreeChunksAtEverySplit) {
  for (const auto& text : difficult_answers()) {
    for (std::size_t first = 0; first <= text.size(); ++first) {
      for (auto second = first; second <= text.size(); ++second) {
        EXPECT_TRUE(scans_like_reference(text, {first, second, text.size()}));
      }
    }
  }
}

TEST(DotScanner, AgreesWithReferenceOnLongLines) {
  constexpr std::size_t kLong = std::size_t{1} << 20;
  for (const char octet : {'a', '.', '\r'}) {
    const auto text = std::string(kLong, octet) + "\r\n.\r\nrest";
    EXPECT_TRUE(scans_like_reference(text, {text.size()}));
    for (std::size_t split = kLong - 2; split <= kLong + 6; ++split) {
      EXPECT_TRUE(scans_like_reference(text, {split, text.size()}));
    }
  }
}

TEST(DotScanner, AgreesWithReferenceOnRandomTexts) {
  RandomAnswers random;
  for (int i = 0; i < kRandomTexts; ++i) {
    const auto text = random.next();
    std::vector<std::size_t> ends;
    for (auto end = random.chunk(); end < text.size(); end += random.chunk()) ends.push_back(end);
    ends.push_back(text.size());
    ASSERT_TRUE(scans_like_reference(text, ends)) << "text " << i;
    ASSERT_TRUE(scans_like_reference(text, {text.size()})) << "text " << i;
  }
}

}  // namespace
}  // namespace postern::pop3
