#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postern/pop3/dot.hpp"
#include "unit/pop3/dot_corpus.hpp"
#include "unit/pop3/dot_reference.hpp"

namespace postern::pop3 {
namespace {

constexpr int kRandomTexts = 200'000;

class Relayed {
 public:
  std::string sent;
  std::uint64_t repaired = 0;
  bool complete = false;
};

/// What a client is sent of an answer that comes in chunks ending at `ends`: scanner first, repair behind it.
Relayed relay(std::string_view text, const std::vector<std::size_t>& ends) {
  Relayed relayed;
  DotScanner scanner;
  EolRepair repair;
  std::string room = "left over";
  std::size_t begin = 0;
  for (const auto end : ends) {
    const auto found = scanner.feed(text.substr(begin, end - begin));
    relayed.sent += repair.apply(text.substr(begin, found.consumed), found.bare_lf, room);
    relayed.complete = found.complete;
    if (found.complete) break;
    begin = end;
  }
  relayed.repaired = repair.repaired();
  return relayed;
}

testing::AssertionResult repairs_like_reference(std::string_view text, const std::vector<std::size_t>& ends) {
  const auto answer = text.substr(0, reference::answer_length(text).value_or(text.size()));
  const auto relayed = relay(text, ends);
  if (relayed.sent == reference::repaired(answer) &&
      relayed.repaired == reference::bare_lfs(answer, 0, answer.size())) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << testing::PrintToString(text) << " in chunks to "
                                     << testing::PrintToString(ends) << " became "
                                     << testing::PrintToString(relayed.sent) << " with " << relayed.repaired;
}

/// What holds whatever the reference says.
testing::AssertionResult is_sound(std::string_view text, const Relayed& relayed) {
  const auto answer = text.substr(0, reference::answer_length(text).value_or(text.size()));
  if (reference::bare_lfs(relayed.sent, 0, relayed.sent.size()) > 0) {
    return testing::AssertionFailure() << testing::PrintToString(text) << " keeps a bare LF";
  }
  const auto length = reference::answer_length(relayed.sent);
  if (length.has_value() != relayed.complete || (length && *length != relayed.sent.size())) {
    return testing::AssertionFailure() << testing::PrintToString(text) << " ends elsewhere";
  }
  if (reference::content(relayed.sent) != reference::with_crlf(reference::content(answer))) {
    return testing::AssertionFailure() << testing::PrintToString(text) << " reads differently";
  }
  return testing::AssertionSuccess();
}

TEST(EolRepair, HandsCleanOctetsThroughUntouched) {
  EolRepair repair;
  std::string room;
  const std::string_view clean = "a\r\n..b\r\n\r.\r\n";
  const auto sent = repair.apply(clean, false, room);
  EXPECT_EQ(sent.data(), clean.data());
  EXPECT_EQ(sent, clean);
  EXPECT_TRUE(room.empty());
  EXPECT_EQ(repair.repaired(), 0U);
}

TEST(EolRepair, MakesBareLfCrLfAndCountsIt) {
  const auto relayed = relay("a\nb\r\nc\n\r\n.\r\n", {13});
  EXPECT_EQ(relayed.sent, "a\r\nb\r\nc\r\n\r\n.\r\n");
  EXPECT_EQ(relayed.repaired, 2U);
}

TEST(EolRepair, StuffsDotBehindBareLf) {
  EXPECT_EQ(relay("a\n.b\n..c", {8}).sent, "a\r\n..b\r\n...c");
}

TEST(EolRepair, StuffsDotBehindBareLfInTheNextChunk) {
  EXPECT_EQ(relay("a\n.\r\nb", {2, 6}).sent, "a\r\n..\r\nb");
  EXPECT_EQ(relay("a\n.\r\nb", {1, 2, 3, 4, 5, 6}).sent, "a\r\n..\r\nb");
}

TEST(EolRepair, MakesNoTerminatorOutOfLoneDotWithBareLf) {
  EXPECT_EQ(relay("a\r\n.\nb\r\n", {8}).sent, "a\r\n..\r\nb\r\n");
  EXPECT_EQ(relay("a\r\n.\nb\r\n", {4, 8}).sent, "a\r\n..\r\nb\r\n");
  EXPECT_EQ(relay(".\nb\r\n", {1, 5}).sent, "..\r\nb\r\n");
}

TEST(EolRepair, KnowsCrOfTheChunkBefore) {
  const auto relayed = relay("a\r\nb", {2, 4});
  EXPECT_EQ(relayed.sent, "a\r\nb");
  EXPECT_EQ(relayed.repaired, 0U);
}

TEST(EolRepair, LeavesBareCrAlone) {
  EXPECT_EQ(relay("a\rb\r\rc\n", {7}).sent, "a\rb\r\rc\r\n");
}

TEST(EolRepair, AgreesWithReferenceAtEverySplit) {
  for (const auto& text : difficult_answers()) {
    for (std::size_t first = 0; first <= text.size(); ++first) {
      for (auto second = first; second <= text.size(); ++second) {
        EXPECT_TRUE(repairs_like_reference(text, {first, second, text.size()}));
      }
    }
    EXPECT_TRUE(is_sound(text, relay(text, {text.size()})));
  }
}

TEST(EolRepair, AgreesWithReferenceOnRandomTexts) {
  RandomAnswers random;
  for (int i = 0; i < kRandomTexts; ++i) {
    const auto text = random.next();
    std::vector<std::size_t> ends;
    for (auto end = random.chunk(); end < text.size(); end += random.chunk()) ends.push_back(end);
    ends.push_back(text.size());
    ASSERT_TRUE(repairs_like_reference(text, ends)) << "text " << i;
    ASSERT_TRUE(is_sound(text, relay(text, ends))) << "text " << i;
  }
}

}  // namespace
}  // namespace postern::pop3
