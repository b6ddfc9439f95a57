#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postern/loop/loop.hpp"
#include "postern/net/socket.hpp"
#include "unit/net/loopback.hpp"

namespace postern::net {
namespace {

using namespace std::chrono_literals;

class ListenerTest : public testing::Test {
 protected:
  /// Accepts until so many connections have come, which stops the loop.
  void listen(Descriptor socket, std::size_t connections) {
    address = local_address(socket.number());
    expected = connections;
    listener = make_listener(
        loop, std::move(socket), [this](Accepted connection) { take(std::move(connection)); },
        [this](int error) {
          errors.push_back(error);
          on_error(error);
        });
  }
  void take(Accepted connection) {
    ++per_turn[loop.turn()];
    accepted.push_back(std::move(connection));
    if (accepted.size() == expected) loop.stop();
  }

  loop::Loop loop{system_clock()};
  SocketAddress address;
  std::size_t expected = 0;
  std::map<std::uint64_t, int> per_turn;
  std::vector<int> errors;
  std::function<void(int)> on_error = [](int) {};
  std::vector<Accepted> accepted;
  std::unique_ptr<Listener> listener;
};

TEST_F(ListenerTest, HandsOutAConnectionWithBothAddresses) {
  listen(listen_somewhere(), 1);
  const Descriptor client = connect_to(address);
  loop.run();
  ASSERT_EQ(accepted.size(), 1u);
  EXPECT_EQ(accepted[0].local.to_string(), address.to_string());
  EXPECT_EQ(accepted[0].peer.to_string(), local_address(client.number()).to_string());
  const std::string_view hello = "hello";
  EXPECT_EQ(accepted[0].connection.transport->try_write(hello).bytes, 5u);
  std::string into(5, '\0');
  EXPECT_EQ(recv(client.number(), into.data(), into.size(), MSG_WAITALL), 5);
  EXPECT_EQ(into, hello);
}

TEST_F(ListenerTest, AcceptsAtMost16InATurn) {
  listen(listen_somewhere(), 40);
  std::vector<Descriptor> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(connect_to(address));
  loop.run();
  EXPECT_EQ(accepted.size(), 40u);
  for (const auto& [turn, count] : per_turn) EXPECT_LE(count, 16);
}

/// What the next descriptor of this process will be.
int next_descriptor() {
  const int number = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(number);
  return number;
}

int option(int socket, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  getsockopt(socket, level, name, &value, &length);
  return value;
}

TEST_F(ListenerTest, ConnectionsAreTuned) {
  listen(listen_somewhere(), 1);
  const Descriptor client = connect_to(address);
  const int number = next_descriptor();
  loop.run();
  EXPECT_EQ(option(number, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(number, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(number, IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(number, IPPROTO_TCP, TCP_USER_TIMEOUT), 120'000);
  EXPECT_NE(fcntl(number, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(fcntl(number, F_GETFD), FD_CLOEXEC);
}

/// Takes the descriptors away from this process for a while.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(next_descriptor());
    setrlimit(RLIMIT_NOFILE, &now);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ListenerTest, RestsWhenDescriptorsRunOutAndRecovers) {
#ifdef POSTERN_TEST_NEEDS_DESCRIPTORS
  GTEST_SKIP() << "the sanitizer of this build fails without descriptors";
#endif
  listen(listen_somewhere(), 2);
  const Descriptor first = connect_to(address);
  const Descriptor second = connect_to(address);
  const TimePoint begin = loop.now();
  std::optional<NoDescriptors> shortage(std::in_place);
  std::uint64_t failed_in = 0;
  on_error = [&](int) {
    shortage.reset();
    failed_in = loop.turn();
  };
  loop.run();
  EXPECT_EQ(errors, std::vector<int>{EMFILE});
  EXPECT_EQ(accepted.size(), 2u);
  EXPECT_GE(loop.now() - begin, 100ms);
  EXPECT_LE(loop.turn() - failed_in, 10u) << "it spun instead of resting";
}

TEST_F(ListenerTest, AConnectionThatIsGoneBeforeItIsAcceptedHurtsNobody) {
  listen(listen_somewhere(), 2);
  close_with_reset(connect_to(address));
  const Descriptor client = connect_to(address);
  loop.run();
  EXPECT_EQ(accepted.size(), 2u);
  EXPECT_TRUE(errors.empty());
}

TEST_F(ListenerTest, AnyAddressOfIpv6TakesIpv4AndCallsItThat) {
  auto socket = listen_on(*SocketAddress::parse("::", 0), true);
  if (!socket) GTEST_SKIP() << "no IPv6 here: " << socket.error();
  listen(std::move(socket).value(), 1);
  const Descriptor client = connect_to(loopback(address.port()));
  loop.run();
  ASSERT_EQ(accepted.size(), 1u);
  EXPECT_EQ(accepted[0].peer.ip(), "127.0.0.1");
  EXPECT_EQ(accepted[0].local.ip(), "127.0.0.1");
}

TEST_F(ListenerTest, AnyAddressOfIpv6TakesIpv6) {
  auto socket = listen_on(*SocketAddress::parse("::", 0), true);
  if (!socket) GTEST_SKIP() << "no IPv6 here: " << socket.error();
  listen(std::move(socket).value(), 1);
  const Descriptor client = connect_to(*SocketAddress::parse("::1", address.port()));
  loop.run();
  ASSERT_EQ(accepted.size(), 1u);
  EXPECT_EQ(accepted[0].peer.ip(), "::1");
}

TEST_F(ListenerTest, StopsListeningWhenItIsDestroyed) {
  listen(listen_somewhere(), 1);
  listener.reset();
  const Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_NE(connect(client.number(), address.data(), address.size()), 0);
  EXPECT_EQ(errno, ECONNREFUSED);
}

}  // namespace
}  // namespace postern::net
