#include "tls/stage.hpp"

#include <algorithm>
#include <cstring>

#include "postern/base/assert.hpp"

namespace postern::tls {
namespace {
// An alert, the record of a short reply or a ticket: one small allocation.
constexpr std::size_t kSmallest = 512;
}  // namespace

void Stage::reserve(std::size_t more) {
  make_room(std::min(more, kLimit - size()));
}

bool Stage::append(std::span<const char> octets) {
  if (octets.size() > kLimit - size()) return false;
  if (octets.empty()) return true;
  make_room(octets.size());
  std::memcpy(memory_.get() + end_, octets.data(), octets.size());
  end_ += octets.size();
  return true;
}

void Stage::consume(std::size_t count) noexcept {
  POSTERN_ASSERT(count <= size());
  begin_ += count;
  if (begin_ != end_) return;
  memory_.reset();
  capacity_ = begin_ = end_ = 0;
}

void Stage::make_room(std::size_t more) {
  if (more <= capacity_ - end_) return;
  const std::size_t held = size();
  if (held + more <= capacity_) {
    std::memmove(memory_.get(), memory_.get() + begin_, held);
  } else {
    const std::size_t wanted = std::min(kLimit, std::max({held + more, 2 * capacity_, kSmallest}));
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (held > 0) std::memcpy(larger.get(), memory_.get() + begin_, held);
    memory_ = std::move(larger);
    capacity_ = wanted;
  }
  begin_ = 0;
  end_ = held;
}

}  // namespace postern::tls
