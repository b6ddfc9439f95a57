#include "postern/http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/units.hpp"
#include "postern/net/stream.hpp"
#include "unit/http/exchange.hpp"

namespace postern::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using test::Ending;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kGet = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 6\r\n"
    "Connection: close\r\n"
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "\r\n"
    "hello\n";

class Server : public testing::Test {
 protected:
  Server() { exchange_.begin(); }

  Response handle(const Request& request) {
    requests_.push_back(request);
    return response_;
  }

  std::vector<Request> requests_;
  Response response_{200, "text/plain", "hello\n"};
  Exchange exchange_{[this](const Request& request) { return handle(request); }};
};

TEST_F(Server, AnswersARequest) {
  exchange_.send(kGet);
  EXPECT_EQ(exchange_.sent(), kAnswer);
}

TEST_F(Server, HandsMethodPathAndPeerToTheHandler) {
  exchange_.send(kGet);
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_EQ(requests_[0].method(), "GET");
  EXPECT_EQ(requests_[0].path(), "/a");
  EXPECT_EQ(requests_[0].peer().to_string(), "192.0.2.7:40000");
}

TEST_F(Server, EndsAfterTheAnswerWhenTheClientDoes) {
  exchange_.send(kGet);
  EXPECT_EQ(exchange_.ending(), Ending::eof);
  EXPECT_FALSE(exchange_.is_over());
  exchange_.finish();
  EXPECT_TRUE(exchange_.is_over());
}

TEST_F(Server, DoesNotWaitLongForTheClientToEnd) {
  exchange_.send(kGet);
  exchange_.pass(2s);
  EXPECT_TRUE(exchange_.is_over());
}

TEST_F(Server, AnswersAClientThatEndedItsSideAfterTheRequest) {
  exchange_.send(kGet);
  exchange_.finish();
  EXPECT_EQ(exchange_.sent(), kAnswer);
  EXPECT_TRUE(exchange_.is_over());
}

TEST(ServerOfPieces, AnswersARequestCutAtAnyOctet) {
  for (std::size_t cut = 1; cut < kGet.size(); ++cut) {
    SCOPED_TRACE(cut);
    Exchange exchange([](const Request&) { return Response(200, "text/plain", "hello\n"); });
    exchange.begin();
    exchange.send(kGet.substr(0, cut));
    EXPECT_THAT(exchange.sent(), IsEmpty());
    exchange.send(kGet.substr(cut));
    EXPECT_EQ(exchange.sent(), kAnswer);
  }
}

TEST_F(Server, IgnoresASecondRequest) {
  exchange_.send(std::string(kGet) + std::string(kGet));
  exchange_.send(kGet);
  EXPECT_EQ(exchange_.sent(), kAnswer);
  EXPECT_EQ(requests_.size(), 1U);
  EXPECT_EQ(exchange_.ending(), Ending::eof);  // unread input would make it a reset
}

TEST_F(Server, AnswersHeadWithTheLengthAlone) {
  exchange_.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(exchange_.sent(), kAnswer.substr(0, kAnswer.find("hello")));
}

