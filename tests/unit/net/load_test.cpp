#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "postern/coro/gate.hpp"
#include "postern/loop/loop.hpp"
#include "postern/net/line_reader.hpp"
#include "postern/net/stream.hpp"
#include "support/run_on_loop.hpp"
#include "unit/net/loopback.hpp"

/// uv_poll under load: many connections on one loop, each in lock step. What is asserted is that every octet
/// comes back; how fast is printed.
namespace postern::net {
namespace {

using namespace std::chrono_literals;

constexpr int kConnections = 300;
constexpr int kMessages = 100;
constexpr std::size_t kLimit = 255;

/// One loop's worth of what a worker has.
struct House {
  House() = default;  // coroutines take no aggregates
  loop::Loop loop{system_clock()};
  ChunkPool pool;
  coro::CancelSource scope;
  coro::Gate gate{loop, [](const char* what) { ADD_FAILURE() << what; }};
  std::unique_ptr<Connector> connector = make_connector(loop);
  int echoed = 0;
  int correct = 0;
};

coro::Task<void> echo(House& house, Connection connection) {
  Turn turn(house.loop);
  Stream stream(turn, house.scope, house.pool, std::move(connection), 30s);
  LineReader reader(stream, house.pool);
  for (;;) {
    const coro::Deadline deadline(house.loop.now() + 60s);
    const Result<std::string_view, IoError> line = co_await reader.line(kLimit, deadline);
    if (!line) break;
    stream.put(*line);
    stream.put("\r\n");
    ++house.echoed;
  }
  co_await stream.close();
}

coro::Task<void> ping(House& house, SocketAddress address, int number) {
  const coro::Deadline deadline(house.loop.now() + 60s);
  Result<Connection> connected = co_await house.connector->connect(address, deadline, house.scope);
  if (!connected) co_return;
  Turn turn(house.loop);
  Stream stream(turn, house.scope, house.pool, std::move(connected).value(), 30s);
  LineReader reader(stream, house.pool);
  for (int i = 0; i < kMessages; ++i) {
    const std::string text = "message " + std::to_string(number) + " " + std::to_string(i);
    stream.put(text + "\r\n");
    const coro::Deadline reply_by(house.loop.now() + 60s);
    const Result<std::string_view, IoError> line = co_await reader.line(kLimit, reply_by);
    if (!line || *line != text) break;
    ++house.correct;
  }
  co_await stream.close();
}

coro::Task<void> ping_all(House& house, SocketAddress address) {
  for (int i = 0; i < kConnections; ++i) house.gate.spawn(ping(house, address, i));
  co_await house.gate.closed();
}

TEST(Load, HundredsOfConnectionsPingPongOnOneLoop) {
  House house;
  Descriptor socket = listen_somewhere();
  const SocketAddress address = local_address(socket.number());
  const auto listener = make_listener(
      house.loop, std::move(socket),
      [&](Accepted accepted) { house.gate.spawn(echo(house, std::move(accepted.connection))); },
      [](int error) { ADD_FAILURE() << "accept: " << error; });
  const TimePoint begin = house.loop.now();
  test::run_on(house.loop, ping_all(house, address));
  const double seconds = std::chrono::duration<double>(house.loop.now() - begin).count();
  EXPECT_EQ(house.correct, kConnections * kMessages);
  EXPECT_EQ(house.echoed, kConnections * kMessages);
  EXPECT_EQ(house.pool.leased(), 0u);
  std::cout << kConnections << " connections: " << static_cast<int>(2 * house.correct / seconds)
            << " messages/s\n";
}

}  // namespace
}  // namespace postern::net
