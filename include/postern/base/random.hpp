#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace postern {

/// The seam of chance (ids, jitter, tags): the system's generator in the process, a seeded one in tests.
class Random {
 public:
  virtual ~Random() = default;
  /// Fills with octets; never fails (a system without randomness ends the process). Safe on any thread.
  virtual void fill(std::span<std::byte> out) noexcept = 0;

  std::uint64_t next() noexcept;
};

/// The process's real generator; lives as long as the process.
Random& system_random() noexcept;

}  // namespace postern
