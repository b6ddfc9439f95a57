#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// How the targets read the octets that they are given.
namespace postern::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept
      : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const noexcept { return rest_.empty(); }
  std::string_view rest() const noexcept { return rest_; }

  /// One octet that chooses something; zero if there is none.
  std::uint8_t choice() noexcept { return static_cast<std::uint8_t>(take(1).empty() ? 0 : last_.front()); }

  std::string_view take(std::size_t size) noexcept {
    last_ = rest_.substr(0, size);
    rest_.remove_prefix(last_.size());
    return last_;
  }

  /// Up to the next LF, which is taken off, or to the end.
  std::string_view line() noexcept {
    const auto text = take(rest_.find('\n'));
    take(1);
    return text;
  }

 private:
  std::string_view rest_;
  std::string_view last_;
};

/// Whether a view lies in another one; an empty one may be anywhere.
inline bool lies_in(std::string_view part, std::string_view whole) noexcept {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace postern::fuzz
