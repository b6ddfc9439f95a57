#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "postern/base/result.hpp"
#include "postern/base/units.hpp"
#include "postern/store/snapshot.hpp"

/// A snapshot as one string of octets, for a store that is not trusted: it may lose a part, mix up two
/// mailboxes, or be of another version of postern.
///
///   version                      1 octet
///   backend, user, mailbox       length and octets, each
///   uidvalidity, uidnext         numbers
///   id_template                  length and octets
///   messages, ids                numbers; ids: 0, or as many as messages
///   a message each               distance from the UID before (the first one's from 0), size
///   an id each                   length and octets
///   checksum                     16 octets: the beginning of the SHA-256 of all before
///
/// Numbers and lengths are LEB128 in as few octets as possible, so a snapshot has one record only.
namespace postern::store {

/// Larger records are neither written nor read. A million messages are 4 MB, with ids of 32 octets 37 MB.
inline constexpr std::size_t kMaxRecord = 64_MiB;

enum class Damage : std::uint8_t {
  too_large,  ///< than kMaxRecord
  checksum,   ///< a part is missing or not what was written
  version,    ///< of another version of postern
  other_key,  ///< whole, and of another mailbox
  form,       ///< the checksum is right, and what it covers is not a snapshot
};
std::string_view label(Damage damage) noexcept;

std::string encode_record(const MailboxKey& key, const Snapshot& snapshot);

/// The snapshot of that mailbox, exactly as it was encoded, or what is wrong. Takes memory in proportion to
/// the record, whatever is in it.
Result<Snapshot, Damage> decode_record(std::string_view record, const MailboxKey& key);

/// Appends the checksum of what is in the record so far.
void seal_record(std::string& record);

}  // namespace postern::store
