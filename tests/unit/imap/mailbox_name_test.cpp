#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "postern/imap/mailbox_name.hpp"

namespace postern::imap {
namespace {

class Row {
 public:
  std::string_view utf8;
  std::string_view name;
};

TEST(MailboxName, GoesThereAndBack) {
  const Row rows[] = {
      {"", ""},
      {"INBOX", "INBOX"},
      {"&", "&-"},
      {"a&b", "a&-b"},
      {"Entw\xC3\xBCrfe", "Entw&APw-rfe"},
      {"~peter/mail/\xE5\x8F\xB0\xE5\x8C\x97/\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
       "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
      {"\xC3\xA4&\xC3\xB6", "&AOQ-&-&APY-"},
      {"\xF0\x9F\x98\x80", "&2D3eAA-"},
      {"\xF0\x9F\x98\x80\xC3\xA4", "&2D3eAADk-"},
      {"\xF4\x8F\xBF\xBF", "&2,,f,w-"},
      {"a\tb", "a&AAk-b"},
      {"\x7F", "&AH8-"},
      {"\xEF\xBF\xBF", "&,,8-"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(encode_mailbox_name(row.utf8), row.name);
    EXPECT_EQ(decode_mailbox_name(row.name), row.utf8) << row.name;
  }
}

TEST(MailboxName, RefusesWhatIsNotUtf8) {
  for (const std::string_view text :
       {"\x80", "\xC3", "\xC3(", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82",
        "a\xF0\x9F\x98"}) {
    EXPECT_EQ(encode_mailbox_name(text), std::nullopt) << testing::PrintToString(text);
  }
  EXPECT_EQ(encode_mailbox_name(std::string_view("a\0b", 3)), std::nullopt);
}

TEST(MailboxName, RefusesWhatNobodyWouldEncodeSo) {
  for (const std::string_view name :
       {"&", "a&", "&APw", "&APw", "&AGE-", "&APx-", "&AP-", "&A-", "&AP w-", "&AP/-", "&APw=-", "&APw-&AOQ-",
        "&2D0-", "&3gA-", "&2D0AYQ-", "&AAA-", "\xC3\xA4", "\t", "&ACY-"}) {
    EXPECT_EQ(decode_mailbox_name(name), std::nullopt) << testing::PrintToString(name);
  }
}

TEST(MailboxName, GoesThereAndBackForRandomNames) {
  std::mt19937 random{42};
  constexpr std::string_view kLetters[] = {"a", "&", "-", "/", "\xC3\xA4", "\xE6\x97\xA5", "\xF0\x9F\x98\x80",
                                           " ", "\""};
  for (int i = 0; i < 20'000; ++i) {
    std::string utf8;
    for (auto letters = random() % 12; letters != 0; --letters)
      utf8 += kLetters[random() % std::size(kLetters)];
    const auto name = encode_mailbox_name(utf8);
    ASSERT_TRUE(name.has_value());
    ASSERT_EQ(decode_mailbox_name(*name), utf8) << *name;
    for (const char c : *name) ASSERT_TRUE(c >= ' ' && c <= '~');
  }
}

}  // namespace
}  // namespace postern::imap
