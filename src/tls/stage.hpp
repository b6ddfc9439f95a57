#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "postern/base/units.hpp"

namespace postern::tls {

/// Ciphertext on its way to the transport below. Holds memory only while it holds octets, so that an idle
/// session costs none.
class Stage {
 public:
  /// One write of 64 KiB: four records of 16 KiB, each with 22 octets around it (header, content type, tag;
  /// RFC 8446 §5.2).
  static constexpr std::size_t kOneWrite = 65'624;
  /// On top of it: tickets that wait for the first write, alerts, answers to KeyUpdate (27 octets each), and
  /// the larger frames of older versions (85 octets for a CBC record with HMAC-SHA384).
  static constexpr std::size_t kAllowance = 4_KiB;
  static constexpr std::size_t kLimit = kOneWrite + kAllowance;

  bool empty() const noexcept { return begin_ == end_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  std::size_t memory() const noexcept { return capacity_; }  ///< octets allocated
  std::span<const char> octets() const noexcept { return {memory_.get() + begin_, size()}; }

  /// Makes room for so many more octets at once; a hint, cut at the limit.
  void reserve(std::size_t more);
  /// False, and nothing is taken, when it would exceed the limit.
  [[nodiscard]] bool append(std::span<const char> octets);
  /// Forgets the first octets; the last one takes the memory along.
  void consume(std::size_t count) noexcept;
  void clear() noexcept { consume(size()); }

 private:
  void make_room(std::size_t more);

  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace postern::tls
