#include "support/memory_transport.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "postern/base/assert.hpp"

namespace postern::test {
namespace {

constexpr std::size_t index_of(Side side) {
  return static_cast<std::size_t>(side);
}
constexpr Side other(Side side) {
  return side == Side::a ? Side::b : Side::a;
}

}  // namespace

IoResult Direction::read(std::span<char> into) {
  ++read_calls_;
  if (rules.alternate_reads && read_calls_ % 2 == 1) return {0, Want::read, IoStatus::ok};
  const std::size_t count = std::min({into.size(), readable(), rules.most_per_read});
  if (count > 0) {
    std::copy_n(sent_.begin() + static_cast<std::ptrdiff_t>(read_), count, into.begin());
    read_ += count;
    return {count, Want::none, IoStatus::ok};
  }
  if (into.empty()) return {};
  const std::optional<Ending> ended = ending_for_reader();
  if (!ended) return {0, Want::read, IoStatus::ok};
  return {0, Want::none, *ended == Ending::eof ? IoStatus::eof : IoStatus::reset};
}

IoResult Direction::write(std::span<const char> from) {
  ++write_calls_;
  if (is_reset() || reader_gone_) return {0, Want::none, IoStatus::reset};
  if (ending_) return {0, Want::none, IoStatus::failed};
  if (from.empty()) return {};
  if (rules.alternate_writes && write_calls_ % 2 == 1) return {0, Want::write, IoStatus::ok};
  const std::size_t count = std::min({from.size(), room(), rules.most_per_write});
  if (count == 0) return {0, Want::write, IoStatus::ok};
  sent_.append(from.data(), count);
  return {count, Want::none, IoStatus::ok};
}

void Direction::end(Ending ending) {
  if (!ending_) ending_ = ending;
}

bool Direction::is_reset() const noexcept {
  return ending_ == Ending::reset || (is_cut() && cut_->ending == Ending::reset);
}

std::uint64_t Direction::visible() const noexcept {
  if (ending_ == Ending::reset) return read_;  // RST overtakes what is on the way
  return is_cut() ? std::max(cut_->octets, read_) : sent_.size();
}

/// Of what is on the way, what has arrived.
std::size_t Direction::readable() const noexcept {
  const std::uint64_t arrived = std::max(std::min(visible(), rules.arrived), read_);
  return static_cast<std::size_t>(arrived - read_);
}

std::size_t Direction::room() const noexcept {
  return rules.capacity > on_the_way() ? rules.capacity - on_the_way() : 0;
}

std::optional<Ending> Direction::ending_for_reader() const noexcept {
  if (on_the_way() > 0) return std::nullopt;
  if (is_cut()) return cut_->ending;
  return ending_;
}

struct MemoryLink::Wire {
  struct Watch {
    ReadinessWatcher* watcher = nullptr;
    bool read = false;
    bool write = false;
  };

  std::array<Direction, 2> directions;
  std::array<Watch, 2> watches;
  std::array<bool, 2> transport_taken{};
  std::array<bool, 2> readiness_taken{};
};

/// One end, as a transport.
class MemoryEnd final : public Transport {
 public:
  using Wire = MemoryLink::Wire;

  MemoryEnd(std::shared_ptr<Wire> wire, Side side) : wire_(std::move(wire)), side_(side) {}

  ~MemoryEnd() override {
    if (in().readable() > 0) {
      abort();
    } else {
      out().end(Ending::eof);
    }
    in().lose_reader();
  }

  IoResult try_read(std::span<char> into) override {
    if (out().is_reset() && in().readable() == 0) return failed(IoStatus::reset);
    return seen(in().read(into));
  }
  IoResult try_write(std::span<const char> from) override {
    if (in().is_reset()) return failed(IoStatus::reset);
    return seen(out().write(from));
  }
  IoResult try_flush() override { return {}; }
  IoResult try_handshake() override { return {}; }
  IoResult try_shutdown() override {
    if (in().is_reset() || out().is_reset()) return failed(IoStatus::reset);
    out().end(Ending::eof);
    return {};
  }
  void abort() noexcept override {
    out().ending_ = Ending::reset;
    in().ending_ = Ending::reset;
  }
  std::size_t unsent() const noexcept override { return 0; }
  std::string failure() const override { return failure_; }

  /// For Readiness: what a call would not block on.
  static bool is_readable(Wire& wire, Side side) {
    Direction& in = wire.directions[index_of(other(side))];
    return in.readable() > 0 || in.ending_for_reader() || is_broken(wire);
  }
  static bool is_writable(Wire& wire, Side side) {
    Direction& out = wire.directions[index_of(side)];
    return out.room() > 0 || out.ending_ || out.reader_gone_ || is_broken(wire);
  }
  static bool is_broken(Wire& wire) { return wire.directions[0].is_reset() || wire.directions[1].is_reset(); }

 private:
  Direction& out() noexcept { return wire_->directions[index_of(side_)]; }
  Direction& in() noexcept { return wire_->directions[index_of(other(side_))]; }

  IoResult seen(IoResult result) {
    if (result.status == IoStatus::reset) return failed(IoStatus::reset);
    if (result.status == IoStatus::failed) return failed(IoStatus::failed);
    return result;
  }
  IoResult failed(IoStatus status) {
    failure_ = status == IoStatus::reset ? "connection reset" : "written after shutdown";
    return {0, Want::none, status};
  }

  std::shared_ptr<Wire> wire_;
  Side side_;
  std::string failure_;

  friend class MemoryReadiness;
};

/// One end, as a readiness.
class MemoryReadiness final : public Readiness {
 public:
  using Watch = MemoryEnd::Wire::Watch;

  MemoryReadiness(std::shared_ptr<MemoryEnd::Wire> wire, Side side)
      : wire_(std::move(wire)), watch_(wire_->watches[index_of(side)]) {}
  ~MemoryReadiness() override { watch_ = Watch{}; }

  void watch(ReadinessWatcher* watcher) override {
    watch_.watcher = watcher;
    if (watcher == nullptr) watch_ = Watch{};
  }
  void arm(bool read, bool write) override {
    watch_.read = read;
    watch_.write = write;
  }

 private:
  std::shared_ptr<MemoryEnd::Wire> wire_;
  Watch& watch_;
};

MemoryLink::MemoryLink() : wire_(std::make_shared<Wire>()) {}

std::unique_ptr<Transport> MemoryLink::transport(Side side) {
  POSTERN_ASSERT(!std::exchange(wire_->transport_taken[index_of(side)], true));
  return std::make_unique<MemoryEnd>(wire_, side);
}

std::unique_ptr<Readiness> MemoryLink::readiness(Side side) {
  POSTERN_ASSERT(!std::exchange(wire_->readiness_taken[index_of(side)], true));
  return std::make_unique<MemoryReadiness>(wire_, side);
}

Direction& MemoryLink::from(Side side) noexcept {
  return wire_->directions[index_of(side)];
}

bool MemoryLink::deliver() {
  const std::shared_ptr<Wire> wire = wire_;  // a watcher may end the link
  bool told = false;
  for (const Side side : {Side::a, Side::b}) {
    const Wire::Watch& watch = wire->watches[index_of(side)];
    if (watch.watcher == nullptr || (!watch.read && !watch.write)) continue;
    const bool broken = MemoryEnd::is_broken(*wire);
    const bool readable = (watch.read && MemoryEnd::is_readable(*wire, side)) || broken;
    const bool writable = (watch.write && MemoryEnd::is_writable(*wire, side)) || broken;
    if (!readable && !writable) continue;
    watch.watcher->on_ready(readable, writable);
    told = true;
  }
  return told;
}

}  // namespace postern::test
