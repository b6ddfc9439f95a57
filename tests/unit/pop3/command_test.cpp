#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "postern/pop3/command.hpp"

namespace postern::pop3 {
namespace {

using enum Verb;
constexpr auto kMaxLines = std::numeric_limits<std::uint64_t>::max();

class Row {
 public:
  std::string_view line;
  Verb verb;
  ParseError error = ParseError::none;
  std::optional<std::uint32_t> message = {};
  std::uint64_t lines = 0;
};

void expect_parses(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    const auto parsed = parse(row.line);
    SCOPED_TRACE(testing::PrintToString(row.line));
    EXPECT_EQ(parsed.command.verb, row.verb);
    EXPECT_EQ(parsed.error, row.error);
    EXPECT_EQ(parsed.command.message, row.message);
    EXPECT_EQ(parsed.command.lines, row.lines);
  }
}

constexpr auto kGood = ParseError::none;
constexpr auto kBad = ParseError::bad_argument;

// Each of these lines is understood differently by the servers in the field; this is how it is understood
// here.
TEST(Command, DecidesWhereServersDisagree) {
  expect_parses({
      {"LIST ", list},
      {"list 2 ", list, kGood, 2},
      {"LIST +1", list, kBad},
      {"LIST 01", list, kGood, 1},
      {"RETR 1 2", retr, kBad},
      {"DELE 1 2", dele, kBad},
      {"TOP 1", top, kBad},
      {"TOP 1 -1", top, kBad},
      {"TOP 1  1", top, kGood, 1, 1},
      {"TOP 1 1 ", top, kGood, 1, 1},
      {"STAT 1", stat, kBad},
      {"NOOP x", noop, kBad},
      {" STAT", other},
      {"", other, ParseError::empty},
      {"QUIT extra", quit, kBad},
      {"RETR 4294967297", retr, kBad},
  });
}

TEST(Command, KnowsEveryVerbInAnyCase) {
  expect_parses({
      {"CAPA", capa},
      {"STLS", stls},
      {"AUTH", auth},
      {"quit", quit},
      {"sTaT", stat},
      {"list", list},
      {"noop", noop},
      {"Rset", rset},
      {"uidl", uidl},
      {"aPoP a b", apop},
  });
}

TEST(Command, TakesOtherKeywordsWithoutError) {
  expect_parses({
      {"LAST", other},
      {"XTND XLST", other},
      {"UTF8", other},
      {"LANG de 1 2", other},
      {"OTHER", other},
      {"LISTE", other},
      {"LIS", other},
      {"LIST\t1", other},
      {" ", other},
      {"GET / HTTP/1.1", other},
  });
}

TEST(Command, RefusesSurplusArguments) {
  expect_parses({
      {"CAPA x", capa, kBad},
      {"STLS x", stls, kBad},
      {"RSET 1", rset, kBad},
      {"QUIT 1", quit, kBad},
      {"LIST 1 2", list, kBad},
      {"UIDL 1 2", uidl, kBad},
      {"TOP 1 2 3", top, kBad},
      {"AUTH PLAIN a b", auth, kBad},
  });
}

TEST(Command, ToleratesSpacesBetweenAndBehindArguments) {
  expect_parses({
      {"QUIT   ", quit},
      {"STAT ", stat},
      {"RETR   7   ", retr, kGood, 7},
      {"TOP  7   0  ", top, kGood, 7, 0},
      {"UIDL  ", uidl},
      {"DELE  1", dele, kGood, 1},
  });
}

TEST(Command, TakesOnlySpacesForSeparators) {
  expect_parses({{"RETR \t1", retr, kBad}, {"RETR 1\t", retr, kBad}, {"STAT \t", stat, kBad}});
}

TEST(Command, TakesMessageNumbersFromOneToTheLargest) {
  expect_parses({
      {"RETR 1", retr, kGood, 1},
      {"RETR 4294967295", retr, kGood, 4294967295U},
      {"RETR 0000000001", retr, kGood, 1},
      {"RETR 00000000001", retr, kBad},
      {"RETR 4294967296", retr, kBad},
      {"RETR 9999999999", retr, kBad},
      {"RETR 18446744073709551617", retr, kBad},
      {"RETR 0", retr, kBad},
      {"RETR", retr, kBad},
      {"RETR ", retr, kBad},
      {"DELE -1", dele, kBad},
      {"DELE 1a", dele, kBad},
      {"UIDL 0x1", uidl, kBad},
      {"UIDL *", uidl, kBad},
      {"DELE 1:3", dele, kBad},
      {"DELE 1,3", dele, kBad},
  });
}

TEST(Command, SaturatesLinesOfTop) {
  expect_parses({
      {"TOP 1 0", top, kGood, 1, 0},
      {"TOP 1 99999999", top, kGood, 1, 99999999},
      {"TOP 1 18446744073709551615", top, kGood, 1, kMaxLines},
      {"TOP 1 18446744073709551616", top, kGood, 1, kMaxLines},
      {"TOP 1 99999999999999999999999", top, kGood, 1, kMaxLines},
      {"TOP 1 99999999999999999999999x", top, kBad},
      {"TOP 1 +1", top, kBad},
      {"TOP 0 1", top, kBad},
      {"TOP", top, kBad},
  });
}

TEST(Command, RefusesOctetsThatEndLinesElsewhere) {
  constexpr auto kOctet = ParseError::bad_octet;
  expect_parses({
      {std::string_view("STAT\0", 5), other, kOctet},
      {std::string_view("RETR 1\0", 7), retr, kOctet},
      {"DELE 1\rQUIT", dele, kOctet},
      {"USER a\r", user, kOctet},
      {"PASS a\nQUIT", pass, kOctet},
      {std::string_view("PASS a\0b", 8), pass, kOctet},
      {"XTND \r", other, kOctet},
      {"\r", other, kOctet},
  });
}

class TextRow {
 public:
  std::string_view line;
  ParseError error;
  std::string_view argument = {};
  std::optional<std::string_view> initial = {};
};

void expect_texts(const std::vector<TextRow>& rows) {
  for (const auto& row : rows) {
    const auto parsed = parse(row.line);
    SCOPED_TRACE(testing::PrintToString(row.line));
    EXPECT_EQ(parsed.error, row.error);
    EXPECT_EQ(parsed.command.argument, row.argument);
    EXPECT_EQ(parsed.command.initial, row.initial);
  }
}

TEST(Command, TakesRestOfLineForUserName) {
  expect_texts({
      {"USER a", kGood, "a"},
      {"user A@b  ", kGood, "A@b"},
      {"USER a b c ", kGood, "a b c"},
      {"USER  a", kGood, " a"},
      {"USER \tj\xf6rg", kGood, "\tj\xf6rg"},
      {"USER", kBad},
      {"USER ", kBad},
      {"USER    ", kBad},
  });
}

TEST(Command, TakesEverythingBehindFirstSpaceForPassword) {
  expect_texts({
      {"PASS p", kGood, "p"},
      {"PASS  a  b ", kGood, " a  b "},
      {"PASS ", kGood, ""},
      {"PASS  ", kGood, " "},
      {"pass \x01\x7f\xff", kGood, "\x01\x7f\xff"},
      {"PASS", kBad},
  });
}

TEST(Command, TakesMechanismAndInitialResponse) {
  expect_texts({
      {"AUTH", kGood, "", std::nullopt},
      {"AUTH ", kGood, "", std::nullopt},
      {"AUTH PLAIN", kGood, "PLAIN", std::nullopt},
      {"auth plain  ", kGood, "plain", std::nullopt},
      {"AUTH PLAIN =", kGood, "PLAIN", "="},
      {"AUTH  PLAIN  AHUAcA== ", kGood, "PLAIN", "AHUAcA=="},
      {"AUTH PLAIN *", kGood, "PLAIN", "*"},
      {"AUTH PLAIN a b", kBad},
  });
}

TEST(Command, KeepsNothingButTheVerbOfABadLine) {
  const auto parsed = parse("TOP 7 x");
  EXPECT_EQ(parsed.error, ParseError::bad_argument);
  EXPECT_EQ(parsed.command.verb, top);
  EXPECT_EQ(parsed.command.message, std::nullopt);
}

TEST(Command, PrintsNamesThatParseBack) {
  for (std::size_t i = 0; i < kVerbs; ++i) {
    const auto verb = static_cast<Verb>(i);
    EXPECT_EQ(parse(name(verb)).command.verb, verb) << name(verb);
  }
  EXPECT_EQ(name(other), "OTHER");
}

TEST(Command, KnowsWhichAnswersHaveManyLines) {
  for (const auto verb : {capa, retr, top}) {
    EXPECT_TRUE(is_multi_line(verb, false)) << name(verb);
    EXPECT_TRUE(is_multi_line(verb, true)) << name(verb);
  }
  for (const auto verb : {list, uidl, auth}) {
    EXPECT_TRUE(is_multi_line(verb, false)) << name(verb);
    EXPECT_FALSE(is_multi_line(verb, true)) << name(verb);
  }
  for (const auto verb : {stls, user, pass, apop, quit, stat, dele, noop, rset, other}) {
    EXPECT_FALSE(is_multi_line(verb, false)) << name(verb);
    EXPECT_FALSE(is_multi_line(verb, true)) << name(verb);
  }
}

}  // namespace
}  // namespace postern::pop3
