#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace postern::imap {

/// Most messages of one set: a command that takes long is cut into steps whose answers show progress.
inline constexpr std::size_t kMaxSetMessages = 5000;
/// Longest set. RFC 7162 §4 has servers take lines of 8192 octets; Courier resets the connection above 16
/// KiB.
inline constexpr std::size_t kMaxSetOctets = 7900;
/// The same for old servers (RFC 2683 §3.2.1.5).
inline constexpr std::size_t kShortSetOctets = 900;

/// Writes the chosen messages of a snapshot as UID sets, one for each command. UIDs are joined to a range
/// only if every UID of the snapshot between them is chosen: a range names no message that was not (a message
/// that is newer than the snapshot is never inside, because UIDs ascend, RFC 3501 §2.3.1.1). Ranges and UIDs
/// ascend, "*" is never used.
class UidSets {
 public:
  /// `snapshot`: all UIDs of the mailbox as it was listed, hidden ones too, ascending. `chosen`: for each of
  /// them. Both outlive this. `max_octets` is at least 21, a range; `max_messages` at least 1.
  UidSets(std::span<const std::uint32_t> snapshot, const std::vector<bool>& chosen,
          std::size_t max_octets = kMaxSetOctets, std::size_t max_messages = kMaxSetMessages);

  /// The next set into `out`, "1:2,4"; false: there is none.
  bool next(std::string& out);
  /// How many messages the last set has.
  std::size_t messages() const noexcept { return messages_; }

 private:
  std::span<const std::uint32_t> snapshot_;
  const std::vector<bool>& chosen_;
  std::size_t max_octets_;
  std::size_t max_messages_;
  std::size_t at_ = 0;
  std::size_t messages_ = 0;
};

}  // namespace postern::imap
