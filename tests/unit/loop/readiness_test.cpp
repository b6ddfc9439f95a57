#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "postern/loop/loop.hpp"
#include "support/run_on_loop.hpp"

namespace postern::loop {
namespace {

using namespace std::chrono_literals;

struct Event {
  bool readable;
  bool writable;
  bool operator==(const Event&) const = default;
};

/// Keeps what it is told, and then does what the test wants.
class Recorder final : public ReadinessWatcher {
 public:
  explicit Recorder(std::function<void()> then) : then_(std::move(then)) {}
  void on_ready(bool readable, bool writable) override {
    events.push_back({readable, writable});
    then_();
  }
  std::vector<Event> events;

 private:
  std::function<void()> then_;
};

class ReadinessTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair_.data()), 0);
    readiness_ = loop_.watch(pair_[0]);
  }
  void TearDown() override {
    readiness_.reset();
    for (const int descriptor : pair_) close(descriptor);
  }

  void send_from_peer(const char* text) { ASSERT_GT(write(pair_[1], text, std::strlen(text)), 0); }
  /// A few iterations, in which whatever is ready is told.
  void run_some() {
    int left = 5;
    std::function<void()> again = [&] {
      if (--left == 0) return loop_.stop();
      loop_.post(again);
    };
    loop_.post(again);
    loop_.run();
  }

  Loop loop_{system_clock()};
  std::array<int, 2> pair_{};
  std::unique_ptr<Readiness> readiness_;
};

TEST_F(ReadinessTest, TellsNothingUntilSomethingCanBeRead) {
  Recorder recorder([&] { loop_.stop(); });
  readiness_->watch(&recorder);
  readiness_->arm(true, false);
  run_some();
  EXPECT_TRUE(recorder.events.empty());
  send_from_peer("x");
  loop_.run();
  EXPECT_EQ(recorder.events, (std::vector<Event>{{true, false}}));
}

TEST_F(ReadinessTest, TellsAgainWhileItIsArmedAndNotDealtWith) {
  Recorder recorder([&] {
    if (recorder.events.size() == 3) loop_.stop();
  });
  readiness_->watch(&recorder);
  readiness_->arm(true, false);
  send_from_peer("x");
  loop_.run();
  EXPECT_EQ(recorder.events.size(), 3u);
}

TEST_F(ReadinessTest, DisarmedItIsSilentAndArmedAgainItTells) {
  Recorder recorder([&] { readiness_->arm(false, false); });
  readiness_->watch(&recorder);
  readiness_->arm(true, false);
  send_from_peer("x");
  run_some();
  EXPECT_EQ(recorder.events.size(), 1u);
  readiness_->arm(true, false);
  run_some();
  EXPECT_EQ(recorder.events.size(), 2u);
}

TEST_F(ReadinessTest, TellsThatItCanBeWritten) {
  Recorder recorder([&] { readiness_->arm(true, false); });
  readiness_->watch(&recorder);
  readiness_->arm(true, true);
  run_some();
  EXPECT_EQ(recorder.events, (std::vector<Event>{{false, true}}));
}

TEST_F(ReadinessTest, TellsBothAtOnce) {
  Recorder recorder([&] { readiness_->arm(false, false); });
  readiness_->watch(&recorder);
  readiness_->arm(true, true);
  send_from_peer("x");
  run_some();
  EXPECT_EQ(recorder.events, (std::vector<Event>{{true, true}}));
}

TEST_F(ReadinessTest, APeerThatClosedCanBeRead) {
  Recorder recorder([&] { readiness_->arm(false, false); });
  readiness_->watch(&recorder);
  readiness_->arm(true, false);
  shutdown(pair_[1], SHUT_WR);
  run_some();
  ASSERT_EQ(recorder.events.size(), 1u);
  EXPECT_TRUE(recorder.events[0].readable);
}

