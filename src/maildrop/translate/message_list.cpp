#include "maildrop/translate/message_list.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

#include "maildrop/translate/unique_id.hpp"
#include "postern/base/ascii.hpp"

namespace postern::maildrop {
namespace {

using Source = config::UidlPiece::Source;

/// Of the header fields of a message: a unique-id has 70 characters at most, and folding adds little.
constexpr std::size_t kMaxHeader = 4096;

/// Ids that somebody has. Two messages may have the same by what the server or a header says: copies have the
/// same EMAILID (RFC 8474 §5.1), and a sender may write any Message-ID, the one of another included. The
/// older one keeps it.
class TakenIds {
 public:
  /// Where `id` stays as long as this lives.
  void add(std::string_view id) { views_.insert(id); }
  /// Appends an id that nobody has: `wanted`, which stays too, or one like it.
  void append(store::StoredIds& ids, std::string_view wanted, std::uint32_t uid) {
    if (!is_taken(wanted)) {
      add(wanted);
      ids.append(wanted);
    } else {
      ids.append(*made_.insert(another(wanted, uid)).first);
    }
  }

 private:
  bool is_taken(std::string_view id) const { return views_.contains(id) || made_.contains(id); }

  std::string another(std::string_view wanted, std::uint32_t uid) const {
    constexpr std::size_t kLongest = config::kLongestUidl - config::kUidlFolderPrefix;
    const std::string suffix = "." + std::to_string(uid);
    std::string id = std::string(wanted.substr(0, kLongest - suffix.size())) + suffix;
    for (std::size_t i = 2; is_taken(id); ++i) {
      const std::string longer = suffix + "." + std::to_string(i);
      id = std::string(wanted.substr(0, kLongest - longer.size())) + longer;
    }
    return id;
  }

