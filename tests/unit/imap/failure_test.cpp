#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "postern/imap/capabilities.hpp"
#include "postern/imap/failure.hpp"
#include "postern/imap/response_parser.hpp"

namespace postern::imap {
namespace {

using enum FailureKind;
using std::chrono::milliseconds;

const std::vector<std::string> kNotCredentials = {"Error in IMAP command", ""};

class Answer {
 public:
  explicit Answer(std::string_view line) : parser_(0) {
    const auto text = std::string(line) + "\r\n";
    EXPECT_EQ(parser_.parse(text).step, ResponseParser::Step::response) << line;
  }
  const Response& response() const { return parser_.response(); }

 private:
  ResponseParser parser_;
};

class Row {
 public:
  std::string_view line;
  FailureKind at_login;
  FailureKind at_select;
};

TEST(Failure, IsWhatCodeAndTextSay) {
  const Row rows[] = {
      {"A1 NO [AUTHENTICATIONFAILED] Authentication failed.", auth_refused, mailbox},
      {"A1 NO [AUTHORIZATIONFAILED] x", auth_refused, mailbox},
      {"A1 NO [EXPIRED] x", auth_refused, mailbox},
      {"A1 NO [UNAVAILABLE] x", auth_unavailable, auth_unavailable},
      {"A1 NO [SERVERBUG] x", auth_unavailable, mailbox},
      {"A1 NO [CORRUPTION] x", auth_unavailable, mailbox},
      {"A1 NO [CLIENTBUG] x", auth_unavailable, mailbox},
      {"A1 NO [OVERQUOTA] x", auth_unavailable, mailbox},
      {"A1 NO [INUSE] x", in_use, in_use},
      {"A1 NO [LIMIT] Maximum number of connections from user+IP exceeded", backend_limit, backend_limit},
      {"A1 NO [PRIVACYREQUIRED] x", backend_policy, backend_policy},
      {"A1 NO [CONTACTADMIN] x", backend_policy, backend_policy},
      {"A1 NO [NOPERM] x", backend_policy, backend_policy},
      {"A1 NO [REFERRAL imap://user@other/] x", backend_policy, backend_policy},
      {"A1 NO [NONEXISTENT] x", auth_refused, mailbox},
      {"A1 NO Login failed.", auth_refused, mailbox},
      {"A1 NO Login failed: authentication failure", auth_refused, mailbox},
      {"A1 NO", auth_refused, mailbox},
      {"A1 NO [ALERT] Your password is old", auth_refused, mailbox},
      {"A1 NO [X-NEW] x", auth_refused, mailbox},
      {"A1 NO error in imap command received by server.", auth_unavailable, mailbox},
      {"A1 NO [AUTHENTICATIONFAILED] Error in IMAP command", auth_refused, mailbox},
      {"A1 NO Mailbox does not exist", auth_refused, mailbox},
      {"A1 NO Too many simultaneous connections. [THROTTLED]", auth_unavailable, auth_unavailable},
      {"A1 BAD Error in IMAP command", backend_protocol, mailbox},
      {"A1 BAD [AUTHENTICATIONFAILED] x", backend_protocol, mailbox},
      {"A1 BAD User is authenticated but not connected.", backend_protocol, mailbox},
      {"A1 BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds", auth_unavailable,
       auth_unavailable},
  };
  for (const auto& row : rows) {
    const Answer answer(row.line);
    EXPECT_EQ(login_failure(answer.response(), kNotCredentials), row.at_login) << row.line;
    EXPECT_EQ(select_failure(answer.response()), row.at_select) << row.line;
  }
}

TEST(Failure, ReadsHowLongItIsThrottled) {
  const auto time = [](std::string_view line) { return throttled_for(Answer(line).response()); };
  EXPECT_EQ(time("A1 BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds"),
            milliseconds(299961));
  EXPECT_EQ(time("A1 NO request is throttled. suggested backoff time: 5 milliseconds"), milliseconds(5));
  EXPECT_EQ(time("A1 BAD Request is throttled. Suggested Backoff Time: soon"), milliseconds(0));
  EXPECT_EQ(time("A1 BAD Suggested Backoff Time: 999999999999999999 milliseconds"), std::chrono::hours(24));
  EXPECT_EQ(time("A1 BAD Request is throttled."), milliseconds(0));
  EXPECT_EQ(time("A1 NO Rate limit [THROTTLED]"), milliseconds(0));
  EXPECT_EQ(time("A1 NO Login failed."), std::nullopt);
  EXPECT_EQ(time("A1 OK Request is throttled."), std::nullopt);
}

TEST(Capabilities, AreReadFromTheirWords) {
  const auto dovecot = parse_capabilities(
      "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN AUTH=LOGIN UIDPLUS esearch "
      "CONDSTORE QRESYNC");
  Capabilities expected;
  expected.imap4rev1 = expected.sasl_ir = expected.id = expected.enable = expected.literal_plus = true;
  expected.auth_plain = expected.auth_login = expected.uidplus = expected.esearch = true;
  expected.condstore = expected.qresync = true;
  EXPECT_EQ(dovecot, expected);
  EXPECT_EQ(parse_capabilities(""), Capabilities());
}

TEST(Capabilities, ClaimNothingOfWhatImap4rev2Includes) {
  Capabilities expected;
  expected.imap4rev2 = true;
  EXPECT_EQ(parse_capabilities("IMAP4rev2"), expected);
}

TEST(Capabilities, TellWhichLiteralsMayGoUnasked) {
  EXPECT_EQ(parse_capabilities("IMAP4rev1").non_sync_literals(), NonSyncLiterals::none);
  EXPECT_EQ(parse_capabilities("LITERAL-").non_sync_literals(), NonSyncLiterals::small);
  EXPECT_EQ(parse_capabilities("LITERAL- LITERAL+").non_sync_literals(), NonSyncLiterals::all);
}

}  // namespace
}  // namespace postern::imap
