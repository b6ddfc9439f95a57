#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "maildrop/translate/uid_ranges.hpp"
#include "postern/config/config.hpp"
#include "postern/imap/response.hpp"
#include "postern/store/snapshot.hpp"

namespace postern::maildrop {

/// The messages of a mailbox as FETCH tells them: in any order, attributes in any order, some of them twice
/// (the last word counts). What has no UID or no size is somebody's change of flags, and no message.
class MessageList {
 public:
  enum class Sizes : std::uint8_t {
    needed,
    optional,  ///< a message that tells all of its unique-id has size 0 if it tells none
  };

  /// Messages with a UID below `least` are not wanted, and no more than `most` are taken.
  void begin(const config::UidlTemplate& form, std::uint32_t least, std::size_t most,
             Sizes sizes = Sizes::needed);
  /// So many are about to come: room is made for them at once.
  void expect(std::size_t messages);

  void take(const imap::Fetch& fetch);
  /// Octets of header fields, of the response that is read.
  void take_octets(std::string_view octets);

  /// More than `most` came.
  bool has_overflown() const noexcept { return overflown_; }
  /// What came, by UID, with unique-ids if the template asks for more than numbers.
  store::Snapshot finish(std::uint32_t uidvalidity);

 private:
  /// What came out of order, in the order it came.
  struct Strays {
    std::vector<std::uint32_t> uids;
    std::vector<Bytes> sizes;
    store::StoredIds values;
  };

  void add(std::uint32_t uid, Bytes size);
  void collect_values(const imap::Fetch& fetch);
  store::Snapshot merged() const;

  config::UidlTemplate form_;
  bool stores_ids_ = false;
  Sizes sizes_ = Sizes::needed;
  std::uint32_t least_ = 0;
  std::size_t most_ = 0;
  bool overflown_ = false;
  store::Snapshot ascending_;  // its ids are the values, until finish()
  Strays strays_;
  std::string header_;  // of the response that is read
  std::string values_;  // a line for each piece of the template that is stored
  bool has_all_values_ = false;
};

/// The messages of `base` and those of `added`, as far as they are in `keep` (all of them without it). With
/// ids, those that are new get ids that nobody has yet.
store::Snapshot merge(const store::Snapshot& base, const UidRanges* keep, const store::Snapshot& added);

/// The value of a header field in the octets of BODY[HEADER.FIELDS (...)], unfolded, without white space at
/// its ends; empty if it is not there.
std::string header_value(std::string_view fields, std::string_view name);

}  // namespace postern::maildrop
