#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "postern/base/random.hpp"

namespace postern::auth {

/// The last user name and password that were refused on one connection, as a keyed hash, so that a client
/// that tries the same pair with every mechanism it knows (Thunderbird does) does not count as three failures
/// at the backend, where accounts get locked.
class RefusedPair {
 public:
  void remember(std::string_view user, std::string_view password);
  bool matches(std::string_view user, std::string_view password) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  static Digest digest(std::string_view user, std::string_view password);

  std::optional<Digest> last_;
};

}  // namespace postern::auth
