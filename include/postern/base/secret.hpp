#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace postern {

/// Overwrites memory in a way that the optimiser may not leave out.
void wipe(std::span<char> memory) noexcept;

/// A password, token or SASL message. Wipes every octet it owned when it is moved from, assigned or
/// destroyed; cannot be copied, printed or compared. `view()` is for the one place that hands it to a peer.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : octets_(text) {}
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { clear(); }

  /// A second owner, for whoever has to outlive the first (a translation that may log in again).
  Secret clone() const { return Secret(view()); }
  void clear() noexcept;

  std::string_view view() const noexcept { return {octets_.data(), octets_.size()}; }
  std::size_t size() const noexcept { return octets_.size(); }
  bool empty() const noexcept { return octets_.empty(); }

 private:
  std::string octets_;
};

}  // namespace postern
