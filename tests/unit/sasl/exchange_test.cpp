#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "postern/sasl/sasl.hpp"

namespace postern::sasl {
namespace {

using Step = Exchange::Step;
using namespace std::string_literals;

std::string base64(std::string_view octets) {
  return std::string(encode_base64(octets).view());
}

Step plain(std::string_view message) {
  return Exchange(Mechanism::plain).begin(base64(message));
}

/// LOGIN with two lines; the step behind the second.
Step login(std::string_view user, std::string_view password) {
  Exchange exchange(Mechanism::login);
  exchange.begin(std::nullopt);
  EXPECT_EQ(exchange.feed(base64(user)), Step::challenge);
  return exchange.feed(base64(password));
}

TEST(Mechanisms, AreFoundInAnyCase) {
  EXPECT_EQ(find_mechanism("PLAIN"), Mechanism::plain);
  EXPECT_EQ(find_mechanism("login"), Mechanism::login);
  EXPECT_EQ(name(Mechanism::plain), "PLAIN");
  EXPECT_EQ(name(Mechanism::login), "LOGIN");
}

TEST(Mechanisms, UnknownOnesAreNotFound) {
  for (const std::string_view text : {"", "PLAI", "PLAINS", "CRAM-MD5", "NTLM", "PLAIN ", "XOAUTH2"}) {
    EXPECT_EQ(find_mechanism(text), std::nullopt) << text;
  }
}

// The examples of RFC 4616 §4.
TEST(Plain, TakesUserAndPassword) {
  Exchange exchange(Mechanism::plain);
  ASSERT_EQ(exchange.begin(base64("\0tim\0tanstaaftanstaaf"s)), Step::done);
  const auto credentials = exchange.take_credentials();
  EXPECT_EQ(credentials.user, "tim");
  EXPECT_EQ(credentials.password.view(), "tanstaaftanstaaf");
}

TEST(Plain, RefusesToActForAnotherUser) {
  EXPECT_EQ(plain("Ursel\0Kurt\0xipj3plmq"s), Step::refused);
  EXPECT_EQ(plain("tim \0tim\0p"s), Step::refused);
  EXPECT_EQ(plain("Tim\0tim\0p"s), Step::refused);
}

TEST(Plain, ActsForTheUserHimself) {
  Exchange exchange(Mechanism::plain);
  ASSERT_EQ(exchange.begin(base64("tim\0tim\0p"s)), Step::done);
  EXPECT_EQ(exchange.take_credentials().user, "tim");
}

TEST(Plain, AsksWithEmptyChallengeWithoutInitialResponse) {
  Exchange exchange(Mechanism::plain);
  ASSERT_EQ(exchange.begin(std::nullopt), Step::challenge);
  EXPECT_EQ(exchange.challenge(), "");
  ASSERT_EQ(exchange.feed(base64("\0u\0p"s)), Step::done);
  EXPECT_EQ(exchange.take_credentials().password.view(), "p");
}

TEST(Plain, TakesPasswordsOfAnyText) {
  for (const auto& password :
       {""s, "\""s, "\\"s, "{5+}"s, "a b "s, "\xc3\xa9"s, "\xe9"s, "\t\x01"s, std::string(1000, 'x')}) {
    Exchange exchange(Mechanism::plain);
    ASSERT_EQ(exchange.begin(base64("\0u\0"s + password)), Step::done) << testing::PrintToString(password);
    EXPECT_EQ(exchange.take_credentials().password.view(), password);
  }
}

TEST(Plain, WantsExactlyTwoNuls) {
  for (const auto& message : {""s, "u"s, "\0"s, "u\0p"s, "\0u\0p\0"s, "\0u\0p\0q"s, "\0\0\0"s}) {
    EXPECT_EQ(plain(message), Step::malformed) << testing::PrintToString(message);
  }
}

TEST(Plain, WantsBase64) {
  for (const std::string_view initial :
       {"=AAA", "AHUA!!", "AHUAcA", "AHUAcA=", "AHUAcB==", "*", "==", "AHUAcA==x", "x y"}) {
    EXPECT_EQ(Exchange(Mechanism::plain).begin(initial), Step::malformed) << initial;
  }
}

TEST(Plain, TakesEqualSignForEmptyInitialResponse) {
  EXPECT_EQ(Exchange(Mechanism::plain).begin("="), Step::malformed);
  Exchange continued(Mechanism::plain);
  continued.begin(std::nullopt);
  EXPECT_EQ(continued.feed("="), Step::malformed);
}

TEST(Plain, RefusesWhatCouldBecomeACommand) {
  EXPECT_EQ(plain("\0u\0p\r\nA1 DELETE INBOX"s), Step::refused);
  EXPECT_EQ(plain("\0u\0p\r"s), Step::refused);
  EXPECT_EQ(plain("\0u\0p\n"s), Step::refused);
  EXPECT_EQ(plain("\0u\r\nDELE 1\0p"s), Step::refused);
  EXPECT_EQ(plain("\0u\t\0p"s), Step::refused);
  EXPECT_EQ(plain("\0\0p"s), Step::refused);
}

TEST(Plain, RefusesWhatIsTooLong) {
  const std::string user(kMaxUser, 'u');
  const std::string password(kMaxPassword, 'p');
  EXPECT_EQ(plain("\0"s + user + "\0"s + password), Step::done);
  EXPECT_EQ(plain("\0"s + user + "u\0"s + password), Step::refused);
  EXPECT_EQ(plain("\0"s + user + "\0"s + password + "p"), Step::refused);
}

TEST(Login, AsksForUserAndPassword) {
  Exchange exchange(Mechanism::login);
  ASSERT_EQ(exchange.begin(std::nullopt), Step::challenge);
  EXPECT_EQ(exchange.challenge(), "VXNlcm5hbWU6");
  ASSERT_EQ(exchange.feed(base64("tim")), Step::challenge);
  EXPECT_EQ(exchange.challenge(), "UGFzc3dvcmQ6");
  ASSERT_EQ(exchange.feed(base64("secret")), Step::done);
  const auto credentials = exchange.take_credentials();
  EXPECT_EQ(credentials.user, "tim");
  EXPECT_EQ(credentials.password.view(), "secret");
}

TEST(Login, TakesInitialResponseForUserName) {
  Exchange exchange(Mechanism::login);
  ASSERT_EQ(exchange.begin(base64("tim")), Step::challenge);
  EXPECT_EQ(exchange.challenge(), "UGFzc3dvcmQ6");
  ASSERT_EQ(exchange.feed(base64("secret")), Step::done);
  EXPECT_EQ(exchange.take_credentials().user, "tim");
}

TEST(Login, TakesEmptyLineForEmptyValue) {
  Exchange exchange(Mechanism::login);
  exchange.begin(base64("tim"));
  ASSERT_EQ(exchange.feed(""), Step::done);
  EXPECT_TRUE(exchange.take_credentials().password.empty());
}

TEST(Login, RefusesEmptyUserOnlyBehindThePassword) {
  EXPECT_EQ(login("", "p"), Step::refused);
  Exchange exchange(Mechanism::login);
  EXPECT_EQ(exchange.begin("="), Step::challenge);
  EXPECT_EQ(exchange.feed(base64("p")), Step::refused);
}

TEST(Login, RefusesControlOctetsAndWhatIsTooLong) {
  EXPECT_EQ(login("u\0v"s, "p"), Step::refused);
  EXPECT_EQ(login("u\r\n", "p"), Step::refused);
  EXPECT_EQ(login("u", "p\0q"s), Step::refused);
  EXPECT_EQ(login("u", "p\r\nQUIT"), Step::refused);
  EXPECT_EQ(login(std::string(kMaxUser + 1, 'u'), "p"), Step::refused);
  EXPECT_EQ(login("u", std::string(kMaxPassword + 1, 'p')), Step::refused);
}

TEST(Login, WantsBase64InBothSteps) {
  EXPECT_EQ(Exchange(Mechanism::login).begin("tim!"), Step::malformed);
  Exchange exchange(Mechanism::login);
  exchange.begin(base64("tim"));
  EXPECT_EQ(exchange.feed("c2VjcmV0="), Step::malformed);
}

TEST(Exchange, IsCancelledByStarAtEveryStep) {
  Exchange first(Mechanism::plain);
  first.begin(std::nullopt);
  EXPECT_EQ(first.feed("*"), Step::cancelled);
  Exchange second(Mechanism::login);
  second.begin(std::nullopt);
  EXPECT_EQ(second.feed("*"), Step::cancelled);
  Exchange third(Mechanism::login);
  third.begin(base64("tim"));
  EXPECT_EQ(third.feed("*"), Step::cancelled);
}

TEST(Exchange, TakesStarForGarbageAsInitialResponse) {
  EXPECT_EQ(Exchange(Mechanism::plain).begin("*"), Step::malformed);
  EXPECT_EQ(Exchange(Mechanism::login).begin("*"), Step::malformed);
}

TEST(Acceptable, AreUsersWithoutControlOctets) {
  EXPECT_TRUE(is_acceptable("u", ""));
  EXPECT_TRUE(is_acceptable("j\xc3\xb6rg m@example.org", "p"));
  for (int octet = 0; octet < 0x20; ++octet) {
    EXPECT_FALSE(is_acceptable("u"s + static_cast<char>(octet), "p")) << octet;
  }
  EXPECT_FALSE(is_acceptable("u\x7f", "p"));
  EXPECT_FALSE(is_acceptable("", "p"));
}

TEST(Acceptable, ArePasswordsWithoutLineEndsAndNul) {
  EXPECT_TRUE(is_acceptable("u", "\x01\t\x1b\x7f\xff "));
  EXPECT_FALSE(is_acceptable("u", "a\0b"s));
  EXPECT_FALSE(is_acceptable("u", "a\rb"));
  EXPECT_FALSE(is_acceptable("u", "a\n"));
}

TEST(PlainInitialResponse, IsWhatPlainTakes) {
  EXPECT_EQ(plain_initial_response("tim", "tanstaaftanstaaf").view(), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
  Exchange exchange(Mechanism::plain);
  ASSERT_EQ(exchange.begin(plain_initial_response("u ser", "p w ").view()), Step::done);
  const auto credentials = exchange.take_credentials();
  EXPECT_EQ(credentials.user, "u ser");
  EXPECT_EQ(credentials.password.view(), "p w ");
}

}  // namespace
}  // namespace postern::sasl