  std::unordered_set<std::string_view> views_;
  std::set<std::string, std::less<>> made_;
};

}  // namespace

void MessageList::begin(const config::UidlTemplate& form, std::uint32_t least, std::size_t most,
                        Sizes sizes) {
  *this = MessageList();
  form_ = form;
  stores_ids_ = !form.is_computed();
  sizes_ = sizes;
  least_ = least;
  most_ = most;
}

void MessageList::expect(std::size_t messages) {
  if (least_ == 0 && ascending_.empty()) ascending_.reserve(std::min(messages, most_));
}

void MessageList::take_octets(std::string_view octets) {
  header_ += octets.substr(0, kMaxHeader - std::min(kMaxHeader, header_.size()));
}

void MessageList::take(const imap::Fetch& fetch) {
  if (fetch.uid && *fetch.uid >= least_) {
    collect_values(fetch);
    const bool has_size = fetch.size.has_value() || (sizes_ == Sizes::optional && has_all_values_);
    if (has_size) add(*fetch.uid, fetch.size.value_or(0));
  }
  header_.clear();
}

void MessageList::collect_values(const imap::Fetch& fetch) {
  values_.clear();
  has_all_values_ = stores_ids_;
  if (!stores_ids_) return;
  for (const config::UidlPiece& piece : form_.pieces) {
    std::string value;
    if (piece.source == Source::email_id) value = fetch.email_id;
    if (piece.source == Source::guid) value = fetch.guid;
    if (piece.source == Source::gm_msgid && fetch.gm_msgid) value = std::to_string(*fetch.gm_msgid);
    if (piece.source == Source::header) value = header_value(header_, piece.text);
    const bool is_stored =
        piece.source != Source::text && piece.source != Source::uid && piece.source != Source::uidvalidity;
    if (!is_stored) continue;
    has_all_values_ = has_all_values_ && !value.empty();
    values_ += value.size() <= config::kLongestUidl ? value : digest(value);  // a million have to be held
    values_ += '\n';
  }
}

void MessageList::add(std::uint32_t uid, Bytes size) {
  if (ascending_.count() + strays_.uids.size() >= most_) {
    overflown_ = true;
    return;
  }
  const bool ascends = ascending_.empty() || uid > ascending_.uids().back();
  if (ascends && strays_.uids.empty()) {
    ascending_.append(uid, size);
    if (stores_ids_) ascending_.ids().append(values_);
    return;
  }
  strays_.uids.push_back(uid);
  strays_.sizes.push_back(size);
  if (stores_ids_) strays_.values.append(values_);
}

/// What came in order and what did not, together; of a message that came twice, the last one.
store::Snapshot MessageList::merged() const {
  std::vector<std::uint32_t> order(strays_.uids.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto& uids = strays_.uids;
  std::sort(order.begin(), order.end(), [&uids](std::uint32_t a, std::uint32_t b) {
    return uids[a] != uids[b] ? uids[a] < uids[b] : a < b;
  });
  store::Snapshot snapshot;
  snapshot.reserve(ascending_.count() + order.size());
  std::size_t i = 0;
  const auto take_ascending_below = [&](std::uint64_t uid) {
    for (; i < ascending_.count() && ascending_.uids()[i] < uid; ++i) {
      snapshot.append(ascending_.uids()[i], ascending_.size(i));
      if (stores_ids_) snapshot.ids().append(ascending_.ids()[i]);
    }
  };
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::uint32_t uid = uids[order[at]];
    if (at + 1 < order.size() && uids[order[at + 1]] == uid) continue;
    take_ascending_below(uid);
    if (i < ascending_.count() && ascending_.uids()[i] == uid) ++i;
    snapshot.append(uid, strays_.sizes[order[at]]);
    if (stores_ids_) snapshot.ids().append(strays_.values[order[at]]);
  }
  take_ascending_below(UINT64_MAX);
  return snapshot;
}

store::Snapshot MessageList::finish(std::uint32_t uidvalidity) {
  store::Snapshot snapshot = strays_.uids.empty() ? std::exchange(ascending_, store::Snapshot()) : merged();
  strays_ = Strays();
  if (!stores_ids_) return snapshot;
  snapshot.id_template = form_.text;
  store::StoredIds wanted, ids;
  for (std::size_t i = 0; i < snapshot.count(); ++i) {
    wanted.append(make_unique_id(form_, uidvalidity, snapshot.uids()[i], snapshot.ids()[i]));
  }
  TakenIds taken;
  for (std::size_t i = 0; i < snapshot.count(); ++i) taken.append(ids, wanted[i], snapshot.uids()[i]);
  snapshot.ids() = std::move(ids);
  return snapshot;
}

store::Snapshot merge(const store::Snapshot& base, const UidRanges* keep, const store::Snapshot& added) {
  store::Snapshot result;
  result.uidvalidity = base.uidvalidity;
  result.id_template = added.id_template.empty() ? base.id_template : added.id_template;
  result.reserve(base.count() + added.count());
  const bool has_ids = !result.id_template.empty();
  TakenIds taken;
  if (has_ids && !added.empty()) {
    for (std::size_t i = 0; i < base.count(); ++i) taken.add(base.ids()[i]);
  }
  std::size_t a = 0;
  const auto append_added = [&] {
    const std::uint32_t uid = added.uids()[a];
    if (keep == nullptr || keep->contains(uid)) {
      result.append(uid, added.size(a));
      if (has_ids) taken.append(result.ids(), added.ids()[a], uid);
    }
    ++a;
  };
  for (std::size_t b = 0; b < base.count(); ++b) {
    const std::uint32_t uid = base.uids()[b];
    while (a < added.count() && added.uids()[a] < uid) append_added();
    if (a < added.count() && added.uids()[a] == uid) ++a;  // sizes of a UID never change: the known one stays
    if (keep != nullptr && !keep->contains(uid)) continue;
    result.append(uid, base.size(b));
    if (has_ids) result.ids().append(base.ids()[b]);
  }
  while (a < added.count()) append_added();
  return result;
}

std::string header_value(std::string_view fields, std::string_view name) {
  std::string value;
  bool found = false;
  while (!fields.empty()) {
    const std::size_t lf = std::min(fields.find('\n'), fields.size() - 1);
    std::string_view line = fields.substr(0, lf + 1);
    fields.remove_prefix(lf + 1);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    const bool goes_on = line.starts_with(' ') || line.starts_with('\t');
    if (found && !goes_on) break;
    if (found) value += line;
    if (found || goes_on || !ascii::begins_with(line, name)) continue;
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));  // old mail has "Name : x"
    found = line.starts_with(':');
    if (found) value = line.substr(1);
  }
  std::erase(value, '\r');
  const std::size_t begin = value.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return value.substr(begin, value.find_last_not_of(" \t") + 1 - begin);
}

}  // namespace postern::maildrop
