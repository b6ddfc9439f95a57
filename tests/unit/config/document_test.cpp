#include "config/document.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postern::config {
namespace {

/// The problems of a text, or "" when it became a tree.
std::string problems_of(std::string_view text) {
  Report report("f");
  const auto root = parse_document(text, report);
  std::string out;
  for (const Problem& problem : report.take()) out += problem.to_string() + "\n";
  EXPECT_TRUE(root.has_value() || !out.empty()) << "a failure without a problem";
  return out;
}

Node parse(std::string_view text) {
  Report report("f");
  auto root = parse_document(text, report);
  EXPECT_EQ(report.size(), 0U);
  return root ? *std::move(root) : Node();
}

TEST(Document, KeepsOrderEqualKeysAndPositions) {
  const Node root = parse("b: 1\na:\n  - x\n  - {y: z}\nb: 2\n");
  ASSERT_EQ(root.entries.size(), 3U);
  EXPECT_EQ(root.entries[0].key, "b");
  EXPECT_EQ(root.entries[2].value.text, "2");
  EXPECT_EQ(root.entries[2].position.line, 5U);
  const Node& mapping = root.entries[1].value.items[1];
  EXPECT_EQ(mapping.entries[0].value.position.line, 4U);
  EXPECT_EQ(mapping.entries[0].value.position.column, 9U);
}

TEST(Document, TellsQuotedFromPlain) {
  const Node root = parse("[a, 'a', \"a\"]");
  EXPECT_FALSE(root.items[0].quoted);
  EXPECT_TRUE(root.items[1].quoted);
  EXPECT_TRUE(root.items[2].quoted);
}

TEST(Document, PutsMissingValueAtItsKey) {
  const Node root = parse("a: 1\nb:\n\n\nc: 2\n");
  EXPECT_EQ(root.entries[1].value.kind, Node::Kind::nothing);
  EXPECT_EQ(root.entries[1].value.position.line, 2U);
}

TEST(Document, PutsAliasWhereItStands) {
  const Node root = parse("a: &x {p: 1}\nb:\n  c: *x\n");
  const Node& alias = root.entries[1].value.entries[0].value;
  EXPECT_EQ(alias.entries[0].key, "p");
  EXPECT_EQ(alias.position.line, 3U);
  EXPECT_EQ(alias.position.column, 6U);
}

TEST(Document, AcceptsMarkersCommentsAndByteOrderMark) {
  EXPECT_EQ(problems_of("\xef\xbb\xbf# c\n---\na: 1\n...\n"), "");
  EXPECT_EQ(problems_of("a: 1\r\nb: 2\r\n"), "");
}

struct Refused {
  std::string text;
  std::string problem;
};

TEST(Document, RefusesWhatItCannotRead) {
  const Refused rows[] = {
      {"", "f:1:1: found an empty file, expected settings\n"},
      {"# nothing\n", "f:1:1: found an empty file, expected settings\n"},
      {"a: 1\n---\nb: 2\n", "f:2:1: a second document begins here, expected one document in the file\n"},
      {"a: 1\n---\n", "f:2:1: a second document begins here, expected one document in the file\n"},
      {"a: [1, 2\n", "f:2:1: YAML syntax: end of sequence flow not found\n"},
      {"a: b: c\n", "f:1:5: YAML syntax: illegal map value\n"},
      {"a: @x\n", "f:1:4: YAML syntax: unknown token\n"},
      {"a:\n\tb: 1\n",
       "f:2:3: YAML syntax: illegal map value; the line is indented with a tab, expected spaces\n"},
      {"a: *x\n", "f:1:4: YAML syntax: the referenced anchor is not defined\n"},
      {"a: &x [*x]\n", "f:1:8: this alias stands inside of what it refers to\n"},
      {"a: !!int 3\n", "f:1:4: found the tag 'tag:yaml.org,2002:int', expected a value without a tag\n"},
      {"? [a]\n: b\nc: !x {}\n",
       "f:1:3: found a key that is no word, expected the name of a setting\n"
       "f:3:4: found the tag '!x', expected a value without a tag\n"},
      {": a\n", "f:1:1: found a key that is no word, expected the name of a setting\n"},
      {std::string("a: \0b", 5),
       "f:1:4: found the octet 0x00, expected text in UTF-8 without control characters\n"},
      {"a: 1\nb: \x1b[0m\n",
       "f:2:4: found the octet 0x1b, expected text in UTF-8 without control characters\n"},
      {"a: \xff\xfe\n", "f:1:4: found the octet 0xff, expected text in UTF-8 without control characters\n"},
      {"\x7f"
       "ELF",
       "f:1:1: found the octet 0x7f, expected text in UTF-8 without control characters\n"},
  };
  for (const Refused& row : rows) EXPECT_EQ(problems_of(row.text), row.problem) << row.text;
}

TEST(Document, RefusesBadUtf8) {
  for (const std::string_view text :
       {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xe2\x82", "\xc3("})
    EXPECT_NE(problems_of(text).find("expected text in UTF-8"), std::string::npos);
  EXPECT_EQ(problems_of("a: \xc3\xbc \xe2\x82\xac \xf0\x9f\x93\xac\n"), "");
}

TEST(Document, RefusesHeapOfBrackets) {
  const std::string most = "# " + std::string(2'000'000, '[');
  EXPECT_EQ(problems_of(most + "\na\n"), "");
  EXPECT_EQ(problems_of(most + "\n?"),
            "f:2:1: found more than 2000000 of '[', '{', ',', ':' and '?', expected a configuration file\n");
}

TEST(Document, RefusesDeepNesting) {
  const std::string open(32, '[');
  const std::string close(32, ']');
  EXPECT_EQ(problems_of(open + close), "");
  EXPECT_EQ(problems_of("[" + open + close + "]"), "f:1:33: nested too deeply, at most 32 levels\n");
  EXPECT_NE(problems_of(std::string(100'000, '[')), "");
  EXPECT_NE(problems_of(std::string(100'000, '{')), "");
  std::string steps;
  for (int depth = 0; depth < 2000; ++depth)
    steps += std::string(static_cast<std::size_t>(depth), ' ') + "a:\n";
  EXPECT_NE(problems_of(steps), "");
  std::string dashes;
  for (int depth = 0; depth < 100'000; ++depth) dashes += "- ";
  EXPECT_NE(problems_of(dashes), "");
}

TEST(Document, RefusesAliasesOfAliasesWithoutEnd) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) text += ", " + before;
    text += "]\n";
  }
  EXPECT_EQ(problems_of(text),
            "f:6:40: too many values, at most 1000000 (aliases count as what they stand for)\n");
}

TEST(Document, RefusesTooManyValues) {
  std::string text;
  for (int i = 0; i < 1'000'001; ++i) text += "- x\n";
  EXPECT_EQ(problems_of(text),
            "f:1000000:3: too many values, at most 1000000 (aliases count as what they stand for)\n");
}

}  // namespace
}  // namespace postern::config
