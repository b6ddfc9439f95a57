#include "postern/net/socket.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postern/loop/loop.hpp"
#include "support/run_on_loop.hpp"
#include "unit/net/loopback.hpp"

namespace postern::net {
namespace {

using namespace std::chrono_literals;
using test::run_on;
using testing::HasSubstr;

/// A transport and the plain socket at the other end of its connection.
class SocketTransportTest : public testing::Test {
 protected:
  SocketTransportTest() {
    const Descriptor listener = listen_somewhere();
    peer = connect_to(local_address(listener.number()));
    pollfd wait{listener.number(), POLLIN, 0};
    poll(&wait, 1, 1000);
    Descriptor accepted(accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    number = accepted.number();
    transport = make_socket_transport(std::move(accepted));
  }

  void peer_writes(std::string_view text) {
    ASSERT_EQ(send(peer.number(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    wait_for(POLLIN);
  }
  /// Loopback is quick, but not immediate.
  void wait_for(short events) {
    pollfd wait{number, events, 0};
    ASSERT_EQ(poll(&wait, 1, 5000), 1);
  }
  IoResult read(std::size_t size) {
    buffer.assign(size, '\0');
    return transport->try_read({buffer.data(), buffer.size()});
  }
  IoResult write(std::string_view text) { return transport->try_write({text.data(), text.size()}); }
  /// Writes until nothing fits any more.
  IoResult fill_the_way() {
    const std::string text(256 * 1024, 'x');
    for (;;) {
      const IoResult result = write(text);
      if (!result.ok() || result.want != Want::none) return result;
    }
  }

  Descriptor peer;
  int number = -1;
  std::unique_ptr<Transport> transport;
  std::string buffer;
};

TEST_F(SocketTransportTest, ReadsWhatIsThereAndSaysWhenThatWasAll) {
  peer_writes("hello");
  const IoResult full = read(3);
  EXPECT_EQ(full.bytes, 3u);
  EXPECT_EQ(full.want, Want::none);
  const IoResult rest = read(10);
  EXPECT_EQ(rest.bytes, 2u);
  EXPECT_EQ(rest.want, Want::read);
  EXPECT_TRUE(read(10).blocked());
}

TEST_F(SocketTransportTest, WriteSaysHowMuchFits) {
  const IoResult result = fill_the_way();
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.want, Want::write);
  const IoResult more = write("x");
  EXPECT_TRUE(more.blocked());
  EXPECT_EQ(more.bytes, 0u);
}

TEST_F(SocketTransportTest, AnOrderlyEndIsEofAndStaysIt) {
  shutdown(peer.number(), SHUT_WR);
  wait_for(POLLIN);
  EXPECT_EQ(read(10).status, IoStatus::eof);
  EXPECT_EQ(read(10).status, IoStatus::eof);
  EXPECT_TRUE(write("still open this way").ok());
}

TEST_F(SocketTransportTest, AResetIsToldAfterWhatCameBeforeItAndStaysIt) {
  peer_writes("QUIT\r\n");
  close_with_reset(std::move(peer));
  wait_for(POLLHUP);
  EXPECT_EQ(read(10).bytes, 6u);
  EXPECT_EQ(read(10).status, IoStatus::reset);
  EXPECT_EQ(read(10).status, IoStatus::reset);
  EXPECT_NE(transport->failure(), "");
}

TEST_F(SocketTransportTest, AResetThatAWriteWasToldIsNotAnEofForTheReader) {
  close_with_reset(std::move(peer));
  wait_for(POLLHUP);
  EXPECT_EQ(write("x").status, IoStatus::reset);
  EXPECT_EQ(write("x").status, IoStatus::reset);
  EXPECT_EQ(read(10).status, IoStatus::reset);
}

TEST_F(SocketTransportTest, WritingToAPeerThatIsGoneRaisesNoSignal) {
  close_with_reset(std::move(peer));
  wait_for(POLLHUP);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(write("x").status, IoStatus::reset);
}

TEST_F(SocketTransportTest, ShutdownEndsOurSideOnly) {
  EXPECT_TRUE(write("bye").ok());
  EXPECT_TRUE(transport->try_shutdown().ok());
  std::array<char, 8> into{};
  EXPECT_EQ(recv(peer.number(), into.data(), into.size(), MSG_WAITALL), 3);
  EXPECT_EQ(recv(peer.number(), into.data(), into.size(), 0), 0);
  peer_writes("thanks");
  EXPECT_EQ(read(10).bytes, 6u);
}

TEST_F(SocketTransportTest, AbortResetsWhenItIsDestroyed) {
  EXPECT_TRUE(write("half a mess").ok());
  transport->abort();
  transport.reset();
  std::array<char, 16> into{};
  ssize_t got = 0;
  while ((got = recv(peer.number(), into.data(), into.size(), 0)) > 0) continue;
  EXPECT_EQ(got, -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(Descriptor, ClosesOnceAndMoves) {
  const int number = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(number, 0);
  {
    Descriptor a(number);
    Descriptor b(std::move(a));
    Descriptor c;
    c = std::move(b);
    EXPECT_EQ(c.number(), number);
    EXPECT_EQ(fcntl(number, F_GETFD), FD_CLOEXEC);
  }
  EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

using Connected = Result<Connection>;

coro::Task<Connected> connect_by(Connector& connector, SocketAddress address, coro::Deadline deadline,
                                 coro::CancelSource& scope) {
  Connected result = co_await connector.connect(address, deadline, scope);
  co_return result;
}

class ConnectorTest : public testing::Test {
 protected:
  Connected connect(const SocketAddress& address, Duration timeout) {
    return run_on(loop, connect_by(*connector, address, coro::Deadline(loop.now() + timeout), scope));
  }

  loop::Loop loop{system_clock()};
  coro::CancelSource scope;
  std::unique_ptr<Connector> connector = make_connector(loop);
};

TEST_F(ConnectorTest, Connects) {
  const Descriptor listener = listen_somewhere();
  const Connected result = connect(local_address(listener.number()), 10s);
  ASSERT_TRUE(result.has_value()) << result.error().detail();
  const std::string_view hello = "hello";
  EXPECT_EQ(result.value().transport->try_write(hello).bytes, 5u);
  const Descriptor accepted(accept(listener.number(), nullptr, nullptr));
  pollfd wait{listener.number(), POLLIN, 0};
  poll(&wait, 1, 0);
}

TEST_F(ConnectorTest, ARefusedConnectIsToldAtOnce) {
  SocketAddress address;
  {
    const Descriptor listener = listen_somewhere();
    address = local_address(listener.number());
  }
  const TimePoint begin = loop.now();
  const Connected result = connect(address, 1min);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), FailureKind::connect);
  EXPECT_THAT(result.error().detail(), HasSubstr("refused"));
  EXPECT_THAT(result.error().detail(), HasSubstr(address.to_string()));
  EXPECT_LT(loop.now() - begin, 10s);
}

TEST_F(ConnectorTest, InACancelledScopeItDoesNotConnect) {
  const Descriptor listener = listen_somewhere();
  scope.cancel(FailureKind::draining);
  const Connected result = connect(local_address(listener.number()), 10s);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), FailureKind::draining);
}

/// Listens, never accepts, and has a queue that is full: a further client hears nothing.
class DeafServer {
 public:
  DeafServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const SocketAddress any = loopback(0);
    if (bind(listener_.number(), any.data(), any.size()) != 0 || listen(listener_.number(), 0) != 0) {
      ADD_FAILURE() << "listen";
    }
    const SocketAddress own = address();
    for (int i = 0; i < 8 && !is_full_; ++i) {
      Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      ::connect(client.number(), own.data(), own.size());
      pollfd wait{client.number(), POLLOUT, 0};
      is_full_ = poll(&wait, 1, 50) == 0;
      clients_.push_back(std::move(client));
    }
  }
  SocketAddress address() const { return local_address(listener_.number()); }
  bool is_full() const { return is_full_; }

 private:
  Descriptor listener_;
  bool is_full_ = false;
  std::vector<Descriptor> clients_;
};

TEST_F(ConnectorTest, GivesUpAtTheDeadline) {
  const DeafServer server;
  if (!server.is_full()) GTEST_SKIP() << "this kernel accepts without end";
  const TimePoint begin = loop.now();
  const Connected result = connect(server.address(), 30ms);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), FailureKind::connect);
  EXPECT_THAT(result.error().detail(), HasSubstr("timed out"));
  EXPECT_GE(loop.now() - begin, 30ms);
}

TEST_F(ConnectorTest, IsCancelledWhileItConnects) {
  const DeafServer server;
  if (!server.is_full()) GTEST_SKIP() << "this kernel accepts without end";
  loop.post([&] { scope.cancel(FailureKind::kicked); });
  const Connected result = connect(server.address(), 1min);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), FailureKind::kicked);
}

