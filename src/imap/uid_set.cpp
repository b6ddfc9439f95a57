#include "postern/imap/uid_set.hpp"

#include "postern/base/assert.hpp"

namespace postern::imap {

UidSets::UidSets(std::span<const std::uint32_t> snapshot, const std::vector<bool>& chosen,
                 std::size_t max_octets, std::size_t max_messages)
    : snapshot_(snapshot), chosen_(chosen), max_octets_(max_octets), max_messages_(max_messages) {
  constexpr std::size_t kLongestRange = 21;  // 4294967294:4294967295
  POSTERN_ASSERT(snapshot.size() == chosen.size());
  POSTERN_ASSERT(max_octets >= kLongestRange && max_messages > 0);
}

bool UidSets::next(std::string& out) {
  out.clear();
  messages_ = 0;
  while (messages_ < max_messages_) {
    while (at_ < snapshot_.size() && !chosen_[at_]) ++at_;
    if (at_ == snapshot_.size()) break;
    auto end = at_;
    while (end < snapshot_.size() && chosen_[end] && messages_ + (end - at_) < max_messages_) ++end;
    auto range = std::to_string(snapshot_[at_]);
    if (end - at_ > 1) range.append(":").append(std::to_string(snapshot_[end - 1]));
    if (!out.empty() && out.size() + 1 + range.size() > max_octets_) break;
    if (!out.empty()) out += ',';
    out += range;
    messages_ += end - at_;
    at_ = end;
  }
  return messages_ != 0;
}

}  // namespace postern::imap
