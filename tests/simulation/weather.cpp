#include "simulation/weather.hpp"

#include <algorithm>

namespace postern::sim {
namespace {

using std::chrono::milliseconds;
using test::Direction;

}  // namespace

Weather::Weather(test::TestScheduler& scheduler, Dice dice) : scheduler_(scheduler), dice_(dice) {
  scheduler_.on_poll([this] { return poll(); });
}

Climate Weather::choose(Dice& dice, bool small) const {
  Climate climate;
  if (dice.chance(30)) return climate;
  const std::size_t least = small ? 1 : 300;
  const auto chunk = [&]() -> std::size_t {
    return dice.chance(40) ? Direction::kNoLimit : least + dice.somewhere(16384);
  };
  climate.most_per_write = chunk();
  climate.most_per_read = chunk();
  climate.alternate_writes = dice.chance(25);
  climate.alternate_reads = dice.chance(25);
  if (dice.chance(50)) {
    climate.least_delay = milliseconds(dice.somewhere(64));
    climate.most_delay = climate.least_delay + milliseconds(dice.somewhere(400));
  } else {
    climate.capacity = std::max<std::size_t>(least, dice.somewhere(128 * 1024));
  }
  return climate;
}

void Weather::apply(Direction& direction, const Climate& climate) {
  direction.rules.most_per_write = climate.most_per_write;
  direction.rules.most_per_read = climate.most_per_read;
  direction.rules.alternate_writes = climate.alternate_writes;
  direction.rules.alternate_reads = climate.alternate_reads;
  direction.rules.capacity = climate.capacity;
  if (climate.most_delay == Duration() && climate.vanishes_after == Direction::kEverything) return;
  direction.rules.arrived = 0;
  flows_.push_back(Flow{&direction, climate, 0, scheduler_.now(), {}});
}

bool Weather::poll() {
  const TimePoint now = scheduler_.now();
  TimePoint next = TimePoint::max();
  bool busy = false;
  for (Flow& flow : flows_) {
    const std::uint64_t sent =
        std::min<std::uint64_t>(flow.direction->sent().size(), flow.climate.vanishes_after);
    if (sent > flow.seen) {
      const auto spread =
          static_cast<std::size_t>((flow.climate.most_delay - flow.climate.least_delay).count());
      flow.last = std::max(flow.last, now + flow.climate.least_delay + Duration(dice_.below(spread + 1)));
      flow.under_way.emplace_back(flow.last, sent);
      flow.seen = sent;
    }
    while (!flow.under_way.empty() && flow.under_way.front().first <= now) {
      flow.direction->rules.arrived = flow.under_way.front().second;
      flow.under_way.pop_front();
      busy = true;
    }
    if (!flow.under_way.empty()) next = std::min(next, flow.under_way.front().first);
  }
  if (next != TimePoint::max()) scheduler_.arm(*this, next);
  return busy;
}

}  // namespace postern::sim
