#include "postern/loop/resolver.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "loop/resolver_servers.hpp"
#include "postern/loop/loop.hpp"
#include "support/run_on_loop.hpp"

namespace postern::loop {
namespace {

using namespace std::chrono_literals;
using test::run_on;
using test::Running;
using testing::HasSubstr;

using Addresses = Result<std::vector<SocketAddress>>;

coro::Task<Addresses> resolve(Resolver& resolver, std::string host, coro::Deadline deadline,
                              coro::CancelSource& scope) {
  Addresses result = co_await resolver.resolve(host, 110, deadline, scope);
  co_return result;
}

/// A name server on loopback: what it answers, it answers to every question about IPv4; other questions get
/// no record.
class NameServer final : private ReadinessWatcher {
 public:
  enum class Mood : std::uint8_t { answers, unknown_name, silent };

  NameServer(Loop& loop, Mood mood) : mood_(mood), socket_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, raw, length) != 0) ADD_FAILURE() << "bind";
    getsockname(socket_, raw, &length);
    address_ = SocketAddress(raw, length);
    readiness_ = loop.watch(socket_);
    readiness_->watch(this);
    readiness_->arm(true, false);
  }
  ~NameServer() {
    readiness_.reset();
    close(socket_);
  }
  std::string address() const { return address_.to_string(); }
  int questions() const { return questions_; }
  /// Called when a question has come.
  std::function<void()> on_question = [] {};
  void set_mood(Mood mood) { mood_ = mood; }
  /// Answers the last question.
  void answer() {
    // RFC 1035 §4.1: the header and the question as they came, then one record of four octets.
    std::string reply = question_.substr(0, 12);
    const std::size_t end = question_.find('\0', 12) + 5;
    const bool wants_v4 = question_[end - 3] == 1;
    const bool gives = mood_ != Mood::unknown_name && wants_v4;
    reply[2] = static_cast<char>(0x84);
    reply[3] = static_cast<char>(mood_ == Mood::unknown_name ? 3 : 0);
    reply[7] = gives ? 1 : 0;
    reply[9] = reply[11] = 0;
    reply += question_.substr(12, end - 12);
    if (gives) reply += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x07", 16);
    sendto(socket_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from_), from_length_);
  }

 private:
  void on_ready(bool, bool) override {
    std::array<char, 512> into{};
    from_length_ = sizeof from_;
    const ssize_t got =
        recvfrom(socket_, into.data(), into.size(), 0, reinterpret_cast<sockaddr*>(&from_), &from_length_);
    if (got < 17) return;
    ++questions_;
    question_.assign(into.data(), static_cast<std::size_t>(got));
    if (mood_ != Mood::silent) answer();
    on_question();
  }

  Mood mood_;
  int socket_;
  int questions_ = 0;
  SocketAddress address_;
  std::unique_ptr<Readiness> readiness_;
  std::string question_;
  sockaddr_storage from_{};
  socklen_t from_length_ = 0;
};

class ResolverTest : public testing::Test {
 protected:
  Loop loop{system_clock()};
  coro::CancelSource scope;
  NameServer server{loop, NameServer::Mood::answers};
  std::unique_ptr<Resolver> resolver = make_resolver_asking(loop, server.address());

  coro::Deadline in(Duration duration) { return coro::Deadline(loop.now() + duration); }
};

TEST_F(ResolverTest, AnAddressStandsForItselfAtOnce) {
  for (const std::string text : {"192.0.2.1", "2001:db8::1"}) {
    Running<Addresses> running(loop, resolve(*resolver, text, in(1min), scope));
    ASSERT_TRUE(running.done());
    const Addresses result = running.take();
    ASSERT_TRUE(result.has_value());
    ASSERT_EQ(result.value().size(), 1u);
    EXPECT_EQ(result.value()[0].ip(), text);
    EXPECT_EQ(result.value()[0].port(), 110);
  }
  EXPECT_EQ(server.questions(), 0);
}

