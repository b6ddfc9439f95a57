#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "postern/store/snapshot.hpp"

namespace postern::store {

/// Mixes one more hash into another (boost's formula, for 64 bits).
inline std::size_t mix_hash(std::size_t seed, std::size_t value) noexcept {
  return seed ^ (value + 0x9E3779B97F4A7C15u + (seed << 6) + (seed >> 2));
}

struct KeyHash {
  std::size_t operator()(const MailboxKey& key) const noexcept {
    const std::hash<std::string> hash;
    return mix_hash(mix_hash(hash(key.user), hash(key.mailbox)), hash(key.backend));
  }
};

}  // namespace postern::store