TEST_F(ReadinessTest, WithoutAWatcherNothingIsToldAndNothingSpins) {
  Recorder recorder([] {});
  readiness_->watch(&recorder);
  readiness_->arm(true, true);
  readiness_->watch(nullptr);
  send_from_peer("x");
  run_some();
  EXPECT_TRUE(recorder.events.empty());
}

TEST_F(ReadinessTest, MayBeDestroyedWhileArmedWithAnEventOnItsWay) {
  Recorder recorder([] {});
  readiness_->watch(&recorder);
  readiness_->arm(true, true);
  send_from_peer("x");
  readiness_.reset();
  run_some();
  EXPECT_TRUE(recorder.events.empty());
}

TEST_F(ReadinessTest, MayBeDestroyedByTheOneItTells) {
  Recorder recorder([&] { readiness_.reset(); });
  readiness_->watch(&recorder);
  readiness_->arm(true, true);
  send_from_peer("x");
  run_some();
  EXPECT_EQ(recorder.events.size(), 1u);
}

TEST_F(ReadinessTest, ADescriptorNumberMayBeWatchedAgainAtOnce) {
  Recorder old([] {});
  readiness_->watch(&old);
  readiness_->arm(true, false);
  run_some();
  readiness_.reset();
  ASSERT_EQ(dup2(pair_[1], pair_[0]), pair_[0]);  // another socket, the same number
  Recorder fresh([&] { readiness_->arm(false, false); });
  readiness_ = loop_.watch(pair_[0]);
  readiness_->watch(&fresh);
  readiness_->arm(false, true);
  run_some();
  EXPECT_TRUE(old.events.empty());
  EXPECT_EQ(fresh.events.size(), 1u);
}

/// A TCP connection over loopback whose client is not watched by anybody.
class TcpPair {
 public:
  TcpPair() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    client_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    is_open_ = bind(listener, raw, length) == 0 && listen(listener, 1) == 0 &&
               getsockname(listener, raw, &length) == 0 && connect(client_, raw, length) == 0;
    server_ = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    close(listener);
  }
  ~TcpPair() {
    close(server_);
    if (client_ >= 0) close(client_);
  }
  bool is_open() const { return is_open_ && server_ >= 0; }
  int server() const { return server_; }
  int client() const { return client_; }
  void reset_client() {
    const linger now{1, 0};
    setsockopt(client_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(client_);
    client_ = -1;
  }

 private:
  bool is_open_ = false;
  int client_ = -1;
  int server_ = -1;
};

TEST(TcpReadiness, AResetIsReadyBothWaysAndWhatCameBeforeCanStillBeRead) {
  TcpPair tcp;
  ASSERT_TRUE(tcp.is_open());
  Loop loop(system_clock());
  const auto readiness = loop.watch(tcp.server());
  Recorder recorder([&] { loop.stop(); });
  readiness->watch(&recorder);
  readiness->arm(true, false);
  ASSERT_EQ(write(tcp.client(), "QUIT\r\n", 6), 6);
  tcp.reset_client();
  loop.run();
  EXPECT_EQ(recorder.events, (std::vector<Event>{{true, true}}));
  std::array<char, 16> into{};
  EXPECT_EQ(recv(tcp.server(), into.data(), into.size(), 0), 6);
  EXPECT_EQ(recv(tcp.server(), into.data(), into.size(), 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(TcpReadiness, AfterAResetItTellsAgainOnlyWhenArmedAgain) {
  TcpPair tcp;
  ASSERT_TRUE(tcp.is_open());
  Loop loop(system_clock());
  const auto readiness = loop.watch(tcp.server());
  Recorder recorder([&] { loop.stop(); });
  readiness->watch(&recorder);
  readiness->arm(true, false);
  tcp.reset_client();
  loop.run();
  ASSERT_EQ(recorder.events.size(), 1u);
  loop.post([&] { loop.post([&] { loop.stop(); }); });
  loop.run();
  EXPECT_EQ(recorder.events.size(), 1u);
  readiness->arm(true, false);
  loop.run();
  EXPECT_EQ(recorder.events.size(), 2u);
}

}  // namespace
}  // namespace postern::loop
