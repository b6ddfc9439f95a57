#include "postern/config/uidl_template.hpp"

#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "unit/config/rendered.hpp"

namespace postern::config {
namespace {

using Source = UidlPiece::Source;

UidlTemplate parsed(std::string_view text) {
  auto uidl = parse_uidl_template(text, 0);
  EXPECT_TRUE(uidl.has_value()) << text << ": " << (uidl ? "" : uidl.error().message);
  return uidl ? *std::move(uidl) : UidlTemplate();
}

/// What a server's POP3 says of a message, and the template that says the same.
struct Migration {
  const char* server;
  std::string_view uidl;
  Numbers numbers;
  std::string_view id;
};

void PrintTo(const Migration& migration, std::ostream* out) {
  *out << migration.server;
}

const std::vector<Migration> kMigrations = {
    {"Dovecot", "%{uid:08x}%{uidvalidity:08x}", {1, 0x6b03f1a0}, "000000016b03f1a0"},
    {"Cyrus", "%{uidvalidity}.%{uid}", {1, 1795420640}, "1795420640.1"},
    {"CyrusUidOnly", "%{uid}", {1, 1795420640}, "1"},
    {"CyrusLikeCourier", "%{uidvalidity}-%{uid}", {23, 1795420640}, "1795420640-23"},
    {"CyrusLikeDovecot", "%{uid:08x}%{uidvalidity:08x}", {23, 1795420640}, "000000176b03f1e0"},
    {"CourierWithoutItsList", "UID%{uid}-%{uidvalidity}", {1, 1795420760}, "UID1-1795420760"},
    {"UwIpop3d", "%{uidvalidity:08x}%{uid:08x}", {255, 0x5f5e100}, "05f5e100000000ff"},
    {"OldDovecot", "%{uidvalidity}.%{uid}", {4294967295, 4294967295}, "4294967295.4294967295"},
    {"HMailServer", "%{uid}", {17, 1}, "17"},
    {"Gmail", "GmailId%{x_gm_msgid:x}", {1, 1, 0x14e6a3f2b1c0d9e8}, "GmailId14e6a3f2b1c0d9e8"},
    {"Openwave", "%{uidvalidity}-%{uid}", {9, 1000000000}, "1000000000-9"},
};

class MigrationTest : public ::testing::TestWithParam<Migration> {};

TEST_P(MigrationTest, GivesTheOldIds) {
  EXPECT_EQ(rendered(parsed(GetParam().uidl), GetParam().numbers, ""), GetParam().id);
}

INSTANTIATE_TEST_SUITE_P(Uidl, MigrationTest, ::testing::ValuesIn(kMigrations),
                         [](const auto& row) { return std::string(row.param.server); });

TEST(UidlTemplate, HasAPieceForEachPart) {
  const UidlTemplate uidl = parsed("a%%b%{uid:08x}%{uidvalidity:010}-%%%{x_gm_msgid:x}/%{header:X-UIDL}");
  const std::vector<UidlPiece> pieces = {{Source::text, "a%b", false, 0},      {Source::uid, "", true, 8},
                                         {Source::uidvalidity, "", false, 10}, {Source::text, "-%", false, 0},
                                         {Source::gm_msgid, "", true, 0},      {Source::text, "/", false, 0},
                                         {Source::header, "X-UIDL", false, 0}};
  EXPECT_EQ(uidl.pieces, pieces);
}

TEST(UidlTemplate, KeepsItsText) {
  for (const std::string_view text :
       {"%{uid}", "%{guid}", "%{email_id}-%%-%{uid:012x}", "%{header:Message-ID}"})
    EXPECT_EQ(parsed(text).text, text);
}

TEST(UidlTemplate, HasOneSpellingForAllThatMakeTheSameIds) {
  for (const std::string_view text : {"%{uid:x}", "%{uid:01x}"})
    EXPECT_EQ(canonical_text(parsed(text)), "%{uid:x}");
  for (const std::string_view text : {"%{header:X-UIDL}", "%{header:x-Uidl}"})
    EXPECT_EQ(canonical_text(parsed(text)), "%{header:x-uidl}");
  EXPECT_EQ(canonical_text(parsed("%{x_gm_msgid:01}")), "%{x_gm_msgid}");
}

TEST(UidlTemplate, IsTheSameReadFromItsOneSpelling) {
  for (const std::string_view text :
       {"a%%b%{uid:08x}%{uidvalidity:010}-%%%{x_gm_msgid:x}", "%%%%{uid}-%{uid:x}", "A%{guid}a",
        "%{email_id}", "%{header:x-uidl}", "%{uid:02}"}) {
    EXPECT_EQ(canonical_text(parsed(text)), text);
    EXPECT_EQ(parsed(canonical_text(parsed(text))).pieces, parsed(text).pieces);
  }
}

TEST(UidlTemplate, IsComputedWithoutStoredIds) {
  for (const std::string_view text : {"%{uid}", "a%{uid:08x}b%{uidvalidity}"})
    EXPECT_TRUE(parsed(text).is_computed()) << text;
  for (const std::string_view text :
       {"%{guid}", "%{email_id}", "%{x_gm_msgid}", "%{header:X-UIDL}", "%{uid}-%{guid}"})
    EXPECT_FALSE(parsed(text).is_computed()) << text;
}

/// A text and what is said about it.
struct Refusal {
  const char* name;
  std::string_view uidl;
  std::string_view message;
};

void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.name;
}

const std::vector<Refusal> kRefusals = {
    {"Nothing", "",
     "found '', which gives all messages the same id, expected %{uid}, %{guid}, %{email_id}, %{x_gm_msgid} "
     "or "
     "%{header:NAME} in it"},
    {"NothingThatDiffers", "x%{uidvalidity:08x}",
     "found 'x%{uidvalidity:08x}', which gives all messages the same id, expected %{uid}, %{guid}, "
     "%{email_id}, %{x_gm_msgid} or %{header:NAME} in it"},
    {"UnknownField", "%{udi}",
     "found '%{udi}', expected %{uid}, %{uidvalidity}, %{guid}, %{email_id}, %{x_gm_msgid}, %{header:NAME} "
     "or "
     "%%; did you mean 'uid'?"},
    {"CapitalField", "%{UID}",
     "found '%{UID}', expected %{uid}, %{uidvalidity}, %{guid}, %{email_id}, %{x_gm_msgid}, %{header:NAME} "
     "or "
     "%%; did you mean 'uid'?"},
    {"NoField", "a%{}b",
     "found '%{}', expected %{uid}, %{uidvalidity}, %{guid}, %{email_id}, %{x_gm_msgid}, %{header:NAME} or "
     "%%"},
    {"OpenField", "a-%{uid",
     "found '%{uid', expected %{uid}, %{uidvalidity}, %{guid}, %{email_id}, %{x_gm_msgid}, %{header:NAME} or "
     "%%"},
    {"LastPercent", "%{uid}%",
     "found '%', expected %{uid}, %{uidvalidity}, %{guid}, %{email_id}, %{x_gm_msgid}, %{header:NAME} or %%; "
     "Dovecot's '%08Xu%08Xv' is written '%{uid:08x}%{uidvalidity:08x}' here"},
    {"AsDovecotWritesIt", "%08Xu%08Xv",
     "found '%08Xu%08Xv', expected %{uid}, %{uidvalidity}, %{guid}, %{email_id}, %{x_gm_msgid}, "
     "%{header:NAME} or %%; Dovecot's '%08Xu%08Xv' is written '%{uid:08x}%{uidvalidity:08x}' here"},
    {"EmptyFormat", "%{uid:}", "found '%{uid:}', expected a format such as :x, :08x or :010"},
    {"CapitalFormat", "%{uid:08X}", "found '%{uid:08X}', expected a format such as :x, :08x or :010"},
    {"WidthWithSpaces", "%{uid:8x}", "found '%{uid:8x}', expected a format such as :x, :08x or :010"},
    {"WidthOfNothing", "%{uid:0x}", "found '%{uid:0x}', expected a format such as :x, :08x or :010"},
    {"WidthWithTwoZeros", "%{uid:008x}", "found '%{uid:008x}', expected a format such as :x, :08x or :010"},
    {"WidthBeyondAnyId", "%{uid:071}", "found '%{uid:071}', expected a format such as :x, :08x or :010"},
    {"HugeWidth", "%{uid:099999999999999999999}",
     "found '%{uid:099999999999999999999}', expected a format such as :x, :08x or :010"},
    {"FormatOfText", "%{guid:x}", "found '%{guid:x}', expected %{guid}, because it is no number"},
    {"HeaderWithoutName", "%{header}",
     "found '%{header}', expected %{header:NAME} with a name of 1 to 64 letters, digits, '-' and '_'"},
    {"HeaderWithSpace", "%{header:X UIDL}",
     "found '%{header:X UIDL}', expected %{header:NAME} with a name of 1 to 64 letters, digits, '-' and '_'"},
    {"HeaderThatEndsACommand", "%{header:X)}",
     "found '%{header:X)}', expected %{header:NAME} with a name of 1 to 64 letters, digits, '-' and '_'"},
    {"Space", "%{uid} x", "found ' x', expected ASCII without spaces and control characters"},
    {"Control", "%{uid}\x7f", "found '\\x7f', expected ASCII without spaces and control characters"},
    {"Letters", "n\xc3\xa9%{uid}", "found 'n\xc3\xa9', expected ASCII without spaces and control characters"},
    {"SideBySide", "%{uid}%{uidvalidity}",
     "found %{uid} and %{uidvalidity} without a mark where one ends, so that two messages could get one id, "
     "expected a character other than 0-9 and a-f between them or full width (:08x or :010)"},
    {"DigitBetween", "%{uid:x}0a%{uidvalidity:x}",
     "found %{uid:x} and %{uidvalidity:x} without a mark where one ends, so that two messages could get one "
     "id, expected a character other than 0-9 and a-f between them or full width (:08x or :010)"},
    {"NotFullWidth", "%{uidvalidity:09}%{uid:07x}",
     "found %{uidvalidity:09} and %{uid:07x} without a mark where one ends, so that two messages could get "
     "one id, expected a character other than 0-9 and a-f between them or full width (:08x or :010)"},
    {"StoredBesideNumber", "%{email_id}%{uid}",
     "found %{email_id} and %{uid} without a mark where one ends, so that two messages could get one id, "
     "expected a character other than 0-9 and a-f between them or full width (:08x or :010)"},
};

class RefusalTest : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, TellsWhy) {
  const auto uidl = parse_uidl_template(GetParam().uidl, 0);
  ASSERT_FALSE(uidl.has_value());
  EXPECT_EQ(uidl.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Uidl, RefusalTest, ::testing::ValuesIn(kRefusals),
                         [](const auto& row) { return std::string(row.param.name); });

struct Length {
  std::string uidl;
  std::size_t octets;  ///< of the longest id, without the prefix
};

const std::vector<Length> kLengths = {
    {"%{uid}" + std::string(60, 'a'), 70},
    {"%{uid:x}" + std::string(62, 'a'), 70},
    {"%{uid:060x}" + std::string(10, '%'), 65},  // five of them
    {"%{uid:070}", 70},
    {"%{uid:01}-%{uidvalidity:01x}" + std::string(51, 'a'), 70},
    {"%{x_gm_msgid}" + std::string(50, 'a'), 70},
    {"%{x_gm_msgid:x}" + std::string(54, 'a'), 70},
    {"%{guid}" + std::string(69, 'a'), 70},
    {"%{header:X-UIDL}" + std::string(69, 'a'), 70},
};

TEST(UidlTemplate, MayFillSeventyOctets) {
  for (const Length& row : kLengths) {
    const auto longest = rendered(parsed(row.uidl), {UINT32_MAX, UINT32_MAX, UINT64_MAX}, "s");
    EXPECT_EQ(longest.size(), row.octets) << row.uidl;
    const std::size_t room = kLongestUidl - row.octets;
    EXPECT_TRUE(parse_uidl_template(row.uidl, room).has_value()) << row.uidl;
    EXPECT_FALSE(parse_uidl_template(row.uidl, room + 1).has_value()) << row.uidl;
    EXPECT_FALSE(parse_uidl_template(row.uidl + std::string(room + 1, 'a'), 0).has_value()) << row.uidl;
  }
}

TEST(UidlTemplate, TellsHowLongItWouldBe) {
  const std::string text = "%{uid}" + std::string(61, 'a');
  EXPECT_EQ(parse_uidl_template(text, 0).error().message,
            "found '" + text + "', which makes ids of up to 71 octets, expected no more than 70");
  EXPECT_EQ(parse_uidl_template(text, kUidlFolderPrefix).error().message,
            "found '" + text +
                "', which makes ids of up to 80 octets, 9 of them before it for folders other than INBOX, "
                "expected no more than 70");
}

/// Whether two messages with different numbers get one id, looking at all pairs of some numbers.
bool collides(const UidlTemplate& uidl) {
  const std::set<std::uint32_t> numbers = {
      1,     2,        9,        0xa,        0xf,      10,         11,        12,   21,
      0x1a,  0xa1,     0xa0a,    0xaa,       111,      112,        211,       1111, 0x10a,
      0x100, 0xa0a0a1, 12345678, 0x12345678, 99999999, 1000000000, UINT32_MAX};
  std::map<std::string, int> ids;
  for (const std::uint32_t uid : numbers) {
    for (const std::uint32_t uidvalidity : numbers) ++ids[rendered(uidl, {uid, uidvalidity, 1}, "s")];
  }
  return ids.size() < numbers.size() * numbers.size();
}

TEST(UidlTemplate, NeverGivesOneIdToTwoMessages) {
  for (const std::string_view text :
       {"%{uid}.%{uidvalidity}", "%{uid:x}-%{uidvalidity}", "%{uid:x}g%{uidvalidity:x}",
        "%{uid}12a-34%{uidvalidity}", "%{uid:08x}%{uidvalidity}", "%{uid}%{uidvalidity:08x}",
        "%{uid:010}%{uidvalidity:x}", "%{uid}%{uid}-%{uidvalidity}", "%{uid}%{uidvalidity:010}-%{uid:x}",
        "0%{uid:09x}0%{uidvalidity:07x}", "%{uid}%{uidvalidity:08x}%{uid:x}"})
    EXPECT_FALSE(collides(parsed(text))) << text;
}

/// The refusal is not mere caution.
TEST(UidlTemplate, WouldGiveOneIdToTwoMessages) {
  const UidlPiece uid{Source::uid, "", false, 0};
  const UidlPiece validity{Source::uidvalidity, "", false, 0};
  const UidlPiece hex_uid{Source::uid, "", true, 0};
  const UidlPiece hex_validity{Source::uidvalidity, "", true, 0};
  const UidlPiece a{Source::text, "a", false, 0};
  for (const auto& pieces : std::vector<std::vector<UidlPiece>>{
           {uid, validity}, {validity, uid}, {hex_uid, validity}, {hex_uid, a, hex_validity}}) {
    const UidlTemplate uidl{"", pieces};
    EXPECT_TRUE(collides(uidl)) << written(uidl);
    EXPECT_FALSE(parse_uidl_template(written(uidl), 0).has_value()) << written(uidl);
  }
}

}  // namespace
}  // namespace postern::config
