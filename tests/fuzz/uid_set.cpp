#include "postern/imap/uid_set.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"

namespace {

using namespace postern;

constexpr std::size_t kLeastOctets = 21;  // a range

std::uint32_t number(std::string_view& text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  POSTERN_ASSERT(error == std::errc() && value > 0);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// The UIDs of the snapshot that a set names, by RFC 3501 §9 alone.
void add_named(std::string_view set, const std::vector<std::uint32_t>& snapshot,
               std::vector<std::uint32_t>& named) {
  while (!set.empty()) {
    const std::uint32_t first = number(set);
    std::uint32_t last = first;
    if (set.starts_with(':')) {
      set.remove_prefix(1);
      last = number(set);
    }
    POSTERN_ASSERT(first <= last);
    for (const std::uint32_t uid : snapshot) {
      if (uid >= first && uid <= last) named.push_back(uid);
    }
    if (set.empty()) break;
    POSTERN_ASSERT(set.starts_with(','));
    set.remove_prefix(1);
    POSTERN_ASSERT(!set.empty());
  }
}

}  // namespace

/// Two octets choose the limits; each of the rest is a message: how far its UID is from the one before, and
/// whether it is chosen. The sets name those that are chosen, each once, and no other.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t octets = kLeastOctets + input.choice();
  const std::size_t messages = 1 + input.choice();
  std::vector<std::uint32_t> snapshot;
  std::vector<std::uint32_t> expected;
  std::vector<bool> chosen;
  std::uint32_t uid = 0;
  while (!input.empty()) {
    const std::uint8_t choice = input.choice();
    const std::uint32_t step = choice % 2 == 0 ? 1 : 1U + choice * 65537U * (choice & 0x7FU);
    if (UINT32_MAX - uid <= step) break;
    uid += step;
    snapshot.push_back(uid);
    chosen.push_back((choice & 0x40) != 0);
    if (chosen.back()) expected.push_back(uid);
  }
  imap::UidSets sets(snapshot, chosen, octets, messages);
  std::vector<std::uint32_t> named;
  std::string set;
  while (sets.next(set)) {
    POSTERN_ASSERT(!set.empty() && set.size() <= octets);
    const std::size_t before = named.size();
    add_named(set, snapshot, named);
    POSTERN_ASSERT(named.size() - before == sets.messages());
    POSTERN_ASSERT(sets.messages() >= 1 && sets.messages() <= messages);
  }
  POSTERN_ASSERT(named == expected);
  return 0;
}
