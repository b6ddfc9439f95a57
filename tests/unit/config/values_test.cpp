#include "config/values.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

namespace postern::config {
namespace {

using std::chrono::milliseconds;

TEST(Values, ReadsDurationInEachUnit) {
  EXPECT_EQ(parse_duration("0ms"), milliseconds(0));
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("30s"), milliseconds(30'000));
  EXPECT_EQ(parse_duration("5m"), milliseconds(300'000));
  EXPECT_EQ(parse_duration("1h"), milliseconds(3'600'000));
  EXPECT_EQ(parse_duration("999999999999h"), milliseconds(999'999'999'999 * 3'600'000));
}

TEST(Values, RefusesWhatIsNoDuration) {
  for (const std::string_view text : {"", "5", "s", "ms", "-5s", "+5s", "05s", "00s", "1.5s", "1d", "5 s",
                                      " 5s", "5s ", "5S", "5sec", "1m30s", "1_000s", "9999999999999s", "\0s"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(Values, WritesDurationInLargestWholeUnit) {
  for (const std::string_view text : {"500ms", "1500ms", "1s", "90s", "10m", "24h"})
    EXPECT_EQ(format_duration(parse_duration(text).value()), text);
  EXPECT_EQ(format_duration(milliseconds(120'000)), "2m");
  EXPECT_EQ(format_duration(milliseconds(0)), "0s");
}

TEST(Values, ReadsSizeInEachUnit) {
  EXPECT_EQ(parse_size("0B"), Bytes{0});
  EXPECT_EQ(parse_size("70B"), Bytes{70});
  EXPECT_EQ(parse_size("512KiB"), Bytes{512} * 1024);
  EXPECT_EQ(parse_size("64MiB"), Bytes{64} * 1024 * 1024);
  EXPECT_EQ(parse_size("2GiB"), Bytes{2} * 1024 * 1024 * 1024);
  EXPECT_EQ(parse_size("8589934591GiB"), Bytes{8589934591} << 30);  // 2^63 less 1 GiB
}

TEST(Values, RefusesWhatIsNoSize) {
  for (const std::string_view text :
       {"", "64", "B", "MiB", "-1B", "+1B", "064MiB", "1.5GiB", "64MB", "64M", "64mib", "64 MiB", " 64MiB",
        "64MiB ", "1TiB", "1_0B", "8589934592GiB", "999999999999GiB", "1000000000000B"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(Values, WritesSizeInLargestWholeUnit) {
  for (const std::string_view text : {"70B", "1025B", "1KiB", "1536KiB", "1025MiB", "1024GiB"})
    EXPECT_EQ(format_size(parse_size(text).value()), text);
  EXPECT_EQ(format_size(Bytes{2048} << 20), "2GiB");
  EXPECT_EQ(format_size(0), "0B");
}

TEST(Values, ReadsDecimalCount) {
  EXPECT_EQ(parse_count("0"), 0);
  EXPECT_EQ(parse_count("10"), 10);
  EXPECT_EQ(parse_count("999999999999"), 999'999'999'999);
  for (const std::string_view text : {"", "-1", "+1", "0600", "00", "0x10", "1e3", "1.0", "1_000", " 1", "1 ",
                                      "1000000000000", "99999999999999999999999999"})
    EXPECT_EQ(parse_count(text), std::nullopt) << text;
}

TEST(Values, ReadsAddressWithPort) {
  EXPECT_EQ(parse_bind_address("192.0.2.1:995")->to_string(), "192.0.2.1:995");
  EXPECT_EQ(parse_bind_address("192.0.2.1:0")->to_string(), "192.0.2.1:0");
  EXPECT_EQ(parse_bind_address("[::]:110")->to_string(), "[::]:110");
  EXPECT_EQ(parse_bind_address("[2001:DB8:0::1]:65535")->to_string(), "[2001:db8::1]:65535");
  EXPECT_EQ(parse_bind_address("[::ffff:192.0.2.1]:1")->to_string(), "192.0.2.1:1");
}

TEST(Values, RefusesWhatIsNoAddressWithPort) {
  for (const std::string_view text :
       {"", ":", ":995", "995", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:0995",
        "192.0.2.300:995", "::1:995", "[::1]", "[::1]995", "[::1:995", "[192.0.2.1]:995", "localhost:995",
        "*:995", "[]:995", "[::1%lo]:995"})
    EXPECT_FALSE(parse_bind_address(text).has_value()) << text;
}

TEST(Values, KnowsNames) {
  EXPECT_TRUE(is_name("a"));
  EXPECT_TRUE(is_name("legacy-store_2"));
  EXPECT_TRUE(is_name(std::string(32, 'a')));
  EXPECT_FALSE(is_name(""));
  EXPECT_FALSE(is_name(std::string(33, 'a')));
  EXPECT_FALSE(is_name("Legacy"));
  EXPECT_FALSE(is_name("a.b"));
}

TEST(Values, KnowsHosts) {
  for (const std::string_view text : {"pop", "pop.example.net", "POP_1.Example.net", "3com.com", "192.0.2.1",
                                      "2001:db8::1", "::1", "xn--bcher-kva.example"})
    EXPECT_TRUE(is_host(text)) << text;
  for (const std::string_view text : {"", ".", "a..b", "a.", ".a", "-a.net", "a-.net", "192.0.2.300", "[::1]",
                                      "a b", "pop.example.net:995", "b\xc3\xbc.net"})
    EXPECT_FALSE(is_host(text)) << text;
  EXPECT_TRUE(is_host(std::string(63, 'a')));
  EXPECT_FALSE(is_host(std::string(64, 'a')));
  std::string longest;
  for (int i = 0; i < 126; ++i) longest += "a.";
  EXPECT_TRUE(is_host(longest + "a"));
  EXPECT_FALSE(is_host(longest + "aa"));
}

TEST(Values, TellsDomainFromAddress) {
  EXPECT_TRUE(is_domain("example.net"));
  EXPECT_FALSE(is_domain("192.0.2.1"));
  EXPECT_FALSE(is_domain("::1"));
  EXPECT_FALSE(is_domain("@example.net"));
}

TEST(Values, KnowsUsers) {
  EXPECT_TRUE(is_user("someone"));
  EXPECT_TRUE(is_user("j\xc3\xbcrgen@example.net"));
  EXPECT_TRUE(is_user(std::string(320, 'a')));
  EXPECT_FALSE(is_user(std::string(321, 'a')));
  EXPECT_FALSE(is_user(""));
  EXPECT_FALSE(is_user("some one"));
  EXPECT_FALSE(is_user("a\tb"));
  EXPECT_FALSE(is_user("a\x7f"));
}

TEST(Values, KnowsLines) {
  for (const std::string_view text : {"INBOX", "Lists/2024", " a b ", "Entw\xc3\xbcrfe", "\xe2\x82\xac",
                                      "\xc2\xa0", "\xf0\x9f\x93\xac", "100% & *"})
    EXPECT_TRUE(is_line(text)) << text;
  for (const std::string_view text : {"", "a\tb", "a\r\n", "\x7f", "\xc2\x80", "\xc2\x9f", "\xc3", "\xff",
                                      "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
    EXPECT_FALSE(is_line(text)) << text;
  EXPECT_FALSE(is_line(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_line(std::string(255, 'a')));
  EXPECT_FALSE(is_line(std::string(256, 'a')));
}

TEST(Values, KnowsSeparators) {
  for (const std::string_view text : {"+", "*", "%", "::", "+|+", "!$%&"})
    EXPECT_TRUE(is_separator(text)) << text;
  for (const std::string_view text :
       {"", "a", "0", "@", ".", "_", "-", "#", " ", "\"", "\\", "+a", "+++++", "\xc3\xbc"})
    EXPECT_FALSE(is_separator(text)) << text;
}

TEST(Values, KnowsSha256) {
  EXPECT_TRUE(is_sha256("0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789"));
  EXPECT_FALSE(is_sha256(std::string(63, 'a')));
  EXPECT_FALSE(is_sha256(std::string(65, 'a')));
  EXPECT_FALSE(is_sha256(std::string(63, 'a') + "g"));
}

TEST(Values, TellsNumbersFromText) {
  for (const std::string_view text :
       {"0", "12", "-1", "+1", "0600", "1.5", ".5", "5.", "1e3", "1E-3", "0x1F", "0o17"})
    EXPECT_TRUE(is_number(text)) << text;
  for (const std::string_view text : {"", "-", ".", "e3", "1e", "1e+", "0x", "0xg", "0o8", "1.2.3",
                                      "192.0.2.1", "30s", "1 2", "TLS1.2", "12:30"})
    EXPECT_FALSE(is_number(text)) << text;
}

TEST(Values, PutsEnvironmentIntoText) {
  ::setenv("POSTERN_TEST_A", "alpha", 1);
  ::setenv("POSTERN_TEST_EMPTY", "", 1);
  EXPECT_EQ(*expand_environment("plain"), "plain");
  EXPECT_EQ(*expand_environment("${env:POSTERN_TEST_A}"), "alpha");
  EXPECT_EQ(*expand_environment("<${env:POSTERN_TEST_A}|${env:POSTERN_TEST_A}>"), "<alpha|alpha>");
  EXPECT_EQ(*expand_environment("x${env:POSTERN_TEST_EMPTY}y$}{"), "xy$}{");
}

TEST(Values, DoesNotExpandWhatComesFromEnvironment) {
  ::setenv("POSTERN_TEST_NESTED", "${env:POSTERN_TEST_A}", 1);
  EXPECT_EQ(*expand_environment("${env:POSTERN_TEST_NESTED}"), "${env:POSTERN_TEST_A}");
}

TEST(Values, RefusesOtherVariables) {
  ::unsetenv("POSTERN_TEST_NONE");
  EXPECT_EQ(expand_environment("a${env:POSTERN_TEST_NONE}").error().message,
            "the environment variable 'POSTERN_TEST_NONE' is not set");
  for (const std::string_view text :
       {"${HOME}", "${env:}", "${env:1A}", "${env:A B}", "${env:HOME", "${", "${file:x}"})
    EXPECT_EQ(expand_environment(text).error().message,
              "found '" + std::string(text) + "', expected ${env:NAME}");
}

}  // namespace
}  // namespace postern::config