TEST(ListenOn, AnExclusiveListenerRefusesAPortThatIsListenedTo) {
  const Descriptor first = listen_somewhere();
  const auto second = listen_on(local_address(first.number()), true);
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error(), HasSubstr("in use"));
}

TEST(ListenOn, SeveralLoopsShareAPort) {
  const Descriptor first = listen_somewhere();
  const auto second = listen_on(local_address(first.number()), false);
  ASSERT_TRUE(second.has_value()) << second.error();
  EXPECT_EQ(local_address(second->number()).port(), local_address(first.number()).port());
}

TEST(ListenOn, AfterARestartThePortIsFreeThoughConnectionsAreStillClosing) {
  SocketAddress address;
  {
    const Descriptor listener = listen_somewhere();
    address = local_address(listener.number());
    const Descriptor client = connect_to(address);
    pollfd wait{listener.number(), POLLIN, 0};
    ASSERT_EQ(poll(&wait, 1, 5000), 1);
    Descriptor accepted(accept(listener.number(), nullptr, nullptr));
    ASSERT_TRUE(accepted);
    accepted =
        Descriptor();  // closes first, and so its side is the one that lingers in TIME-WAIT (RFC 9293 §3.6)
    std::array<char, 1> into{};
    EXPECT_EQ(recv(client.number(), into.data(), into.size(), 0), 0);
  }
  const auto again = listen_on(address, true);
  EXPECT_TRUE(again.has_value()) << again.error();
}

TEST(ListenOn, SaysWhyItCannot) {
  const auto result =
      listen_on(*SocketAddress::parse("192.0.2.1", 0), true);  // an address of documentation: not ours
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error(), "");
}

}  // namespace
}  // namespace postern::net
