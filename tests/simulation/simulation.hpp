#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postern::sim {

/// What a run came to.
struct Outcome {
  std::vector<std::string> breaches;
  std::size_t visits = 0;
  std::size_t logins = 0;
  std::size_t messages = 0;  ///< that clients got whole
  std::size_t removed = 0;
};

/// One world, made by a seed: users, servers, clients, and what goes wrong. Runs until nothing is left, and
/// checks the laws. The same seed gives the same run.
Outcome run(std::uint64_t seed, bool traced);

}  // namespace postern::sim
