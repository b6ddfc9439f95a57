#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "postern/imap/response.hpp"

namespace postern::maildrop {

/// A set of UIDs, as SEARCH answers it. Add in any order, then seal, then ask.
class UidRanges {
 public:
  /// As many messages as a mailbox may have, if nobody configures it.
  static constexpr std::size_t kMost = 2'000'000;

  /// Keeps no more than `most` ranges: a server may go on for ever.
  explicit UidRanges(std::size_t most = kMost) : most_(most) {}

  void add(std::span<const imap::NumberRange> ranges);
  /// Sorts and joins what was added.
  void seal();

  bool contains(std::uint32_t uid) const noexcept;
  bool empty() const noexcept { return ranges_.empty(); }
  /// How many UIDs; those from `first` on.
  std::uint64_t count(std::uint32_t first = 1) const noexcept;
  /// More came than could be kept.
  bool has_overflown() const noexcept { return overflown_; }
  std::span<const imap::NumberRange> ranges() const noexcept { return ranges_; }

 private:
  std::size_t most_;
  bool overflown_ = false;
  std::vector<imap::NumberRange> ranges_;
};

}  // namespace postern::maildrop