TEST_F(ResolverTest, LocalhostComesWithoutAskingAServer) {
  const Addresses result = run_on(loop, resolve(*resolver, "localhost", in(1min), scope));
  ASSERT_TRUE(result.has_value());
  for (const SocketAddress& address : result.value()) {
    EXPECT_TRUE(address.ip() == "127.0.0.1" || address.ip() == "::1") << address.ip();
    EXPECT_EQ(address.port(), 110);
  }
  EXPECT_EQ(server.questions(), 0);
}

TEST_F(ResolverTest, GivesWhatTheServerAnswers) {
  const Addresses result = run_on(loop, resolve(*resolver, "mail.example.com", in(1min), scope));
  ASSERT_TRUE(result.has_value());
  ASSERT_EQ(result.value().size(), 1u);
  EXPECT_EQ(result.value()[0].to_string(), "192.0.2.7:110");
  EXPECT_GE(server.questions(), 1);
}

TEST_F(ResolverTest, AnUnknownNameIsADnsFailure) {
  server.set_mood(NameServer::Mood::unknown_name);
  const Addresses result = run_on(loop, resolve(*resolver, "nowhere.example.com", in(1min), scope));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), FailureKind::dns);
  EXPECT_THAT(result.error().detail(), HasSubstr("nowhere.example.com"));
}

TEST_F(ResolverTest, ANameThatCannotBeIsADnsFailure) {
  const Addresses result =
      run_on(loop, resolve(*resolver, std::string(70, 'a') + ".example.com", in(1min), scope));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), FailureKind::dns);
}

TEST_F(ResolverTest, GivesUpAtTheDeadlineAndTheLateAnswerHurtsNobody) {
  server.set_mood(NameServer::Mood::silent);
  const Addresses result = run_on(loop, resolve(*resolver, "slow.example.com", in(20ms), scope));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), FailureKind::dns);
  EXPECT_THAT(result.error().detail(), HasSubstr("no answer in time"));
  server.set_mood(NameServer::Mood::answers);
  server.answer();
  const Addresses next = run_on(loop, resolve(*resolver, "fast.example.com", in(1min), scope));
  EXPECT_TRUE(next.has_value());
}

TEST_F(ResolverTest, ACancelledScopeEndsTheWait) {
  server.set_mood(NameServer::Mood::silent);
  server.on_question = [&] { scope.cancel(FailureKind::draining); };
  const Addresses result = run_on(loop, resolve(*resolver, "mail.example.com", in(1min), scope));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), FailureKind::draining);
}

TEST_F(ResolverTest, InACancelledScopeNobodyIsAsked) {
  scope.cancel(FailureKind::kicked);
  const Addresses result = run_on(loop, resolve(*resolver, "mail.example.com", in(1min), scope));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), FailureKind::kicked);
  EXPECT_EQ(server.questions(), 0);
}

coro::Task<void> count_resolved(Resolver& resolver, std::string host, coro::CancelSource& scope,
                                int& resolved) {
  const Addresses result = co_await resolver.resolve(host, 110, coro::Deadline::never(), scope);
  if (result) ++resolved;
}

coro::Task<int> resolve_many(Loop& loop, Resolver& resolver, int names, coro::CancelSource& scope) {
  coro::Gate gate(loop, [](const char*) {});
  int resolved = 0;
  for (int i = 0; i < names; ++i) {
    gate.spawn(count_resolved(resolver, "mail" + std::to_string(i) + ".example.com", scope, resolved));
  }
  co_await gate.closed();
  co_return resolved;
}

TEST_F(ResolverTest, AnswersManyAtOnce) {
  EXPECT_EQ(run_on(loop, resolve_many(loop, *resolver, 50, scope)), 50);
}

TEST_F(ResolverTest, MayBeDestroyedWhileAnAnswerIsAwaited) {
  server.set_mood(NameServer::Mood::silent);
  server.on_question = [&] { resolver.reset(); };
  const Addresses result = run_on(loop, resolve(*resolver, "mail.example.com", in(1min), scope));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), FailureKind::dns);
}

}  // namespace
}  // namespace postern::loop
