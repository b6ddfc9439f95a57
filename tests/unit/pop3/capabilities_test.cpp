#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "postern/pop3/reply.hpp"

namespace postern::pop3 {
namespace {

/// The names of what the lines announce, in the order of the members.
std::string announced(const std::vector<std::string_view>& lines) {
  CapabilityParser parser;
  for (const auto line : lines) parser.line(line);
  const auto& result = parser.result();
  std::string names;
  if (result.top) names += "top ";
  if (result.uidl) names += "uidl ";
  if (result.user) names += "user ";
  if (result.pipelining) names += "pipelining ";
  if (result.resp_codes) names += "resp_codes ";
  if (result.auth_resp_code) names += "auth_resp_code ";
  if (result.stls) names += "stls ";
  if (result.sasl_plain) names += "sasl_plain ";
  return names;
}

TEST(Capabilities, BeginWithNothing) {
  EXPECT_EQ(announced({}), "");
}

TEST(Capabilities, AreEachReadFromTheirLine) {
  EXPECT_EQ(announced({"TOP"}), "top ");
  EXPECT_EQ(announced({"UIDL"}), "uidl ");
  EXPECT_EQ(announced({"USER"}), "user ");
  EXPECT_EQ(announced({"PIPELINING"}), "pipelining ");
  EXPECT_EQ(announced({"RESP-CODES"}), "resp_codes ");
  EXPECT_EQ(announced({"AUTH-RESP-CODE"}), "auth_resp_code ");
  EXPECT_EQ(announced({"STLS"}), "stls ");
  EXPECT_EQ(announced({"SASL PLAIN"}), "sasl_plain ");
}

TEST(Capabilities, AreReadOfAWholeAnswer) {
  EXPECT_EQ(announced({"CAPA", "TOP", "UIDL", "RESP-CODES", "PIPELINING", "AUTH-RESP-CODE", "STLS", "USER",
                       "SASL PLAIN LOGIN", "IMPLEMENTATION x"}),
            "top uidl user pipelining resp_codes auth_resp_code stls sasl_plain ");
}

TEST(Capabilities, AreReadInAnyCaseAndWithSpaces) {
  EXPECT_EQ(announced({"top ", "Sasl  LOGIN  Plain "}), "top sasl_plain ");
}

TEST(Capabilities, FindPlainInAnyOfSeveralSaslLines) {
  EXPECT_EQ(announced({"SASL PLAIN", "SASL CRAM-MD5"}), "sasl_plain ");
  EXPECT_EQ(announced({"SASL"}), "");
  EXPECT_EQ(announced({"SASL SCRAM-SHA-1-PLAIN PLAINTEXT"}), "");
}

TEST(Capabilities, AreNotReadOutOfOtherLines) {
  EXPECT_EQ(
      announced({"", ".TOP", "TOPS", "UTF8 USER", "IMPLEMENTATION STLS", "LOGIN-DELAY 60 USER", "X-TOP"}),
      "");
}

TEST(Capabilities, OfUnknownServersAreThoseThatEveryServerHas) {
  const Capabilities unknown;
  EXPECT_TRUE(unknown.top && unknown.uidl && unknown.user);
  EXPECT_FALSE(unknown.pipelining || unknown.resp_codes || unknown.auth_resp_code || unknown.stls);
  EXPECT_FALSE(unknown.sasl_plain);
}

}  // namespace
}  // namespace postern::pop3
