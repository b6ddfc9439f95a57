#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postern/base/units.hpp"
#include "postern/store/snapshot.hpp"

namespace postern::maildrop {

/// One folder of a maildrop, as this session found it.
class Folder {
 public:
  Folder() = default;   // not an aggregate: it crosses coroutines
  std::string mailbox;  ///< as on the wire
  std::shared_ptr<const store::Snapshot> snapshot;
  bool uids_persist = true;
  bool read_only = false;
  bool is_missing = false;  ///< there is no such folder
  std::string id_prefix;
  /// The indexes of the messages that are shown, if not all are.
  std::optional<std::vector<std::uint32_t>> shown;

  std::size_t count() const noexcept { return shown ? shown->size() : snapshot->count(); }
  std::size_t index(std::size_t place) const noexcept { return shown ? (*shown)[place] : place; }
};

/// The messages of a maildrop: those of its folders one after the other, numbered from 1, and what the client
/// has marked. Fixed until the session ends (RFC 1939 §8).
class Contents {
 public:
  /// Where a message is: a folder, and an index into its snapshot.
  struct Place {
    std::size_t folder;
    std::size_t index;
  };

  void add(Folder folder);

  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(marked_.size()); }
  const std::vector<Folder>& folders() const noexcept { return folders_; }
  /// Nothing if there is no such message, or it is marked as deleted.
  std::optional<Place> find(std::uint32_t message) const noexcept;
  bool is_marked(std::uint32_t message) const noexcept { return marked_[message - 1]; }
  Bytes size(const Place& place) const noexcept;
  std::uint32_t uid(const Place& place) const noexcept;

  std::uint32_t left() const noexcept { return count() - marks_; }  ///< not marked
  Bytes octets_left() const noexcept { return octets_ - marked_octets_; }
  std::uint32_t marks() const noexcept { return marks_; }

  void mark(std::uint32_t message) noexcept;
  void set_retrieved(std::uint32_t message) { retrieved_[message - 1] = true; }
  /// RSET: nothing is marked, and nothing counts as retrieved.
  void reset();

  /// For a folder: which messages of its snapshot are marked; or were retrieved and are not marked.
  std::vector<bool> marked_in(std::size_t folder) const;
  std::vector<bool> retrieved_in(std::size_t folder) const;

 private:
  Place place(std::uint32_t message) const noexcept;
  template <class Wanted>
  std::vector<bool> choose(std::size_t folder, Wanted wanted) const;

  std::vector<Folder> folders_;
  std::vector<std::uint32_t> begins_;  ///< for each folder, the number of its first message less one
  std::vector<bool> marked_;
  std::vector<bool> retrieved_;
  std::uint32_t marks_ = 0;
  Bytes octets_ = 0;
  Bytes marked_octets_ = 0;
};

}  // namespace postern::maildrop
