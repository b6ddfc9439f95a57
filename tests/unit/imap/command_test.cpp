#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "postern/imap/command.hpp"

namespace postern::imap {
namespace {

class CountingRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) noexcept override {
    for (auto& octet : out) octet = static_cast<std::byte>(next_ += 37);
  }

 private:
  std::uint8_t next_ = 0;
};

/// The pieces: secret ones in braces, "|" where an answer has to be waited for.
std::string shape(const Command& command) {
  std::string out;
  for (const auto& segment : command.segments()) {
    if (segment.is_secret()) out += '<';
    out += segment.octets();
    if (segment.is_secret()) out += '>';
    if (segment.waits()) out += '|';
  }
  return out;
}

Command login(std::string_view user, std::string_view password, NonSyncLiterals literals) {
  Command command("T1", "LOGIN", literals);
  command.string(user).secret(password).finish();
  return command;
}

class Row {
 public:
  std::string_view password;
  NonSyncLiterals literals;
  std::string_view shape;
};

TEST(Command, WritesStringsSoThatTheyAreNothingElse) {
  constexpr auto kNone = NonSyncLiterals::none;
  constexpr auto kSmall = NonSyncLiterals::small;
  constexpr auto kAll = NonSyncLiterals::all;
  const Row rows[] = {
      {"", kNone, "T1 LOGIN \"u\"< \"\">\r\n"},
      {"pw", kAll, "T1 LOGIN \"u\"< \"pw\">\r\n"},
      {"a b ", kNone, "T1 LOGIN \"u\"< \"a b \">\r\n"},
      {"p\"w\\x", kNone, "T1 LOGIN \"u\"< \"p\\\"w\\\\x\">\r\n"},
      {"{5+}", kNone, "T1 LOGIN \"u\"< \"{5+}\">\r\n"},
      {"NIL", kNone, "T1 LOGIN \"u\"< \"NIL\">\r\n"},
      {"p\xC3\xA4", kNone, "T1 LOGIN \"u\" {3}\r\n|<p\xC3\xA4>\r\n"},
      {"p\xE4", kSmall, "T1 LOGIN \"u\" {2+}\r\n<p\xE4>\r\n"},
      {"p\xE4", kAll, "T1 LOGIN \"u\" {2+}\r\n<p\xE4>\r\n"},
      {"\r\nA1 DELETE INBOX", kNone, "T1 LOGIN \"u\" {17}\r\n|<\r\nA1 DELETE INBOX>\r\n"},
      {"\x7f", kNone, "T1 LOGIN \"u\" {1}\r\n|<\x7f>\r\n"},
  };
  for (const auto& row : rows) {
    const auto command = login("u", row.password, row.literals);
    EXPECT_EQ(shape(command), row.shape);
    EXPECT_TRUE(command.is_valid());
  }
}

TEST(Command, QuotesUpTo255Octets) {
  const std::string longest(255, 'x');
  EXPECT_EQ(shape(login("u", longest, NonSyncLiterals::none)), "T1 LOGIN \"u\"< \"" + longest + "\">\r\n");
  EXPECT_EQ(shape(login("u", longest + "x", NonSyncLiterals::none)),
            "T1 LOGIN \"u\" {256}\r\n|<" + longest + "x>\r\n");
}

TEST(Command, WaitsForLargeLiteralsWhereOnlySmallOnesMayGo) {
  const std::string largest(4096, 'x');
  EXPECT_EQ(login("u", largest, NonSyncLiterals::small).segments().size(), 3U);
  EXPECT_FALSE(login("u", largest, NonSyncLiterals::small).segments()[0].waits());
  EXPECT_TRUE(login("u", largest + "x", NonSyncLiterals::small).segments()[0].waits());
  EXPECT_FALSE(login("u", largest + "x", NonSyncLiterals::all).segments()[0].waits());
}

TEST(Command, StopsAtEveryLiteralThatWaits) {
  EXPECT_EQ(shape(login("\xE4", "\xE4", NonSyncLiterals::none)), "T1 LOGIN {1}\r\n|\xE4 {1}\r\n|<\xE4>\r\n");
}

TEST(Command, RefusesAStringWithANul) {
  EXPECT_FALSE(login("u", std::string_view("a\0b", 3), NonSyncLiterals::all).is_valid());
  EXPECT_FALSE(login(std::string_view("\0", 1), "p", NonSyncLiterals::all).is_valid());
}

TEST(Command, WritesWordsOfOursAsTheyAre) {
  Command command("T2", "UID FETCH", NonSyncLiterals::none);
  command.words("1:*").words("(UID RFC822.SIZE)").finish();
  EXPECT_EQ(shape(command), "T2 UID FETCH 1:* (UID RFC822.SIZE)\r\n");
  EXPECT_EQ(command.segments().size(), 1U);
  EXPECT_EQ(command.tag(), "T2");
}

TEST(Command, KeepsInitialResponsesSecret) {
  Command command("T3", "AUTHENTICATE", NonSyncLiterals::none);
  command.words("PLAIN").secret_words("AHUAcA==").finish();
  EXPECT_EQ(shape(command), "T3 AUTHENTICATE PLAIN <AHUAcA==>\r\n");
}

TEST(Command, EncodesNamesOfMailboxes) {
  Command command("T4", "SELECT", NonSyncLiterals::none);
  command.mailbox("Entw\xC3\xBCrfe & \"so\"").finish();
  EXPECT_EQ(shape(command), "T4 SELECT \"Entw&APw-rfe &- \\\"so\\\"\"\r\n");
  Command bad("T5", "SELECT", NonSyncLiterals::none);
  EXPECT_FALSE(bad.mailbox("\xFF").is_valid());
}

TEST(Tags, AreNeverTheSameTwice) {
  CountingRandom random;
  Tags one(random);
  Tags other(random);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(seen.insert(one.next()).second);
    EXPECT_TRUE(seen.insert(other.next()).second);
  }
}

TEST(Tags, AreWordsThatEveryServerTakes) {
  CountingRandom random;
  const auto tag = Tags(random).next();
  EXPECT_EQ(tag.size(), 8U);
  EXPECT_TRUE(tag.ends_with("-1"));
  EXPECT_TRUE(std::all_of(tag.begin(), tag.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-';
  })) << tag;
}

}  // namespace
}  // namespace postern::imap
