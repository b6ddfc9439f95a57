#include "maildrop/translate/uid_ranges.hpp"

#include <algorithm>

namespace postern::maildrop {

void UidRanges::add(std::span<const imap::NumberRange> ranges) {
  for (const imap::NumberRange& range : ranges) {
    if (!ranges_.empty() && ranges_.back().last != UINT32_MAX && range.first == ranges_.back().last + 1) {
      ranges_.back().last = range.last;
    } else if (ranges_.size() < most_) {
      ranges_.push_back(range);
    } else {
      overflown_ = true;
    }
  }
}

void UidRanges::seal() {
  std::sort(ranges_.begin(), ranges_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<imap::NumberRange> joined;
  for (const imap::NumberRange& range : ranges_) {
    const bool touches =
        !joined.empty() && (joined.back().last == UINT32_MAX || range.first <= joined.back().last + 1);
    if (touches) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  ranges_ = std::move(joined);
}

bool UidRanges::contains(std::uint32_t uid) const noexcept {
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), uid,
                                       [](std::uint32_t u, const auto& range) { return u < range.first; });
  return behind != ranges_.begin() && uid <= std::prev(behind)->last;
}

std::uint64_t UidRanges::count(std::uint32_t first) const noexcept {
  std::uint64_t count = 0;
  for (const imap::NumberRange& range : ranges_) {
    if (range.last >= first) count += std::uint64_t{range.last} - std::max(range.first, first) + 1;
  }
  return count;
}

}  // namespace postern::maildrop
