#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "postern/base/assert.hpp"
#include "postern/coro/gate.hpp"
#include "postern/http/server.hpp"
#include "support/memory_transport.hpp"
#include "support/test_scheduler.hpp"

namespace postern::http {

/// A connection to a server, with the client's end in the hands of a test and time at its command.
class Exchange {
 public:
  explicit Exchange(Handler handler) : handler_(std::move(handler)), client_(link_.transport(test::Side::b)) {
    scheduler_.on_poll([this] {
      most_per_turn_ = std::max(most_per_turn_, sent().size() - std::exchange(sent_before_, sent().size()));
      return link_.deliver();
    });
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    scope_.cancel(FailureKind::draining);
    settle();
  }

  void begin() {
    const SocketAddress peer = SocketAddress::parse("192.0.2.7", 40000).value();
    const SocketAddress local = SocketAddress::parse("192.0.2.1", 9110).value();
    net::Accepted accepted(link_.connection(test::Side::a), peer, local);
    gate_.spawn(serve(scheduler_, scope_, pool_, std::move(accepted), handler_));
    settle();
  }

  void send(std::string_view octets) {
    POSTERN_ASSERT(client_->try_write(octets).bytes == octets.size());
    settle();
  }

  /// What the client gets with one read.
  std::string read(std::size_t most) {
    std::string octets(most, '\0');
    octets.resize(client_->try_read(octets).bytes);
    settle();
    return octets;
  }

  /// The client ends its side.
  void finish() {
    client_->try_shutdown();
    settle();
  }
  void reset() {
    client_->abort();
    settle();
  }
  void cancel() {
    scope_.cancel(FailureKind::draining);
    settle();
  }
  void pass(Duration time) {
    scheduler_.advance(time);
    settle();
  }

  /// All that the server has sent, read or not.
  const std::string& sent() { return link_.from(test::Side::a).sent(); }
  /// How the server ended its side.
  std::optional<test::Ending> ending() { return link_.from(test::Side::a).ending(); }
  test::Direction::Rules& to_client() { return link_.from(test::Side::a).rules; }
  /// The most that the server has sent in one turn of the loop.
  std::size_t most_per_turn() const { return most_per_turn_; }
  bool is_over() const { return gate_.count() == 0; }
  std::size_t leased() const { return pool_.leased(); }

 private:
  /// Until nothing happens any more without the client or time.
  void settle() { scheduler_.run_until_idle(); }

  test::TestScheduler scheduler_;
  coro::CancelSource scope_;
  net::ChunkPool pool_;
  Handler handler_;
  coro::Gate gate_{scheduler_, [](const char*) { POSTERN_ASSERT(false && "an exception left the server"); }};
  test::MemoryLink link_;
  std::unique_ptr<Transport> client_;
  std::size_t sent_before_ = 0;
  std::size_t most_per_turn_ = 0;
};

}  // namespace postern::http
