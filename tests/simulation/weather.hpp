#pragma once

#include <deque>
#include <list>
#include <utility>

#include "postern/coro/scheduler.hpp"
#include "simulation/dice.hpp"
#include "support/memory_transport.hpp"
#include "support/test_scheduler.hpp"

namespace postern::sim {

/// How a link behaves: what a network may do to it without breaking it.
struct Climate {
  std::size_t most_per_write = test::Direction::kNoLimit;
  std::size_t most_per_read = test::Direction::kNoLimit;
  bool alternate_writes = false;
  bool alternate_reads = false;
  std::size_t capacity = 64_KiB;
  Duration least_delay{};
  Duration most_delay{};
  /// Nothing behind so many octets ever arrives, and nobody says so.
  std::uint64_t vanishes_after = test::Direction::kEverything;
};

/// Chunks, would-blocks and delays of all links, from one set of dice. Octets of one direction never overtake
/// each other; those of different connections do.
class Weather final : private coro::Timer {
 public:
  Weather(test::TestScheduler& scheduler, Dice dice);
  ~Weather() override = default;

  /// One that leaves everything to arrive in reasonable time. `small`: no body is longer than a few KiB, so
  /// that it may come octet by octet.
  Climate choose(Dice& dice, bool small) const;
  void apply(test::Direction& direction, const Climate& climate);

 private:
  struct Flow {
    test::Direction* direction;
    Climate climate;
    std::uint64_t seen = 0;
    TimePoint last;
    std::deque<std::pair<TimePoint, std::uint64_t>> under_way;
  };

  bool poll();
  void on_timer() override {}

  test::TestScheduler& scheduler_;
  Dice dice_;
  std::list<Flow> flows_;
};

}  // namespace postern::sim
