#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include "postern/sasl/sasl.hpp"

namespace postern::sasl {
namespace {

class Pair {
 public:
  std::string_view octets;
  std::string_view text;
};

// RFC 4648 §10, and what has the two last letters of the alphabet.
constexpr Pair kPairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/"},
    {std::string_view("\0\0\0", 3), "AAAA"},
    {"Username:", "VXNlcm5hbWU6"},
    {"Password:", "UGFzc3dvcmQ6"},
};

TEST(Base64, EncodesKnownValues) {
  for (const auto& pair : kPairs) EXPECT_EQ(encode_base64(pair.octets).view(), pair.text);
}

TEST(Base64, DecodesKnownValues) {
  for (const auto& pair : kPairs) {
    const auto decoded = decode_base64(pair.text);
    ASSERT_TRUE(decoded.has_value()) << pair.text;
    EXPECT_EQ(decoded->view(), pair.octets);
  }
}

TEST(Base64, RefusesMissingSurplusAndMisplacedPadding) {
  for (const std::string_view text : {"Zg", "Zg=", "Zm8", "Zm9v=", "Zm9v====", "Z===", "====", "=",
                                      "==", "=AAA", "Zg==Zg==", "Zm=v", "Z=9v", "Zm8=Zm8=", "A"}) {
    EXPECT_FALSE(decode_base64(text).has_value()) << text;
  }
}

TEST(Base64, RefusesBitsLeftOver) {
  for (const std::string_view text : {"Zh==", "Zm9=", "Zv==", "Zm+=", "AB==", "AAB="}) {
    EXPECT_FALSE(decode_base64(text).has_value()) << text;
  }
}

TEST(Base64, RefusesOctetsOutsideTheAlphabet) {
  for (const std::string_view text : {"Zm9v\r\n\r\n", " m9v", "Zm 9", "Zm9\n", "Zm9-", "Zm9_", "AHUA!!!!",
                                      "*AAA", "Zm9\xe9", "Zm9,", "@AAA", "[AAA", "`AAA", "{AAA", ":AAA"}) {
    EXPECT_FALSE(decode_base64(text).has_value()) << testing::PrintToString(text);
  }
  EXPECT_FALSE(decode_base64(std::string_view("Zm9\0", 4)).has_value());
}

TEST(Base64, DecodesWhatItEncoded) {
  std::mt19937 generator(7);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string octets(size, '\0');
    for (auto& octet : octets) octet = static_cast<char>(generator() & 0xff);
    const auto decoded = decode_base64(encode_base64(octets).view());
    ASSERT_TRUE(decoded.has_value()) << size;
    EXPECT_EQ(decoded->view(), octets);
  }
}

TEST(Base64, AcceptsExactlyOneTextForAValue) {
  constexpr std::string_view kLetters =
      "AQgw8=";  // values that leave bits over and values that do not, and padding
  for (std::size_t n = 0; n < 6 * 6 * 6 * 6; ++n) {
    std::string text;
    for (std::size_t rest = n, i = 0; i < 4; ++i, rest /= 6) text += kLetters[rest % 6];
    const auto decoded = decode_base64(text);
    if (!decoded) continue;
    EXPECT_EQ(encode_base64(decoded->view()).view(), text);
  }
}

}  // namespace
}  // namespace postern::sasl
