#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>

namespace postern::sim {

/// Everything that a run leaves to chance. Its own arithmetic, because the standard distributions differ from
/// one library to the next, and a seed means the same run everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  /// One of 0 to n-1; 0 for n = 0.
  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(engine_() % n); }
  std::size_t between(std::size_t least, std::size_t most) { return least + below(most - least + 1); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class T>
  T pick(std::initializer_list<T> all) {
    return *(all.begin() + below(all.size()));
  }
  /// Small numbers are as likely as large ones: an octet of a connection that is long or short.
  std::size_t somewhere(std::size_t most) { return below(std::size_t{1} << between(0, bits(most))); }
  /// Dice of their own, which others do not disturb.
  Dice split() { return Dice(engine_()); }

 private:
  static std::size_t bits(std::size_t most) {
    std::size_t count = 0;
    while ((most >>= 1U) != 0) ++count;
    return count;
  }

  std::mt19937_64 engine_;
};

}  // namespace postern::sim
