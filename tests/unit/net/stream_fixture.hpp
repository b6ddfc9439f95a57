#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "postern/net/stream.hpp"
#include "support/memory_transport.hpp"
#include "support/test_scheduler.hpp"

namespace postern::net {

using namespace std::chrono_literals;
using test::Ending;
using test::MemoryLink;
using test::Running;
using test::Side;
using test::TestScheduler;

inline const char* word(Errc code) {
  constexpr std::array<const char*, 7> kWords = {"eof",     "reset",     "failed",  "timed_out",
                                                 "stalled", "cancelled", "too_long"};
  return kWords.at(static_cast<std::size_t>(code));
}
inline std::string word(const IoOutcome& outcome) {
  return outcome ? "ok" : word(outcome.error().code());
}
inline const char* word(IoStatus status) {
  constexpr std::array<const char*, 4> kWords = {"ok", "eof", "reset", "failed"};
  return kWords.at(static_cast<std::size_t>(status));
}

inline coro::Task<IoOutcome> readable(Stream& stream, coro::Deadline deadline) {
  IoOutcome outcome = co_await stream.readable(deadline);
  co_return outcome;
}

/// Reads until the end, a chunk at a time; what came, and behind a bar how it ended.
inline coro::Task<std::string> read_to_end(Stream& stream, std::size_t chunk, coro::Deadline deadline) {
  std::string text;
  std::string buffer(chunk, '\0');
  for (;;) {
    const IoOutcome waited = co_await stream.readable(deadline);
    if (!waited) co_return text + "|" + word(waited);
    const IoResult result = stream.try_read({buffer.data(), buffer.size()});
    text.append(buffer, 0, result.bytes);
    if (!result.ok()) co_return text + "|" + word(result.status);
  }
}

/// Octets in which a lost, doubled or swapped piece shows.
inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 12345;
  for (char& octet : text) {
    state = state * 1664525 + 1013904223;
    octet = static_cast<char>('!' + (state >> 24) % 90);
  }
  return text;
}

/// A stream at side a of a link in memory, whose side b the test plays. Its loop polls the link in every
/// turn.
class StreamTest : public testing::Test {
 protected:
  static constexpr Duration kWriteTimeout = 30s;

  StreamTest() {
    scheduler.on_poll([this] { return link.deliver(); });
  }

  coro::Deadline in(Duration duration) const { return coro::Deadline(scheduler.now() + duration); }
  std::string run(coro::Task<IoOutcome> task) {
    const IoOutcome outcome = scheduler.run(std::move(task));
    return word(outcome);
  }
  void peer_writes(std::string_view text) {
    const IoResult result = peer->try_write({text.data(), text.size()});
    ASSERT_EQ(result.bytes, text.size());
  }
  /// Everything that is there for the peer.
  std::string peer_reads() {
    std::string text;
    std::string buffer(4096, '\0');
    while (const std::size_t got = peer->try_read({buffer.data(), buffer.size()}).bytes)
      text.append(buffer, 0, got);
    return text;
  }
  /// How the peer sees that it ended, once it has read everything.
  std::string peer_end() {
    peer_reads();
    std::array<char, 1> into{};
    return word(peer->try_read(into).status);
  }
  /// One read of the stream without waiting.
  std::string read_now() {
    std::array<char, 64> into{};
    const IoResult result = stream->try_read(into);
    if (!result.ok()) return word(result.status);
    return std::string(into.data(), result.bytes);
  }
  /// The peer takes nothing from now on, and nothing fits on the way.
  void block_writes() { link.from(Side::a).rules.capacity = 0; }
  void unblock_writes() { link.from(Side::a).rules.capacity = 64_KiB; }

  TestScheduler scheduler;
  MemoryLink link;
  ChunkPool pool;
  coro::CancelSource scope;
  Turn turn{scheduler};
  std::unique_ptr<Transport> peer = link.transport(Side::b);
  std::unique_ptr<Stream> stream =
      std::make_unique<Stream>(turn, scope, pool, link.connection(Side::a), kWriteTimeout);
};

}  // namespace postern::net