TEST_F(Server, PassesTheHandlersStatusOn) {
  response_ = Response(503, "text/plain", "draining\n");
  exchange_.send(kGet);
  EXPECT_THAT(exchange_.sent(), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(exchange_.sent(), EndsWith("\r\n\r\ndraining\n"));
}

TEST_F(Server, SaysWhatIsAllowedInsteadOfPost) {
  exchange_.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_THAT(exchange_.sent(), StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(exchange_.sent(), HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(exchange_.sent(), EndsWith("\r\n\r\nMethod Not Allowed\n"));
  EXPECT_EQ(exchange_.ending(), Ending::eof);
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(Server, RefusesABodyWithoutReadingIt) {
  exchange_.send("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(exchange_.sent(), StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(Server, RefusesAnEndlessHead) {
  exchange_.send("GET / HTTP/1.1\r\nHost: h\r\nX: ");
  exchange_.send(std::string(4096, 'x'));
  EXPECT_THAT(exchange_.sent(), IsEmpty());
  exchange_.send(std::string(8192, 'x'));
  EXPECT_THAT(exchange_.sent(), StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
  EXPECT_EQ(exchange_.ending(), Ending::eof);
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(Server, RefusesATlsClientAtItsFirstOctets) {
  exchange_.send("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv);
  EXPECT_THAT(exchange_.sent(), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_EQ(exchange_.ending(), Ending::eof);
}

TEST_F(Server, RefusesHeadWithoutABody) {
  exchange_.send("HEAD / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(exchange_.sent(), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(exchange_.sent(), EndsWith("\r\n\r\n"));
}

TEST_F(Server, SaysNothingToAClientThatAsksNothing) {
  exchange_.finish();
  EXPECT_TRUE(exchange_.is_over());
  EXPECT_THAT(exchange_.sent(), IsEmpty());
}

TEST_F(Server, SaysNothingToHalfARequest) {
  exchange_.send("GET / HTTP/1.1\r\n");
  exchange_.finish();
  EXPECT_TRUE(exchange_.is_over());
  EXPECT_THAT(exchange_.sent(), IsEmpty());
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(Server, EndsWhenTheClientResets) {
  exchange_.send("GET / ");
  exchange_.reset();
  EXPECT_TRUE(exchange_.is_over());
}

TEST_F(Server, DropsASilentClient) {
  exchange_.pass(4999ms);
  EXPECT_FALSE(exchange_.is_over());
  exchange_.pass(1ms);
  EXPECT_TRUE(exchange_.is_over());
  EXPECT_THAT(exchange_.sent(), IsEmpty());
}

TEST_F(Server, DropsAClientThatTricklesItsRequest) {
  for (const char& octet : kGet.substr(0, 5)) {
    exchange_.send({&octet, 1});
    EXPECT_FALSE(exchange_.is_over());
    exchange_.pass(1s);
  }
  EXPECT_TRUE(exchange_.is_over());
}

TEST_F(Server, HoldsNoMemoryForASilentClient) {
  EXPECT_EQ(exchange_.leased(), 0U);
}

TEST_F(Server, EndsAtOnceWhenCancelledBeforeTheRequest) {
  exchange_.send("GET / HTTP/1.1\r\n");
  exchange_.cancel();
  EXPECT_TRUE(exchange_.is_over());
  EXPECT_THAT(exchange_.sent(), IsEmpty());
}

TEST_F(Server, EndsAtOnceWhenCancelledAfterTheAnswer) {
  exchange_.send(kGet);
  exchange_.cancel();
  EXPECT_TRUE(exchange_.is_over());
  EXPECT_EQ(exchange_.ending(), Ending::eof);
}

TEST(ServerOfACancelledScope, DoesNotBegin) {
  Exchange exchange([](const Request&) { return Response(200, "text/plain", "hello\n"); });
  exchange.cancel();
  exchange.send(kGet);
  exchange.begin();
  EXPECT_TRUE(exchange.is_over());
  EXPECT_THAT(exchange.sent(), IsEmpty());
}

/// A body of more than the largest scrape, with its place in every octet of it.
std::string large_body() {
  std::string body;
  while (body.size() < 1_MiB) body += std::to_string(body.size()) + "\n";
  return body;
}

class LargeAnswer : public Server {
 protected:
  LargeAnswer() {
    response_ = Response(200, "text/plain", large_body());
    exchange_.to_client().capacity = 16_KiB;
    exchange_.send(kGet);
  }
};

TEST_F(LargeAnswer, ComesWholeToASlowReader) {
  std::string got;
  while (exchange_.ending() != Ending::eof) {
    ASSERT_FALSE(exchange_.is_over());
    got += exchange_.read(10'000);
    exchange_.pass(100ms);
  }
  got += exchange_.read(16_KiB);
  EXPECT_EQ(got.substr(got.find("\r\n\r\n") + 4), response_.body);
}

TEST_F(LargeAnswer, WaitsForTheReaderWithOneChunk) {
  EXPECT_EQ(exchange_.sent().size(), 16_KiB);
  EXPECT_EQ(exchange_.leased(), net::ChunkPool::kLarge);
}

TEST_F(LargeAnswer, LeavesTimeToOthersHoweverFastTheReaderIs) {
  exchange_.to_client().capacity = test::Direction::kNoLimit;
  exchange_.read(1);
  EXPECT_EQ(exchange_.ending(), Ending::eof);
  EXPECT_LE(exchange_.most_per_turn(), net::Turn::kBudget + net::Stream::kGather);
}

TEST_F(LargeAnswer, DropsAReaderThatStalls) {
  exchange_.pass(4s);
  exchange_.read(1);
  exchange_.pass(4999ms);
  EXPECT_FALSE(exchange_.is_over());
  exchange_.pass(1ms);
  EXPECT_TRUE(exchange_.is_over());
  EXPECT_EQ(exchange_.ending(), Ending::reset);
}

TEST_F(LargeAnswer, DropsAReaderThatTricklesForTooLong) {
  for (int second = 0; second < 30; ++second) {
    ASSERT_FALSE(exchange_.is_over());
    exchange_.read(1);
    exchange_.pass(1s);
  }
  EXPECT_TRUE(exchange_.is_over());
  EXPECT_EQ(exchange_.ending(), Ending::reset);
}

TEST_F(LargeAnswer, EndsWithAResetWhenCancelled) {
  exchange_.cancel();
  EXPECT_TRUE(exchange_.is_over());
  EXPECT_EQ(exchange_.ending(), Ending::reset);
}

TEST_F(LargeAnswer, EndsWhenTheReaderResets) {
  exchange_.reset();
  EXPECT_TRUE(exchange_.is_over());
}

}  // namespace
}  // namespace postern::http
