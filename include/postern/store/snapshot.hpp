#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/units.hpp"

namespace postern::store {

/// Which mailbox a snapshot is of. UIDVALIDITY tells nothing about the account (Exchange uses the same small
/// numbers for everybody), so the user is part of it.
class MailboxKey {
 public:
  MailboxKey(std::string b, std::string u, std::string m)
      : backend(std::move(b)), user(std::move(u)), mailbox(std::move(m)) {}
  std::string backend;
  std::string user;
  std::string mailbox;  ///< as on the wire (modified UTF-7)
  bool operator==(const MailboxKey&) const = default;
  auto operator<=>(const MailboxKey&) const = default;
};

/// Unique-ids that cannot be computed from UIDs, one for each message, in one piece of memory: four
/// gigabytes at most, which is what 61 million messages take (an id has 70 octets).
class StoredIds {
 public:
  void append(std::string_view id);
  std::string_view operator[](std::size_t index) const noexcept;
  std::size_t size() const noexcept { return ends_.size(); }
  bool empty() const noexcept { return ends_.empty(); }
  Bytes memory() const noexcept;
  bool operator==(const StoredIds&) const = default;

 private:
  std::string octets_;
  std::vector<std::uint32_t> ends_;
};

/// The messages of a mailbox, as a session found them: what the next session compares with. Eight octets a
/// message (protocol: a million in under 16 MB). Immutable once it is shared.
class Snapshot {
 public:
  std::uint32_t uidvalidity = 0;
  std::uint32_t uidnext = 0;
  std::string id_template;  ///< what `ids` were made by; empty with computed ones

  std::size_t count() const noexcept { return uids_.size(); }
  bool empty() const noexcept { return uids_.empty(); }
  const std::vector<std::uint32_t>& uids() const noexcept { return uids_; }  ///< ascending
  Bytes size(std::size_t index) const noexcept;
  /// For what was learned before the snapshot is shared.
  void set_size(std::size_t index, Bytes size);
  /// The index of a UID; count() if it is not there.
  std::size_t find(std::uint32_t uid) const noexcept;
  StoredIds& ids() noexcept { return ids_; }
  const StoredIds& ids() const noexcept { return ids_; }  ///< empty, or one for each message

  void reserve(std::size_t messages);
  /// Behind the last one: `uid` is larger than any before, and than 0 (RFC 3501 §2.3.1.1).
  void append(std::uint32_t uid, Bytes size);

  /// Octets it holds.
  Bytes memory() const noexcept;
  bool operator==(const Snapshot&) const = default;

 private:
  /// Sizes from here on stand in `large_`: mail of four gigabytes and more hardly exists.
  static constexpr std::uint32_t kLarge = UINT32_MAX;

  std::vector<std::uint32_t> uids_;
  std::vector<std::uint32_t> sizes_;
  std::map<std::uint32_t, Bytes> large_;  ///< by UID
  StoredIds ids_;
};

}  // namespace postern::store
