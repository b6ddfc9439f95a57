// Unique-ids are for ever: what stands here may never change (protocol UIDL-1, 2, 3, VIEW-2).
#include "maildrop/translate/unique_id.hpp"

#include "unit/maildrop/snapshot_fixture.hpp"

namespace postern::maildrop {
namespace {

config::UidlTemplate form(const std::string& text) {
  return config::parse_uidl_template(text, config::kUidlFolderPrefix).value();
}

std::string computed(const std::string& text, std::uint32_t uidvalidity, std::uint32_t uid) {
  std::string id;
  append_unique_id(id, form(text), uidvalidity, uid);
  return id;
}

TEST(UniqueId, GoldenIdsOfEveryServerThatCanBeDerived) {
  struct Row {
    const char* server;
    const char* text;
    const char* small;
    const char* large;
  };
  const Row rows[] = {
      {"Dovecot", "%{uid:08x}%{uidvalidity:08x}", "000000016b03f1a0", "ffffffff6b03f1a0"},
      {"Cyrus, Dovecot 0.99", "%{uidvalidity}.%{uid}", "1795420576.1", "1795420576.4294967295"},
      {"Cyrus uidonly, hMailServer", "%{uid}", "1", "4294967295"},
      {"Courier (old), Critical Path", "%{uidvalidity}-%{uid}", "1795420576-1", "1795420576-4294967295"},
      {"UW ipop3d", "%{uidvalidity:08x}%{uid:08x}", "6b03f1a000000001", "6b03f1a0ffffffff"},
      {"with text", "UID%{uid:010}-%%%{uidvalidity:x}", "UID0000000001-%6b03f1a0", "UID4294967295-%6b03f1a0"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(computed(row.text, 0x6b03f1a0, 1), row.small) << row.server;
    EXPECT_EQ(computed(row.text, 0x6b03f1a0, UINT32_MAX), row.large) << row.server;
  }
  EXPECT_EQ(computed(config::Imap().uidl.text, 1795420640, 1), "000000016b03f1e0");
}

TEST(UniqueId, GoldenIdsOfWhatServersSay) {
  EXPECT_EQ(make_unique_id(form("GmailId%{x_gm_msgid:x}"), 1, 2, "1278455344230334865"),
            "GmailId11bdfc5cae0c8191");
  EXPECT_EQ(make_unique_id(form("%{email_id}"), 1, 2, "M6d99ac3275bb4e"), "M6d99ac3275bb4e");
  EXPECT_EQ(make_unique_id(form("%{guid}"), 1, 2, "1f2e3d"), "1f2e3d");
  EXPECT_EQ(make_unique_id(form("%{header:Message-ID}"), 1, 2, "<a@x>"), "<a@x>");
  EXPECT_EQ(make_unique_id(form("%{uid}.%{email_id}"), 1, 2, "M1"), "2.M1");
}

TEST(UniqueId, EveryPartHasAValueOfItsOwn) {
  EXPECT_EQ(make_unique_id(form("%{email_id}.%{header:X-A}"), 1, 2, "M1\nvalue\n"), "M1.value");
}

TEST(UniqueId, WithoutAValueItIsTheNumbers) {
  EXPECT_EQ(make_unique_id(form("%{header:Message-ID}"), 0x10, 2, ""), "0000000200000010");
  EXPECT_EQ(make_unique_id(form("%{header:Message-ID}"), 0x10, 2, "\n"), "0000000200000010");
  EXPECT_EQ(make_unique_id(form("%{email_id}.%{header:X-A}"), 0x10, 2, "M1\n\n"), "0000000200000010");
}

TEST(UniqueId, WhatCouldNotBeSentIsHashed) {
  const auto header = form("%{header:Message-ID}");
  EXPECT_EQ(make_unique_id(header, 1, 2, "two words"), "a03f1d611645eb53ad16c1af546ca079");
  const std::string longest(config::kLongestUidl - config::kUidlFolderPrefix, 'x');
  EXPECT_EQ(make_unique_id(header, 1, 2, longest), longest);
  for (const std::string& bad :
       {longest + "x", std::string("a\x7f"), std::string("a\tb"), std::string("\xc3\xa4")}) {
    const std::string id = make_unique_id(header, 1, 2, bad);
    EXPECT_EQ(id.size(), 32U);
    EXPECT_TRUE(is_unique_id(id));
    EXPECT_NE(id, make_unique_id(header, 1, 2, bad + "."));
  }
}

TEST(UniqueId, HasOneToSeventyPrintableCharacters) {
  EXPECT_FALSE(is_unique_id(""));
  EXPECT_TRUE(is_unique_id(std::string(70, '!')));
  EXPECT_FALSE(is_unique_id(std::string(71, '!')));
  EXPECT_TRUE(is_unique_id("~"));
  EXPECT_FALSE(is_unique_id("a b"));
  EXPECT_FALSE(is_unique_id("\x7f"));
  EXPECT_FALSE(is_unique_id("\x80"));
}

TEST(FolderPrefix, IsOfTheMailboxIdWhereThereIsOne) {
  EXPECT_EQ(folder_prefix("Junk", ""), "16d70c1c.");
  EXPECT_EQ(folder_prefix("Junk", "F2212ea87"), folder_prefix("Spam", "F2212ea87"));
  EXPECT_NE(folder_prefix("Junk", ""), folder_prefix("Spam", ""));
  EXPECT_EQ(folder_prefix("Junk", "").size(), config::kUidlFolderPrefix);
}

// From a mailbox

using UniqueIdTest = SnapshotTest;

TEST_F(UniqueIdTest, HeadersAsPeopleWriteThem) {
  use_template("%{header:Message-ID}");
  const std::string too_long(200, 'x');
  for (const std::string& field : std::initializer_list<std::string>{
           "Message-ID: <a@x>", "message-id:<b@x>", "Message-ID:\r\n <c@x>", "Message-ID:   <d@x>  ",
           "Subject: none", "Message-ID:", "Message-ID: two words", "Message-ID: " + too_long,
           "Message-IDs: <no>"}) {
    imap.deliver("From: x\r\n" + field + "\r\nTo: y\r\n\r\nMessage-ID: <body>\r\n");
  }
  ASSERT_EQ(open(), "");
  EXPECT_EQ(ids(),
            "1 <a@x>\r\n2 <b@x>\r\n3 <c@x>\r\n4 <d@x>\r\n5 0000000500000010\r\n6 0000000600000010\r\n"
            "7 a03f1d611645eb53ad16c1af546ca079\r\n8 " +
                digest(too_long) + "\r\n9 0000000900000010\r\n");
}

TEST_F(UniqueIdTest, DuplicatesAreToldApartAndTheOldestKeepsItsId) {
  use_template("%{header:Message-ID}");
  for (const char* id : {"M", "M", "M.4", "M", "M", "M.5.2"}) {
    imap.deliver(std::string("Message-ID: ") + id + "\r\n\r\n");
  }
  const std::string all = "1 M\r\n2 M.2\r\n3 M.4\r\n4 M.4.2\r\n5 M.5\r\n6 M.5.2\r\n";
  ASSERT_EQ(open(), "");
  EXPECT_EQ(ids(), all);
  imap.deliver("Message-ID: M\r\n\r\n");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(ids(), all + "7 M.7\r\n");
  imap.expunge(1);  // and nobody else gets it
  ASSERT_EQ(open(), "");
  EXPECT_THAT(ids(), testing::StartsWith("1 M.2\r\n2 M.4\r\n"));
}

TEST_F(UniqueIdTest, ObjectIdsThatAreMissingOrDouble) {
  imap.capabilities_after.push_back("OBJECTID");
  use_template("%{email_id}");
  for (const char* id : {"M1", "", "M1", "M2"}) imap.message(imap.deliver("x\r\n")).email_id = id;
  ASSERT_EQ(open(), "");
  EXPECT_EQ(ids(), "1 M1\r\n2 0000000200000010\r\n3 M1.3\r\n4 M2\r\n");
}

TEST_F(UniqueIdTest, TwoHeadersOfOneTemplateAreTwo) {
  use_template("%{header:X-A}/%{header:X-B}");
  imap.deliver("X-B: b\r\nX-A: a\r\n\r\n");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(ids(), "1 a/b\r\n");
}

TEST_F(UniqueIdTest, AnotherTemplateIsAnotherList) {
  use_template("%{header:Message-ID}");
  imap.deliver("Message-ID: M\r\nX-A: a\r\n\r\n");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(ids(), "1 M\r\n");
  use_template("%{header:X-A}");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(ids(), "1 a\r\n");
  use_template("%{uid}");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(ids(), "1 1\r\n");
}

}  // namespace
}  // namespace postern::maildrop
