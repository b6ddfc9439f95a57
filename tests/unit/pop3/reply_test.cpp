#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "postern/pop3/reply.hpp"

namespace postern::pop3 {
namespace {

class Row {
 public:
  std::string_view line;
  Status status;
  std::string_view code;
  std::string_view text;
};

TEST(Reply, ParsesStatusCodeAndText) {
  const std::vector<Row> rows = {
      {"+OK", Status::ok, "", ""},
      {"+OK ", Status::ok, "", ""},
      {"+ok 2 320", Status::ok, "", "2 320"},
      {"-ERR", Status::err, "", ""},
      {"-err no such message", Status::err, "", "no such message"},
      {"-ERR [IN-USE] locked", Status::err, "IN-USE", "[IN-USE] locked"},
      {"-ERR [sys/temp]", Status::err, "sys/temp", "[sys/temp]"},
      {"-ERR [SYS/TEMP", Status::err, "", "[SYS/TEMP"},
      {"-ERR [] x", Status::err, "", "[] x"},
      {"-ERR x [AUTH]", Status::err, "", "x [AUTH]"},
      {"-ERR  [AUTH]", Status::err, "", " [AUTH]"},
      {"+OK [XCLIENT] ready", Status::ok, "XCLIENT", "[XCLIENT] ready"},
      {"+", Status::challenge, "", ""},
      {"+ ", Status::challenge, "", ""},
      {"+ VXNlcm5hbWU6", Status::challenge, "", "VXNlcm5hbWU6"},
      {"+ OK", Status::challenge, "", "OK"},
      {"+ [x] y", Status::challenge, "", "[x] y"},
  };
  for (const auto& row : rows) {
    const auto reply = parse_reply(row.line);
    ASSERT_TRUE(reply.has_value()) << row.line;
    EXPECT_EQ(reply->status, row.status) << row.line;
    EXPECT_EQ(reply->code, row.code) << row.line;
    EXPECT_EQ(reply->text, row.text) << row.line;
  }
}

TEST(Reply, RefusesOtherLines) {
  for (const std::string_view line : {"", " +OK", "OK", "ERR", "+OKAY", "+OK\tx", "-ERROR", "-ERR: x", "+foo",
                                      "-", ".", "* OK ready", "220 smtp", "\x16\x03\x01"}) {
    EXPECT_FALSE(parse_reply(line).has_value()) << testing::PrintToString(line);
  }
}

class FailureCase {
 public:
  std::string_view line;
  FailureKind with_codes;
  FailureKind without_codes;
};

void expect_failures(const std::vector<FailureCase>& rows) {
  for (const auto& row : rows) {
    const auto reply = parse_reply(row.line);
    ASSERT_TRUE(reply.has_value()) << row.line;
    EXPECT_EQ(label(login_failure(*reply, true)), label(row.with_codes)) << row.line;
    EXPECT_EQ(label(login_failure(*reply, false)), label(row.without_codes)) << row.line;
  }
}

TEST(LoginFailure, BelievesCodesOfServersThatAnnounceThem) {
  using enum FailureKind;
  expect_failures({
      {"-ERR [AUTH] no", auth_refused, auth_refused},
      {"-ERR [auth] account locked", auth_refused, in_use},
      {"-ERR [IN-USE] no", in_use, auth_refused},
      {"-ERR [LOGIN-DELAY] no", login_delay, auth_refused},
      {"-ERR [SYS/TEMP] no", auth_unavailable, auth_refused},
      {"-ERR [SYS/PERM] no", backend_policy, auth_refused},
      {"-ERR [SYS/TEMP] mailbox locked", auth_unavailable, in_use},
  });
}

TEST(LoginFailure, TakesUnknownCodesBelowKnownOnesForThese) {
  using enum FailureKind;
  expect_failures({
      {"-ERR [SYS/TEMP/DISK] no", auth_unavailable, auth_refused},
      {"-ERR [SYS/PERM/QUOTA] no", backend_policy, auth_refused},
      {"-ERR [SYS/PERMANENT] no", auth_unavailable, auth_refused},
      {"-ERR [SYS] no", auth_unavailable, auth_refused},
      {"-ERR [SYS/] no", auth_unavailable, auth_refused},
      {"-ERR [AUTH/EXPIRED] no", auth_refused, auth_refused},
      {"-ERR [IN-USE/SELF] no", in_use, auth_refused},
      {"-ERR [SYSTEM] no", auth_refused, auth_refused},
  });
}

TEST(LoginFailure, ReadsTextWithoutKnownCode) {
  using enum FailureKind;
  expect_failures({
      {"-ERR", auth_refused, auth_refused},
      {"-ERR Your mailbox is already locked", in_use, in_use},
      {"-ERR maildrop In Use", in_use, in_use},
      {"-ERR BUSY", in_use, in_use},
      {"-ERR opened by another session", in_use, in_use},
      {"-ERR Unable to open maildrop", auth_unavailable, auth_unavailable},
      {"-ERR internal error", auth_unavailable, auth_unavailable},
      {"-ERR Temporary failure", auth_unavailable, auth_unavailable},
      {"-ERR mailbox locked temporarily, try again", in_use, in_use},
      {"-ERR please try again later", auth_unavailable, auth_unavailable},
      {"-ERR invalid user name or password", auth_refused, auth_refused},
      {"-ERR [REFERRAL/pop://x/] elsewhere", auth_refused, auth_refused},
      {"-ERR [X] internal error", auth_unavailable, auth_unavailable},
      {"-ERR [SYS/TEMP no bracket", auth_refused, auth_refused},
  });
}

TEST(AnnouncedOctets, ReadsNumberBeforeItsUnit) {
  const auto octets = [](std::string_view line) { return announced_octets(*parse_reply(line)); };
  EXPECT_EQ(octets("+OK 120 octets"), 120U);
  EXPECT_EQ(octets("+OK 0 Octets follow."), 0U);
  EXPECT_EQ(octets("+OK 1 octet"), 1U);
  EXPECT_EQ(octets("+OK 4294967296 bytes"), 4294967296U);
}

TEST(AnnouncedOctets, ReadsNothingElse) {
  for (const std::string_view line : {"+OK", "+OK Message follows", "+OK 120", "+OK 2 320", "+OK -1 octets",
                                      "+OK 1a octets", "+OK octets 120", "+OK 99999999999999999999 octets",
                                      "-ERR 120 octets", "+ 120 octets", "+OK (120 octets)"}) {
    EXPECT_EQ(announced_octets(*parse_reply(line)), std::nullopt) << line;
  }
}

}  // namespace
}  // namespace postern::pop3
