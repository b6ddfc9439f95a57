// Which server it is (protocol table B), and what is done differently then.
#include "postern/backend/imap_quirks.hpp"

#include "unit/backend/imap_client_fixture.hpp"

namespace postern::backend {
namespace {

using config::ImapProfile;

TEST(DetectProfile, GreetingsTell) {
  const std::pair<const char*, ImapProfile> greetings[] = {
      {"Dovecot (Debian) ready.", ImapProfile::dovecot},
      {"server Cyrus IMAP 3.6.1-Debian-3.6.1-4 server ready", ImapProfile::cyrus},
      {"Courier-IMAP ready. Copyright 1998-2018 Double Precision, Inc.", ImapProfile::courier},
      {"The Microsoft Exchange IMAP4 service is ready. [TABP=]", ImapProfile::exchange},
      {"Gimap ready for requests from 192.0.2.1 abcdef", ImapProfile::gmail},
      {"IMAPrev1", ImapProfile::hmailserver},
      {"Yandex IMAP4rev1 at imap-1.mail.yandex.net:993 ready to talk", ImapProfile::yandex},
      {"IMAP4rev1 server ready", ImapProfile::standard},
      {"IMAP4rev2 ready", ImapProfile::standard},
      {"", ImapProfile::standard},
  };
  for (const auto& [greeting, profile] : greetings) {
    EXPECT_EQ(detect_profile(greeting, imap::Capabilities()), profile) << greeting;
  }
}

TEST(DetectProfile, GmailsExtensionTells) {
  EXPECT_EQ(detect_profile("ready", imap::parse_capabilities("IMAP4rev1 X-GM-EXT-1")), ImapProfile::gmail);
}

TEST(ImapQuirks, AreThoseOfTableB) {
  EXPECT_TRUE(quirks_of(ImapProfile::courier).uidnext_by_status);
  EXPECT_TRUE(quirks_of(ImapProfile::courier).gone_is_placeholder);
  EXPECT_FALSE(quirks_of(ImapProfile::courier).not_credentials.empty());
  for (const ImapProfile estimates : {ImapProfile::exchange, ImapProfile::hmailserver}) {
    EXPECT_TRUE(quirks_of(estimates).sizes_are_estimates);
    EXPECT_FALSE(quirks_of(estimates).partial);
  }
  for (const ImapProfile metered : {ImapProfile::exchange, ImapProfile::gmail}) {
    EXPECT_FALSE(quirks_of(metered).prefetch);
  }
  EXPECT_TRUE(quirks_of(ImapProfile::gmail).delete_moves);
  EXPECT_TRUE(quirks_of(ImapProfile::old).short_lines);
  EXPECT_TRUE(quirks_of(ImapProfile::old).one_at_a_time);
}

TEST(ImapQuirks, ThoseWhoDoWhatTheRfcsSayHaveNone) {
  for (const ImapProfile plain : {ImapProfile::standard, ImapProfile::dovecot, ImapProfile::cyrus}) {
    const ImapQuirks quirks = quirks_of(plain);
    EXPECT_FALSE(quirks.uidnext_by_status || quirks.gone_is_placeholder || quirks.short_lines ||
                 quirks.one_at_a_time || quirks.sizes_are_estimates || quirks.delete_moves);
    EXPECT_TRUE(quirks.partial && quirks.prefetch && quirks.not_credentials.empty());
  }
}

using ImapProfileTest = ImapClientTest;

TEST_F(ImapProfileTest, ModelsAreTakenForWhatTheyAre) {
  imap.like_courier();
  ASSERT_EQ(dial_and_log_in(), "");
  EXPECT_TRUE(client->quirks().uidnext_by_status);
  imap.like_exchange();
  forget();
  ASSERT_EQ(dial_and_log_in(), "");
  EXPECT_TRUE(client->quirks().sizes_are_estimates);
  imap.like_gmail();
  forget();
  ASSERT_EQ(dial_and_log_in(), "");
  EXPECT_TRUE(client->quirks().delete_moves);
}

TEST_F(ImapProfileTest, ConfigurationDecidesWhereItSaysSo) {
  settings.imap.profile = ImapProfile::old;
  imap.like_gmail();
  ASSERT_EQ(dial(), "");
  EXPECT_TRUE(client->quirks().short_lines);
  EXPECT_FALSE(client->quirks().delete_moves);
}

TEST_F(ImapProfileTest, IdNeverDecides) {
  settings.imap.announce_client = true;
  imap.greeting_text = "ready";
  imap.instead["ID"] = {
      step::send("* ID (\"name\" \"Gimap\" \"vendor\" \"Courier-IMAP\")\r\n$TAG OK done\r\n")};
  ASSERT_EQ(dial_and_log_in(), "");
  EXPECT_EQ(imap.count("ID"), 1U);
  EXPECT_FALSE(client->quirks().delete_moves || client->quirks().uidnext_by_status);
}

TEST_F(ImapProfileTest, CapabilitiesInTheGreetingAreNotItsText) {
  imap.capabilities.push_back("X-Dovecot-Gimap");
  imap.greeting_text = "Courier-IMAP ready.";
  ASSERT_EQ(dial(), "");
  EXPECT_TRUE(client->quirks().uidnext_by_status);
}

}  // namespace
}  // namespace postern::backend
