#pragma once

#include <cstdint>
#include <string>

#include "postern/config/config.hpp"

/// What a template means, in the plainest way: for tests of its reader.
namespace postern::config {

struct Numbers {
  std::uint32_t uid = 1;
  std::uint32_t uidvalidity = 1;
  std::uint64_t gm_msgid = 1;
};

/// The unique-id of a message; `stored` stands for a stored id that is no number.
std::string rendered(const UidlTemplate& uidl, const Numbers& numbers, const std::string& stored);

/// The pieces as one would write them.
std::string written(const UidlTemplate& uidl);

}  // namespace postern::config
