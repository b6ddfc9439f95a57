#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "postern/metrics/metrics.hpp"

namespace postern::store {

/// What went wrong with the file: the same word in log and metrics.
class Trouble {
 public:
  Trouble(metrics::StoreTrouble k, std::string d) : kind(k), detail(std::move(d)) {}
  metrics::StoreTrouble kind;
  std::string detail;

  std::size_t index() const noexcept { return static_cast<std::size_t>(kind); }
};

}  // namespace postern::store
