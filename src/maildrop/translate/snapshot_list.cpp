// The list of a SnapshotTaker: all of it, or what is new; and sizes that nobody tells.
#include <algorithm>
#include <utility>

#include "maildrop/translate/placeholder.hpp"
#include "maildrop/translate/size_meter.hpp"
#include "maildrop/translate/snapshot_taker.hpp"
#include "maildrop/translate/unique_id.hpp"
#include "postern/imap/failure.hpp"
#include "postern/imap/uid_set.hpp"

namespace postern::maildrop {
namespace {

/// Messages that a list leaves out, and that are asked for one by one: more of them are no accident.
constexpr std::size_t kMaxMissing = 1000;
/// Messages, and octets of them as far as they are known, that one command reads for their size: the time is
/// looked at between two.
constexpr std::size_t kMessagesEach = 100;
constexpr Bytes kOctetsEach = 8_MiB;
/// `sizes: exact` believes the server in what would take too long to read, until it is delivered.
constexpr Bytes kMaxMeasured = 64_MiB;
/// `sizes: exact` stops reading when so much of the time is left (a third, if all is short): the rest is read
/// at the next login.
constexpr std::chrono::milliseconds kLeaveForTheRest{15000};
/// A message inside which the connection died so often is not read again.
constexpr unsigned kPoisonous = 2;

/// A set of the wanted messages (indexes, ascending) from `at` on, as many as one command may have; `at` is
/// behind them then.
std::string next_set(const store::Snapshot& snapshot, const std::vector<std::uint32_t>& wanted,
                     std::size_t& at, bool short_lines) {
  Bytes octets = snapshot.size(wanted[at]);
  std::size_t end = at + 1;
  for (; end < wanted.size() && end - at < kMessagesEach; ++end) {
    octets += snapshot.size(wanted[end]);
    if (octets > kOctetsEach) break;
  }
  const std::uint32_t first = wanted[at];
  std::vector<bool> chosen(wanted[end - 1] - first + 1);
  for (std::size_t i = at; i < end; ++i) chosen[wanted[i] - first] = true;
  const std::span<const std::uint32_t> uids(snapshot.uids());
  imap::UidSets sets(uids.subspan(first, chosen.size()), chosen,
                     short_lines ? imap::kShortSetOctets : imap::kMaxSetOctets, kMessagesEach);
  std::string set;
  sets.next(set);
  at += sets.messages();
  return set;
}

/// Behind the last UID.
std::uint64_t end_of(const store::Snapshot& snapshot) noexcept {
  return snapshot.empty() ? 0 : std::uint64_t{snapshot.uids().back()} + 1;
}

}  // namespace

/// Whether so many messages are all there are. If some were removed meanwhile, the number says nothing: as
/// many may be missing as are listed and gone.
bool SnapshotTaker::adds_up(std::size_t messages) const noexcept {
  return state_.removals == 0 && messages == state_.exists;
}

coro::Task<Result<store::Snapshot>> SnapshotTaker::list_all(bool has_list) {
  if (!has_list) {
    begin_list(0);
    list_.expect(state_.exists);
    Result<void> listed = co_await run(list_words(1));
    if (!listed) co_return std::move(listed).error();
  }
  new_from_ = 0;
  if (list_.has_overflown()) co_return too_many();
  store::Snapshot snapshot = list_.finish(state_.uidvalidity);
  if (adds_up(snapshot.count())) co_return snapshot;
  Result<store::Snapshot> completed = co_await complete(std::move(snapshot));
  co_return completed;
}

/// The server has told of more messages, or fewer, than there should be (SNAP-5): its UIDs decide which there
/// are.
coro::Task<Result<store::Snapshot>> SnapshotTaker::complete(store::Snapshot listed) {
  UidRanges all;
  Result<void> searched = co_await search_all(all);
  if (!searched) co_return std::move(searched).error();
  store::Snapshot whole;
  std::vector<std::uint32_t> missing;
  for (const imap::NumberRange& range : all.ranges()) {
    for (std::uint64_t uid = range.first; uid <= range.last; ++uid) {
      const std::size_t index = listed.find(static_cast<std::uint32_t>(uid));
      const bool is_listed = index != listed.count();
      if (!is_listed) missing.push_back(static_cast<std::uint32_t>(whole.count()));
      whole.append(static_cast<std::uint32_t>(uid), is_listed ? listed.size(index) : 0);
    }
  }
  if (missing.size() > kMaxMissing) {
    co_return Error(FailureKind::mailbox, "the server does not tell of " + std::to_string(missing.size()) +
                                              " of its " + std::to_string(whole.count()) + " messages");
  }
  Result<store::Snapshot> described = co_await describe(whole, missing);
  if (!described) co_return std::move(described).error();
  co_return merge(listed, &all, *described);
}

/// The messages that were left out. They are asked for by their UIDs; what the server does not even tell then
/// is found out by reading, or remains 0: nothing is left out for it.
coro::Task<Result<store::Snapshot>> SnapshotTaker::describe(store::Snapshot& whole,
                                                            const std::vector<std::uint32_t>& missing) {
  begin_list(0, MessageList::Sizes::optional);
  for (std::size_t at = 0; at < missing.size();) {
    const std::string set = next_set(whole, missing, at, quirks().short_lines);
    Result<void> asked = co_await run("UID FETCH " + set + " (" + items() + ")");
    if (!asked) co_return std::move(asked).error();
  }
  const store::Snapshot told = list_.finish(state_.uidvalidity);
  std::vector<std::uint32_t> silent;
  for (const std::uint32_t index : missing) {
    const std::size_t found = told.find(whole.uids()[index]);
    const Bytes size = found == told.count() ? 0 : told.size(found);
    whole.set_size(index, size);
    if (size == 0) silent.push_back(index);
  }
  if (!silent.empty()) {
    cells().sizes_unknown.add(silent.size());
    Result<std::size_t> measured = co_await measure(whole, silent);
    if (!measured) co_return std::move(measured).error();
  }
  store::Snapshot described;
  described.id_template = told.id_template;
  for (const std::uint32_t index : missing) {
    const std::uint32_t uid = whole.uids()[index];
    described.append(uid, whole.size(index));
    if (settings().uidl.is_computed()) continue;
    const std::size_t found = told.find(uid);
    described.ids().append(found != told.count()
                               ? std::string(told.ids()[found])
                               : make_unique_id(settings().uidl, state_.uidvalidity, uid, ""));
  }
  co_return described;
}

coro::Task<Result<store::Snapshot>> SnapshotTaker::update(const store::Snapshot& known) {
  new_from_ = known.uidnext;
  store::Snapshot added;
  const std::uint64_t uidnext = state_.uidnext;
  if (uidnext > known.uidnext) {
    begin_list(known.uidnext);
    Result<void> listed = co_await run(list_words(known.uidnext));
    if (!listed) co_return std::move(listed).error();
    if (list_.has_overflown()) co_return too_many();
    added = list_.finish(state_.uidvalidity);
  }
  const std::size_t count = known.count() + added.count();
  bool is_whole = added.count() >= std::max(uidnext, end_of(added)) - known.uidnext;
  if (!is_whole && adds_up(count)) {
    Result<bool> whole = co_await has_whole_tail(known.uidnext, added.count());
    if (!whole) co_return std::move(whole).error();
    is_whole = *whole;
  }
  if (is_whole && adds_up(count)) co_return merge(known, nullptr, added);
  UidRanges all;
  Result<void> searched = co_await search_all(all);
  if (!searched) co_return std::move(searched).error();
  store::Snapshot merged = merge(known, &all, added);
  if (merged.count() == all.count()) co_return merged;
  Result<store::Snapshot> listed = co_await list_all(false);  // what was remembered was not true
  co_return listed;
}

/// New UIDs of which there was no message: they have gone already, or the server does not tell of them while
/// as many others have gone, and the count is right by accident.
coro::Task<Result<bool>> SnapshotTaker::has_whole_tail(std::uint32_t first, std::size_t added) {
  UidRanges tail(settings().max_messages);
  Result<void> searched = co_await search("UID " + std::to_string(first) + ":*", tail);
  if (!searched) co_return std::move(searched).error();
  co_return tail.count(first) <= added;
}

/// `sizes: exact`: reads what was not known. Up to which message everything was read before there was no time
/// left.
coro::Task<Result<std::size_t>> SnapshotTaker::measure_new(store::Snapshot& snapshot) {
  const auto& uids = snapshot.uids();
  const auto begin = std::lower_bound(uids.begin(), uids.end(), new_from_) - uids.begin();
  std::vector<std::uint32_t> wanted;
  const store::MailboxKey mailbox = key();
  for (auto index = static_cast<std::uint32_t>(begin); index < snapshot.count(); ++index) {
    const bool is_readable = snapshot.size(index) <= kMaxMeasured &&
                             store_.failures(mailbox, state_.uidvalidity, uids[index]) < kPoisonous;
    if (is_readable) wanted.push_back(index);
  }
  Result<std::size_t> done = co_await measure(snapshot, wanted);
  if (!done) co_return done;
  co_return *done == wanted.size() ? snapshot.count() : std::size_t{wanted[*done]};
}

/// Reads messages for their size; how many before there was no time left. What cannot be read keeps the size
/// it has.
coro::Task<Result<std::size_t>> SnapshotTaker::measure(store::Snapshot& snapshot,
                                                       const std::vector<std::uint32_t>& wanted) {
  const TimePoint enough = deadline_.when() - std::min(kLeaveForTheRest, settings().snapshot_timeout / 3);
  std::size_t at = 0;
  while (at < wanted.size() && link_.scheduler().now() < enough) {
    std::size_t index = at;
    SizeMeter meter(quirks().gone_is_placeholder ? kPlaceholder : std::string_view());
    const std::string set = next_set(snapshot, wanted, at, quirks().short_lines);
    backend::ImapAnswer answer = link_.client().put("UID FETCH " + set + " (UID BODY.PEEK[])");
    Result<void> read = co_await link_.client().finish(answer, meter, deadline_);
    if (!read) {
      const bool was_inside = read.error().kind() == FailureKind::backend_lost && meter.reading();
      if (was_inside) store_.count_failure(key(), state_.uidvalidity, *meter.reading());
      co_return std::move(read).error();
    }
    if (imap::throttled_for(answer.response())) {
      co_return Error(FailureKind::auth_unavailable, "throttled: " + answer.text);
    }
    for (; index < at; ++index) {
      const auto size = meter.sizes().find(snapshot.uids()[wanted[index]]);
      if (size != meter.sizes().end()) snapshot.set_size(wanted[index], size->second);
    }
  }
  co_return at;
}

}  // namespace postern::maildrop
