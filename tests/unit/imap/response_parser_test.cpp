#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include "postern/imap/response_parser.hpp"
#include "unit/imap/response_examples.hpp"
#include "unit/imap/transcript.hpp"

namespace postern::imap {
namespace {

using Step = ResponseParser::Step;

std::string byte_by_byte(std::string_view text) {
  Transcript parts;
  for (const char octet : text) parts.feed(std::string_view(&octet, 1));
  return parts.text();
}

TEST(ResponseParser, ReadsWhatServersSay) {
  for (const auto& example : good_examples())
    EXPECT_EQ(transcript(example.said), example.transcript) << example.said;
}

TEST(ResponseParser, SaysWhatIsWrong) {
  for (const auto& example : bad_examples())
    EXPECT_EQ(transcript(example.said), example.transcript) << example.said;
}

TEST(ResponseParser, SaysTheSameHoweverTheInputIsCut) {
  for (const auto* examples : {&good_examples(), &bad_examples()}) {
    for (const auto& example : *examples) {
      for (std::size_t cut = 1; cut < example.said.size(); ++cut) {
        EXPECT_EQ(transcript(example.said, cut), example.transcript) << example.said << " cut at " << cut;
      }
      EXPECT_EQ(byte_by_byte(example.said), example.transcript) << example.said;
    }
  }
}

TEST(ResponseParser, ReadsOneResponseAfterTheOther) {
  std::string said;
  std::string expected;
  for (const auto& example : good_examples()) {
    said += example.said;
    expected += example.transcript;
  }
  EXPECT_EQ(transcript(said), expected);
  EXPECT_EQ(byte_by_byte(said), expected);
}

TEST(ResponseParser, LeavesTheBodyToTheCaller) {
  ResponseParser parser(100);
  const std::string_view said = "* 1 FETCH (UID 4 BODY[] {3}\r\nabc)\r\n";
  const auto begins = parser.parse(said);
  EXPECT_EQ(begins.step, Step::body);
  EXPECT_EQ(said.substr(begins.consumed), "abc)\r\n");
  EXPECT_EQ(parser.body().size, 3U);
  const auto ends = parser.parse(said.substr(begins.consumed + 3));
  EXPECT_EQ(ends.step, Step::response);
  EXPECT_EQ(ends.consumed, 3U);
}

TEST(ResponseParser, TellsABodyThatIsTooLongBeforeItsLineEnds) {
  ResponseParser parser(100);
  ASSERT_EQ(parser.parse("* 1 FETCH (UID 4 BODY[] {3}\r\n").step, Step::body);
  EXPECT_EQ(parser.parse("d").step, Step::error);
}

TEST(ResponseParser, RefusesABodyThatIsLargerThanAllowed) {
  EXPECT_EQ(ResponseParser(5).parse("* 1 FETCH (BODY[] {5}\r\n").step, Step::body);
  EXPECT_EQ(ResponseParser(4).parse("* 1 FETCH (BODY[] {5}\r\n").step, Step::error);
  EXPECT_EQ(ResponseParser(5).parse("* 1 FETCH (BODY[] \"12345\")\r\n").step, Step::body);
  EXPECT_EQ(ResponseParser(4).parse("* 1 FETCH (BODY[] \"12345\")\r\n").step, Step::error);
  EXPECT_EQ(ResponseParser(~Bytes{0}).parse("* 1 FETCH (BODY[] {9223372036854775807}\r\n").step, Step::body);
}

TEST(ResponseParser, TakesNothingAfterAnError) {
  ResponseParser parser(100);
  EXPECT_EQ(parser.parse("nonsense\r\n").step, Step::error);
  const auto again = parser.parse("* 1 EXISTS\r\n");
  EXPECT_EQ(again.step, Step::error);
  EXPECT_EQ(again.consumed, 0U);
  EXPECT_EQ(parser.error(), "not a response");
}

TEST(ResponseParser, GivesNumbersInBatchesThatDoNotDependOnTheCuts) {
  std::string said = "* SEARCH";
  for (std::size_t i = 1; i <= 2 * kNumberBatch + 1; ++i) said += ' ' + std::to_string(i);
  said += "\r\n";
  for (std::size_t cut = 1; cut < said.size(); ++cut) {
    ResponseParser parser(100);
    std::vector<std::size_t> batches;
    std::string buffer = said.substr(0, cut);
    for (bool more = true;;) {
      const auto parsed = parser.parse(buffer);
      buffer.erase(0, parsed.consumed);
      if (parsed.step == Step::numbers) batches.push_back(parser.numbers().size());
      if (parsed.step == Step::response) break;
      ASSERT_TRUE(parsed.step == Step::numbers || more);
      if (parsed.step == Step::need_more) {
        buffer += said.substr(cut);
        more = false;
      }
    }
    ASSERT_EQ(batches, (std::vector<std::size_t>{kNumberBatch, kNumberBatch, 1})) << cut;
  }
}

TEST(ResponseParser, KnowsWhoseNumbersItGives) {
  ResponseParser parser(100);
  const auto parsed = parser.parse("* ESEARCH (TAG \"A7\") UID ALL 1:5");
  EXPECT_EQ(parsed.step, Step::need_more);
  EXPECT_EQ(parser.parse("\r\n").step, Step::numbers);
  EXPECT_EQ(parser.response().kind, ResponseKind::esearch);
  EXPECT_EQ(parser.response().tag, "A7");
}

/// Feeds `octet` until the parser fails; how many were fed, up to `most`.
std::size_t octets_until_error(std::string_view start, char octet, std::size_t most) {
  Transcript session;
  session.feed(start);
  const std::string chunk(4096, octet);
  std::size_t fed = 0;
  for (; fed < most && !session.failed(); fed += chunk.size()) session.feed(chunk);
  EXPECT_TRUE(session.failed()) << start;
  return fed;
}

TEST(ResponseParser, RefusesALineThatDoesNotEnd) {
  constexpr std::size_t kGigabyte = std::size_t{1} << 30;
  for (const std::string_view start :
       {"", "* OK ", "A1 NO [", "* 1 FETCH (X ", "* 1 FETCH (BODY[] \"", "* LIST () \"", "+ ",
        "* CAPABILITY ", "* XFOO {2}\r\nab", "* ESEARCH (TAG \"", "* SEARCH "}) {
    EXPECT_LE(octets_until_error(start, 'a', kGigabyte), kMaxResponseLine + 4096) << start;
  }
}

TEST(ResponseParser, HoldsALineToItsLimitInAnyForm) {
  const std::string fits(kMaxResponseLine - 7, 'x');
  EXPECT_TRUE(transcript("* OK " + fits + "\r\n").starts_with("status OK"));
  EXPECT_EQ(transcript("* OK " + fits + "x\r\n"), "error: line too long\n");
  EXPECT_TRUE(transcript("* OK " + fits + "\r\n", 40000).starts_with("status OK"));
  EXPECT_EQ(transcript("* OK " + fits + "x\r\n", 40000), "error: line too long\n");
}

TEST(ResponseParser, HoldsAllLinesOfAResponseToOneLimit) {
  std::string fetch = "* 1 FETCH (UID 1 X (";
  std::string other = "* XFOO ";
  for (int i = 0; i < 2; ++i) {
    fetch += std::string(kMaxResponseLine / 2, 'x') + " {1}\r\na ";
    other += std::string(kMaxResponseLine / 2, 'x') + " {1}\r\na";
  }
  EXPECT_EQ(transcript(fetch + ")\r\n"), "error: line too long\n");
  EXPECT_EQ(transcript(other + "\r\n"), "error: line too long\n");
}

TEST(ResponseParser, TakesTheLargestLiteralThatIsNoBody) {
  const auto header = "{" + std::to_string(kMaxPlainLiteral) + "}\r\n" + std::string(kMaxPlainLiteral, 'x');
  EXPECT_EQ(transcript("* 1 FETCH (X " + header + " UID 3)\r\n"), "fetch 1 uid=3\n");
  EXPECT_EQ(transcript("* LIST () NIL " + header + "\r\n").size(),
            kMaxPlainLiteral + std::string("list mailbox=[]\n").size());
}

TEST(ResponseParser, GathersNoMoreThanOneLargeLiteral) {
  const auto header = "{" + std::to_string(kMaxPlainLiteral) + "}\r\n" + std::string(kMaxPlainLiteral, 'x');
  EXPECT_EQ(transcript("* XFOO " + header + header + header + "\r\n"), "error: response too large\n");
}

TEST(ResponseParser, RefusesDeepNesting) {
  const std::string open(kMaxNesting, '(');
  const std::string close(kMaxNesting, ')');
  EXPECT_EQ(transcript("* 1 FETCH (X " + open + close + ")\r\n"), "fetch 1\n");
  EXPECT_EQ(transcript("* 1 FETCH (X (" + open + close + "))\r\n"), "error: nested too deeply\n");
  EXPECT_EQ(transcript("* 1 FETCH " + open + "UID 1" + close + "\r\n"), "fetch 1 uid=1\n");
  EXPECT_EQ(transcript("* 1 FETCH (" + open + "UID 1" + close + ")\r\n"), "error: nested too deeply\n");
  EXPECT_EQ(transcript("* 1 FETCH (" + std::string(100'000, '(')), "error: line too long\n");
  Transcript session;
  session.feed("* 1 FETCH (" + std::string(60'000, '(') + "\r\n");
  EXPECT_EQ(session.text(), "error: nested too deeply\n");
  EXPECT_EQ(transcript("* SEARCH " + std::string(100'000, '(')), "error: nested too deeply\n");
}

TEST(ResponseParser, StreamsAListOfNumbersOfAnyLength) {
  Transcript session;
  session.feed("* SEARCH");
  std::string expected = "numbers";
  for (int i = 1; i <= 100'000; ++i) {
    const auto number = ' ' + std::to_string(i * 1000);
    session.feed(number);
    expected += number;
  }
  session.feed("\r\n");
  EXPECT_EQ(session.text(), expected + "\nsearch\n");
}

TEST(ResponseParser, RefusesALongWordAmongNumbersHoweverItIsCut) {
  const auto said = "* SEARCH 1 (" + std::string(97, 'x') + " 5)\r\n";
  for (std::size_t cut = 1; cut < said.size(); ++cut) {
    ASSERT_EQ(transcript(said, cut), "error: word too long in a list of numbers\n") << cut;
  }
  EXPECT_EQ(transcript("* SEARCH 1 (" + std::string(96, 'x') + " 5)\r\n"), "numbers 1\nsearch\n");
}

TEST(ResponseParser, SkipsAnyNumberOfLiterals) {
  std::string said = "* 1 FETCH (X (";
  for (int i = 0; i < 5'000; ++i) said += "{3}\r\n))) ";
  EXPECT_EQ(transcript(said + ") UID 6)\r\n"), "fetch 1 uid=6\n");
}

/// Octets that are wrong, missing or doubled: whatever becomes of it, it is the same in one piece and in
/// many.
TEST(ResponseParser, SaysTheSameOfDamagedInputHoweverItIsCut) {
  std::mt19937 random{20261125};
  const auto& examples = good_examples();
  for (int i = 0; i < 60'000; ++i) {
    std::string said(examples[random() % examples.size()].said);
    said += examples[random() % examples.size()].said;
    for (auto changes = 1 + random() % 3; changes != 0; --changes) {
      const auto at = random() % said.size();
      constexpr std::string_view kOctets(" ()[]{}<>\"\\\r\n0129:,*+~NILa\xff\0", 28);
      const char octet = kOctets[random() % kOctets.size()];
      switch (random() % 3) {
        case 0:
          said[at] = octet;
          break;
        case 1:
          said.insert(at, 1, octet);
          break;
        default:
          said.erase(at, 1);
      }
    }
    const auto whole = transcript(said);
    ASSERT_EQ(transcript(said, random() % said.size()), whole) << testing::PrintToString(said);
    ASSERT_EQ(byte_by_byte(said), whole) << testing::PrintToString(said);
  }
}

}  // namespace
}  // namespace postern::imap
