#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

#include "postern/base/random.hpp"

namespace postern::test {

/// Dice that fall the same way in every run.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::byte> out) noexcept override {
    for (std::byte& octet : out) octet = static_cast<std::byte>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace postern::test
