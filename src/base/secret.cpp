#include "postern/base/secret.hpp"

#include <cstring>
#include <utility>

namespace postern {

void wipe(std::span<char> memory) noexcept {
  if (!memory.empty()) explicit_bzero(memory.data(), memory.size());
}

// Copied and wiped: a moved std::string may keep a short secret in its own buffer.
// NOLINTNEXTLINE(performance-move-constructor-init)
Secret::Secret(Secret&& other) noexcept : octets_(other.octets_) {
  other.clear();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    clear();
    octets_ = other.octets_;
    other.clear();
  }
  return *this;
}

void Secret::clear() noexcept {
  octets_.resize(octets_.capacity());  // what was longer once is wiped too
  wipe(octets_);
  octets_.clear();
}

}  // namespace postern
