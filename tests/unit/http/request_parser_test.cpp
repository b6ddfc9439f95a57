#include "http/request_parser.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

namespace postern::http {
namespace {

using namespace std::string_view_literals;

struct Row {
  const char* name;
  std::string_view octets;
  int status;
  std::string_view path = {};
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}
std::string name_of(const testing::TestParamInfo<Row>& info) {
  return info.param.name;
}

constexpr Row kServed[] = {
    {"Get", "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n", 200, "/metrics"},
    {"Head", "HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 200, "/healthz"},
    {"Http10WithoutHost", "GET / HTTP/1.0\r\n\r\n", 200, "/"},
    {"EmptyHost", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 200, "/"},
    {"HostInCapitals", "GET / HTTP/1.1\r\nHOST: h\r\n\r\n", 200, "/"},
    {"Query", "GET /metrics?name[]=up&x=/y HTTP/1.1\r\nHost: h\r\n\r\n", 200, "/metrics"},
    {"Fragment", "GET /metrics#part HTTP/1.1\r\nHost: h\r\n\r\n", 200, "/metrics"},
    {"AbsoluteForm", "GET http://h:9110/readyz?x HTTP/1.1\r\nHost: h:9110\r\n\r\n", 200, "/readyz"},
    {"AbsoluteFormWithoutPath", "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", 200, "/"},
    {"EscapesStay", "GET /%6detrics HTTP/1.1\r\nHost: h\r\n\r\n", 200, "/%6detrics"},
    {"DotsStay", "GET /a/../metrics HTTP/1.1\r\nHost: h\r\n\r\n", 200, "/a/../metrics"},
    {"LeadingEmptyLine", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 200, "/"},
    {"BareLineFeeds", "GET / HTTP/1.1\nHost: h\n\n", 200, "/"},
    {"NoBody", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 200, "/"},
    {"UpgradeOffered", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200, "/"},
    {"SecondRequestBehind", "GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 1\r\n\r\n",
     200, "/a"},
};

constexpr Row kRefused[] = {
    {"Post", "POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 405},
    {"Options", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 405},
    {"Connect", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 405},
    {"UnknownMethod", "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"MethodInSmallLetters", "get / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"Body", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 413},
    {"ChunkedBody", "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413},
    {"LengthAndChunks",
     "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"TwoLengths", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n", 400},
    {"NoNumber", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
    {"NoHost", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400},
    {"TwoHosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400},
    {"TwoHostsIn10", "GET / HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n", 400},
    {"Http09", "GET /metrics\r\n\r\n", 505},
    {"Http12", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
    {"Http20", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
    {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
    {"NoPath", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"ControlInPath", "GET /a\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"NulInPath", "GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n"sv, 400},
    {"DeleteInPath", "GET /a\x7f HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"TabInPath", "GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"NonAsciiInPath", "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"NonAsciiInQuery", "GET /?\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"NulInField", "GET / HTTP/1.1\r\nHost: h\r\nA: \0\r\n\r\n"sv, 400},
    {"SpaceInFieldName", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
    {"Pop3", "USER alice\r\nPASS secret\r\n", 400},
    {"TlsClientHello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv, 400},
};

/// Whole, octet by octet, and cut in two at every place: it makes no difference.
class EveryCut : public testing::TestWithParam<Row> {
 protected:
  static void expect(const Row& row, RequestParser& parser) {
    EXPECT_EQ(parser.status(), row.status);
    if (row.status == 200) {
      EXPECT_EQ(parser.path(), row.path);
    }
  }
};

TEST_P(EveryCut, GivesTheSame) {
  const Row& row = GetParam();
  for (std::size_t cut = 0; cut <= row.octets.size(); ++cut) {
    SCOPED_TRACE(cut);
    RequestParser parser;
    parser.feed(row.octets.substr(0, cut));
    parser.feed(row.octets.substr(cut));
    expect(row, parser);
  }
}

TEST_P(EveryCut, GivesTheSameOctetByOctet) {
  RequestParser parser;
  for (const char& octet : GetParam().octets) parser.feed({&octet, 1});
  expect(GetParam(), parser);
}

INSTANTIATE_TEST_SUITE_P(Served, EveryCut, testing::ValuesIn(kServed), name_of);
INSTANTIATE_TEST_SUITE_P(Refused, EveryCut, testing::ValuesIn(kRefused), name_of);

TEST(RequestParser, IsDoneWithTheHeadsLastOctet) {
  constexpr std::string_view kHead = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  RequestParser parser;
  parser.feed(kHead.substr(0, kHead.size() - 1));
  EXPECT_FALSE(parser.is_done());
  parser.feed(kHead.substr(kHead.size() - 1));
  EXPECT_TRUE(parser.is_done());
}

TEST(RequestParser, TellsTheMethod) {
  RequestParser get, head;
  get.feed("GET / HTTP/1.0\r\n\r\n");
  head.feed("HEAD / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(get.method(), "GET");
  EXPECT_FALSE(get.is_head());
  EXPECT_EQ(head.method(), "HEAD");
  EXPECT_TRUE(head.is_head());
}

TEST(RequestParser, KnowsHeadOfARefusedRequest) {
  RequestParser parser;
  parser.feed("HEAD / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(parser.status(), 400);
  EXPECT_TRUE(parser.is_head());
}

TEST(RequestParser, TakesNoGarbageForHead) {
  RequestParser parser;
  parser.feed("HEADLINES\r\n\r\n");
  EXPECT_EQ(parser.status(), 400);
  EXPECT_FALSE(parser.is_head());
}

/// A request whose head has exactly this many octets.
std::string head_of_size(std::size_t size) {
  const std::string before = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  const std::string after = "\r\n\r\n";
  return before + std::string(size - before.size() - after.size(), 'x') + after;
}

TEST(RequestParser, TakesTheLargestHead) {
  RequestParser parser;
  parser.feed(head_of_size(RequestParser::kMaxHead));
  EXPECT_EQ(parser.status(), 200);
}

TEST(RequestParser, RefusesALargerHead) {
  RequestParser parser;
  parser.feed(head_of_size(RequestParser::kMaxHead + 1));
  EXPECT_EQ(parser.status(), 431);
}

TEST(RequestParser, RefusesEndlessEmptyLines) {
  RequestParser parser;
  for (std::size_t i = 0; i < RequestParser::kMaxHead / 2; ++i) parser.feed("\r\n");
  EXPECT_EQ(parser.status(), 431);
}

TEST(RequestParser, CountsWhatStandsBehindTheHeadForNothing) {
  RequestParser parser;
  parser.feed("GET / HTTP/1.0\r\n\r\n" + std::string(2 * RequestParser::kMaxHead, 'x'));
  EXPECT_EQ(parser.status(), 200);
}

}  // namespace
}  // namespace postern::http
