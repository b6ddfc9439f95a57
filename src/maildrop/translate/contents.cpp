#include "maildrop/translate/contents.hpp"

#include <algorithm>

#include "postern/base/assert.hpp"

namespace postern::maildrop {

void Contents::add(Folder folder) {
  begins_.push_back(count());
  for (std::size_t i = 0; i < folder.count(); ++i) octets_ += folder.snapshot->size(folder.index(i));
  marked_.resize(marked_.size() + folder.count());
  retrieved_.resize(marked_.size());
  folders_.push_back(std::move(folder));
}

Contents::Place Contents::place(std::uint32_t message) const noexcept {
  POSTERN_ASSERT(message >= 1 && message <= count());
  const auto behind = std::upper_bound(begins_.begin(), begins_.end(), message - 1);
  const auto folder = static_cast<std::size_t>(behind - begins_.begin()) - 1;
  return {folder, folders_[folder].index(message - 1 - begins_[folder])};
}

std::optional<Contents::Place> Contents::find(std::uint32_t message) const noexcept {
  if (message == 0 || message > count() || is_marked(message)) return std::nullopt;
  return place(message);
}

Bytes Contents::size(const Place& place) const noexcept {
  return folders_[place.folder].snapshot->size(place.index);
}

std::uint32_t Contents::uid(const Place& place) const noexcept {
  return folders_[place.folder].snapshot->uids()[place.index];
}

void Contents::mark(std::uint32_t message) noexcept {
  POSTERN_ASSERT(!is_marked(message));
  marked_[message - 1] = true;
  ++marks_;
  marked_octets_ += size(place(message));
}

void Contents::reset() {
  marked_.assign(marked_.size(), false);
  retrieved_.assign(retrieved_.size(), false);
  marks_ = 0;
  marked_octets_ = 0;
}

template <class Wanted>
std::vector<bool> Contents::choose(std::size_t folder, Wanted wanted) const {
  const Folder& of = folders_[folder];
  std::vector<bool> chosen(of.snapshot->count());
  for (std::size_t i = 0; i < of.count(); ++i) chosen[of.index(i)] = wanted(begins_[folder] + i);
  return chosen;
}

std::vector<bool> Contents::marked_in(std::size_t folder) const {
  return choose(folder, [this](std::size_t i) { return marked_[i]; });
}

std::vector<bool> Contents::retrieved_in(std::size_t folder) const {
  return choose(folder, [this](std::size_t i) { return retrieved_[i] && !marked_[i]; });
}

}  // namespace postern::maildrop
