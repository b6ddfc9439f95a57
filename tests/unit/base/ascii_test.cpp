#include "postern/base/ascii.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <limits>
#include <vector>

namespace postern::ascii {
namespace {

TEST(Ascii, ChangesTheCaseOfLettersAlone) {
  for (int i = 0; i <= std::numeric_limits<unsigned char>::max(); ++i) {
    const char c = static_cast<char>(i);
    const bool ascii = i < 0x80;  // the test runs in the "C" locale, which the reference needs
    EXPECT_EQ(to_upper(c), ascii ? static_cast<char>(std::toupper(i)) : c) << i;
    EXPECT_EQ(to_lower(c), ascii ? static_cast<char>(std::tolower(i)) : c) << i;
    EXPECT_EQ(is_digit(c), ascii && std::isdigit(i) != 0) << i;
  }
}

TEST(Ascii, LowersATextAndLeavesWhatIsNotAscii) {
  EXPECT_EQ(to_lower("Mail.EXAMPLE"), "mail.example");
  EXPECT_EQ(to_lower("\xC3\x84@[\\]^_"), "\xC3\x84@[\\]^_");
  EXPECT_EQ(to_lower(""), "");
}

TEST(Ascii, ComparesWithoutRegardToCase) {
  struct Row {
    std::string_view a;
    std::string_view b;
    bool equal;
  };
  const Row rows[] = {
      {"", "", true},    {"INBOX", "inBox", true}, {"INBOX", "INBO", false}, {"INBO", "INBOX", false},
      {"a", "b", false}, {"@", "`", false},  // one bit apart, as 'A' and 'a' are
      {"[", "{", false}, {"\xC4", "\xC4", true},   {"\xC4", "\xE4", false},
  };
  for (const Row& row : rows) EXPECT_EQ(equal(row.a, row.b), row.equal) << row.a << ' ' << row.b;
}

TEST(Ascii, FindsAPartAtEitherEndOrInside) {
  struct Row {
    std::string_view text;
    std::string_view part;
    bool begins;
    bool ends;
    bool contains;
  };
  const Row rows[] = {
      {"Mailbox is LOCKED", "mailbox", true, false, true},
      {"Mailbox is LOCKED", "locked", false, true, true},
      {"Mailbox is LOCKED", "IS", false, false, true},
      {"Mailbox is LOCKED", "busy", false, false, false},
      {"same", "SAME", true, true, true},
      {"short", "shorter", false, false, false},
      {"text", "", true, true, true},
      {"", "", true, true, true},
      {"", "x", false, false, false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(begins_with(row.text, row.part), row.begins) << row.text << ", " << row.part;
    EXPECT_EQ(ends_with(row.text, row.part), row.ends) << row.text << ", " << row.part;
    EXPECT_EQ(contains(row.text, row.part), row.contains) << row.text << ", " << row.part;
  }
}

TEST(Ascii, TakesWordsBetweenAnyNumberOfSpaces) {
  using Words = std::vector<std::string_view>;
  const std::pair<std::string_view, Words> rows[] = {
      {"", {}},
      {"   ", {}},
      {"one", {"one"}},
      {"  one   two ", {"one", "two"}},
      {"tab\tstays one", {"tab\tstays", "one"}},
  };
  for (const auto& [text, words] : rows) {
    Words taken;
    std::string_view rest = text;
    for (auto word = take_word(rest); !word.empty(); word = take_word(rest)) taken.push_back(word);
    EXPECT_EQ(taken, words) << text;
    EXPECT_TRUE(rest.empty()) << text;
  }
}

TEST(Ascii, LeavesTheSeparatorBehindAWord) {
  std::string_view rest = " one two";
  EXPECT_EQ(take_word(rest), "one");
  EXPECT_EQ(rest, " two");
}

static_assert(equal("a", "A") && contains("abc", "B") && !is_digit('x'));

}  // namespace
}  // namespace postern::ascii
