#include "postern/store/snapshot.hpp"

#include <algorithm>

#include "postern/base/assert.hpp"

namespace postern::store {
namespace {

/// What a node of a std::map of two numbers takes: three pointers and a colour before them, and the
/// allocator's own.
constexpr Bytes kLargeNode = 64;

}  // namespace

void StoredIds::append(std::string_view id) {
  POSTERN_ASSERT(id.size() <= UINT32_MAX - octets_.size());
  octets_ += id;
  ends_.push_back(static_cast<std::uint32_t>(octets_.size()));
}

std::string_view StoredIds::operator[](std::size_t index) const noexcept {
  const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(octets_).substr(begin, ends_[index] - begin);
}

Bytes StoredIds::memory() const noexcept {
  return octets_.capacity() + ends_.capacity() * sizeof(ends_[0]);
}

Bytes Snapshot::size(std::size_t index) const noexcept {
  const std::uint32_t small = sizes_[index];
  return small == kLarge ? large_.find(uids_[index])->second : small;
}

void Snapshot::set_size(std::size_t index, Bytes size) {
  if (sizes_[index] == kLarge) large_.erase(uids_[index]);  // equal snapshots have equal parts
  sizes_[index] = size < kLarge ? static_cast<std::uint32_t>(size) : kLarge;
  if (size >= kLarge) large_.emplace(uids_[index], size);
}

std::size_t Snapshot::find(std::uint32_t uid) const noexcept {
  const auto found = std::lower_bound(uids_.begin(), uids_.end(), uid);
  if (found == uids_.end() || *found != uid) return count();
  return static_cast<std::size_t>(found - uids_.begin());
}

void Snapshot::reserve(std::size_t messages) {
  uids_.reserve(messages);
  sizes_.reserve(messages);
}

void Snapshot::append(std::uint32_t uid, Bytes size) {
  POSTERN_ASSERT(uid > (uids_.empty() ? 0 : uids_.back()));
  uids_.push_back(uid);
  sizes_.push_back(0);
  set_size(count() - 1, size);
}

Bytes Snapshot::memory() const noexcept {
  return sizeof(*this) + id_template.capacity() + uids_.capacity() * sizeof(uids_[0]) +
         sizes_.capacity() * sizeof(sizes_[0]) + large_.size() * kLargeNode + ids_.memory();
}

}  // namespace postern::store
