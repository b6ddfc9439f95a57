#include "maildrop/translate/remover.hpp"

#include <algorithm>
#include <utility>

#include "postern/imap/mailbox_name.hpp"
#include "postern/imap/uid_set.hpp"

namespace postern::maildrop {
namespace {

using config::DeletePolicy;
using config::WithoutUidplus;

/// How often somebody else may flag a message while we make sure that nobody has.
constexpr int kMaxProtections = 3;

Error failed(const std::string& doing, const std::string& why) {
  return Error(FailureKind::update_failed, doing + ": " + why);
}

std::string to_string(const imap::NumberRange& range) {
  std::string text = std::to_string(range.first);
  if (range.last != range.first) text += ":" + std::to_string(range.last);
  return text;
}

/// Ranges as sets that fit a command.
std::vector<std::string> sets(const UidRanges& uids, bool short_lines) {
  const std::size_t most = short_lines ? imap::kShortSetOctets : imap::kMaxSetOctets;
  std::vector<std::string> all;
  std::size_t room = 0;  // messages that still fit into the last one
  for (imap::NumberRange range : uids.ranges()) {
    for (bool more = true; more;) {
      const std::size_t take = std::min<std::uint64_t>(std::uint64_t{range.last} - range.first + 1,
                                                       room != 0 ? room : imap::kMaxSetMessages);
      const imap::NumberRange piece{range.first, static_cast<std::uint32_t>(range.first + (take - 1))};
      const std::string text = to_string(piece);
      if (room == 0 || all.back().size() + 1 + text.size() > most) {
        all.push_back(text);
        room = imap::kMaxSetMessages;
      } else {
        all.back() += "," + text;
      }
      room -= take;
      more = piece.last != range.last;
      range.first = piece.last + 1;
    }
  }
  return all;
}

void add(UidRanges& uids, std::uint64_t first, std::uint64_t last) {
  const imap::NumberRange range{static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last)};
  uids.add(std::span(&range, 1));
}

UidRanges ranges_of(const Folder& folder, const std::vector<bool>& chosen) {
  UidRanges uids;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::uint32_t uid = folder.snapshot->uids()[i];
    if (chosen[i]) add(uids, uid, uid);
  }
  return uids;
}

/// What is in `all` and not in `named`; by ranges, because one may hold very many UIDs.
UidRanges others(const UidRanges& all, const UidRanges& named) {
  UidRanges result;
  auto hole = named.ranges().begin();
  const auto end = named.ranges().end();
  for (const imap::NumberRange& range : all.ranges()) {
    std::uint64_t from = range.first;
    while (hole != end && hole->last < from) ++hole;
    for (auto each = hole; each != end && each->first <= range.last; ++each) {
      if (each->first > from) add(result, from, each->first - 1);
      from = std::uint64_t{each->last} + 1;
    }
    if (from <= range.last) add(result, from, range.last);
  }
  return result;
}

}  // namespace

coro::Task<Result<void>> Remover::remove(const Folder& folder, const std::vector<bool>& chosen) {
  switch (view_.policy()) {
    case DeletePolicy::flag:
    case DeletePolicy::keep: {
      Result<void> done = co_await each_set(folder, chosen, &Remover::add_keyword);
      co_return done;
    }
    case DeletePolicy::move: {
      Result<void> done = co_await move_all(folder, chosen);
      co_return done;
    }
    case DeletePolicy::expunge:
      break;
  }
  if (view_.has_uidplus()) {
    Result<void> done = co_await each_set(folder, chosen, &Remover::expunge);
    co_return done;
  }
  Result<void> done = co_await remove_without_uidplus(folder, chosen);
  co_return done;
}

void Remover::on_numbers(const imap::Response& response, std::span<const imap::NumberRange> numbers) {
  state_.on_numbers(response, numbers);
  const bool is_search =
      response.kind == imap::ResponseKind::search || response.kind == imap::ResponseKind::esearch;
  if (is_search && found_ != nullptr) found_->add(numbers);
}

coro::Task<Result<void>> Remover::each_set(const Folder& folder, const std::vector<bool>& chosen,
                                           SetStep step) {
  imap::UidSets sets(folder.snapshot->uids(), chosen, most_octets());
  std::string set;
  while (sets.next(set)) {
    Result<void> done = co_await (this->*step)(set, sets.messages());
    if (!done) co_return done;
  }
  co_return Result<void>();
}

/// DEL-4. Once more if something is left: Dovecot says OK and does nothing when others are at work in the
/// same mailbox.
coro::Task<Result<void>> Remover::expunge(const std::string& set, std::size_t messages) {
  for (bool again = false;; again = true) {
    Result<void> expunged = co_await expunge_once(set);
    if (!expunged) co_return expunged;
    // EXPUNGEs that came prove nothing (DEL-4): they may be of messages that others have removed.
    Result<void> gone = co_await verify(set);
    if (gone) removed_ += messages;
    const bool are_left = !gone && gone.error().kind() == FailureKind::update_failed;
    if (!are_left || again) co_return gone;
  }
}

/// Both commands in one piece: an EXPUNGE of what could not be flagged does nothing.
coro::Task<Result<void>> Remover::expunge_once(const std::string& set) {
  backend::ImapClient& client = link_.client();
  state_ = MailboxState();
  backend::ImapAnswer flagged = client.put("UID STORE " + set + " +FLAGS.SILENT (\\Deleted)");
  if (client.quirks().one_at_a_time) {
    Result<void> first = co_await client.finish(flagged, *this, deadline_);
    if (!first) co_return first;
    if (!flagged.is_ok()) co_return failed("UID STORE", flagged.text);
  }
  backend::ImapAnswer expunged = client.put("UID EXPUNGE " + set);
  backend::ImapAnswer* const both[] = {&flagged, &expunged};
  Result<void> done = co_await client.finish(std::span<backend::ImapAnswer* const>(both), *this, deadline_);
  if (!done) co_return done;
  if (!flagged.is_ok()) co_return failed("UID STORE", flagged.text);
  if (!expunged.is_ok()) co_return failed("UID EXPUNGE", expunged.text);
  co_return Result<void>();
}

/// Others may have removed some before; or the server has not done what it said.
coro::Task<Result<void>> Remover::verify(const std::string& set) {
  Result<UidRanges> left = co_await search("UID " + set);
  if (!left) co_return std::move(left).error();
  if (!left->empty())
    co_return failed("EXPUNGE", std::to_string(left->count()) + " messages are still there");
  co_return Result<void>();
}

coro::Task<Result<void>> Remover::flag_deleted(const std::string& set, std::size_t messages) {
  Result<void> done = co_await run("UID STORE " + set + " +FLAGS.SILENT (\\Deleted)");
  if (done) removed_ += messages;
  co_return done;
}

coro::Task<Result<void>> Remover::add_keyword(const std::string& set, std::size_t messages) {
  Result<void> done = co_await run("UID STORE " + set + " +FLAGS.SILENT (" + view_.keyword() + ")");
  if (done) removed_ += messages;
  co_return done;
}

// Moving.

coro::Task<Result<void>> Remover::move_all(const Folder& folder, const std::vector<bool>& chosen) {
  if (destination_.empty()) {
    Result<void> found = co_await find_trash();
    if (!found) co_return found;
  }
  if (destination_ == folder.mailbox) co_return failed("moving", "the messages are in that folder already");
  if (link_.client().capabilities().move) {
    Result<void> moved = co_await each_set(folder, chosen, &Remover::move);
    co_return moved;
  }
  // Without MOVE (RFC 6851 §3.3): only what was copied may be removed.
  Result<void> copied = co_await each_set(folder, chosen, &Remover::copy);
  if (!copied) co_return copied;
  if (view_.has_uidplus()) {
    Result<void> done = co_await each_set(folder, chosen, &Remover::expunge);
    co_return done;
  }
  Result<void> done = co_await remove_protecting(folder, chosen);
  co_return done;
}

/// The folder that is configured, or the one that the server calls \Trash (RFC 6154).
coro::Task<Result<void>> Remover::find_trash() {
  if (!view_.settings().move_to.empty()) {
    destination_ = imap::encode_mailbox_name(view_.settings().move_to).value_or(std::string());
    if (destination_.empty()) co_return failed("moving", "move_to is not a name");
    co_return Result<void>();
  }
  class Finder final : public backend::ImapListener {
   public:
    void on_response(const imap::Response& response) override {
      if (response.kind == imap::ResponseKind::list && response.list.trash) name = response.mailbox;
    }
    std::string name;
  };
  Finder finder;
  const bool special_use = link_.client().capabilities().special_use;
  backend::ImapAnswer answer =
      link_.client().put(special_use ? "LIST \"\" \"*\" RETURN (SPECIAL-USE)" : "LIST \"\" \"*\"");
  Result<void> listed = co_await link_.client().finish(answer, finder, deadline_);
  if (!listed) co_return listed;
  if (!answer.is_ok() && special_use) {  // SPECIAL-USE without LIST-EXTENDED
    answer = link_.client().put("LIST \"\" \"*\"");
    Result<void> again = co_await link_.client().finish(answer, finder, deadline_);
    if (!again) co_return again;
  }
  destination_ = finder.name;
  if (destination_.empty())
    co_return failed("moving", "the server has no folder \\Trash, and move_to is not set");
  co_return Result<void>();
}

coro::Task<Result<void>> Remover::move(const std::string& set, std::size_t messages) {
  Result<void> done = co_await transfer("UID MOVE", set);
  if (done) removed_ += messages;
  co_return done;
}

coro::Task<Result<void>> Remover::copy(const std::string& set, std::size_t /*messages*/) {
  Result<void> done = co_await transfer("UID COPY", set);
  co_return done;
}

/// UID MOVE or UID COPY; the folder is made if that is what is missing. Not every server says TRYCREATE.
coro::Task<Result<void>> Remover::transfer(std::string_view name, const std::string& set) {
  for (bool created = false;; created = true) {
    imap::Command command = link_.client().command(name);
    command.words(set).string(destination_).finish();
    Result<backend::ImapAnswer> sent = co_await link_.client().send(std::move(command), *this, deadline_);
    if (!sent) co_return std::move(sent).error();
    Result<void> done = co_await link_.client().finish(*sent, *this, deadline_);
    if (!done) co_return done;
    if (sent->is_ok()) co_return Result<void>();
    const bool may_be_missing = sent->condition == imap::Condition::no && sent->code != imap::Code::overquota;
    if (created || !may_be_missing) co_return failed(std::string(name), sent->text);
    imap::Command create = link_.client().command("CREATE");
    create.string(destination_).finish();
    Result<backend::ImapAnswer> made = co_await link_.client().send(std::move(create), *this, deadline_);
    if (!made) co_return std::move(made).error();
    Result<void> answered = co_await link_.client().finish(*made, *this, deadline_);
    if (!answered) co_return answered;
    if (!made->is_ok()) co_return failed(std::string(name), sent->text);
  }
}

// Without UIDPLUS there is only EXPUNGE, which takes everything that is flagged (RFC 4315 §2.1).

coro::Task<Result<void>> Remover::remove_without_uidplus(const Folder& folder,
                                                         const std::vector<bool>& chosen) {
  switch (view_.without_uidplus()) {
    case WithoutUidplus::protect: {
      Result<void> done = co_await remove_protecting(folder, chosen);
      co_return done;
    }
    case WithoutUidplus::flag_only: {
      Result<void> done = co_await each_set(folder, chosen, &Remover::flag_deleted);
      co_return done;
    }
    case WithoutUidplus::move: {
      Result<void> done = co_await move_all(folder, chosen);
      co_return done;
    }
    case WithoutUidplus::refuse:
      break;
  }
  co_return failed("removing", "the server has no UIDPLUS");
}

/// Takes \Deleted from what others have flagged, for as long as EXPUNGE takes (DEL-5). If the connection dies
/// in between, those stay without it: nothing is lost.
coro::Task<Result<void>> Remover::remove_protecting(const Folder& folder, const std::vector<bool>& chosen) {
  const UidRanges named = ranges_of(folder, chosen);
  UidRanges protect;
  Result<void> flagged = co_await store_flag(named, "+FLAGS.SILENT (\\Deleted)");
  if (!flagged) co_return flagged;
  for (int i = 0;; ++i) {
    Result<UidRanges> all = co_await search("DELETED");
    if (!all) co_return std::move(all).error();
    const UidRanges more = others(*all, named);
    if (more.empty()) break;
    if (i == kMaxProtections) {  // what is ours stays flagged, as with flag_only, but nothing hides it
      Result<void> restored = co_await store_flag(protect, "+FLAGS.SILENT (\\Deleted)");
      if (!restored) co_return restored;
      co_return failed("EXPUNGE", "somebody else goes on flagging messages");
    }
    LogLine(log_, LogLevel::info, "expunge_protects", "flags of others are taken away and put back")
        .field("session", link_.session())
        .field("backend", link_.backend().name())
        .field("mailbox", folder.mailbox)
        .field("uids", sets(more, true).front());
    protect.add(more.ranges());
    protect.seal();
    Result<void> cleared = co_await store_flag(more, "-FLAGS.SILENT (\\Deleted)");
    if (!cleared) co_return cleared;
  }
  state_ = MailboxState();
  Result<void> expunged = co_await run("EXPUNGE");
  if (expunged) expunged = co_await verify_all(named);
  if (expunged) removed_ += named.count();
  const bool may_restore = expunged || expunged.error().kind() == FailureKind::update_failed;
  if (!may_restore) co_return expunged;
  Result<void> restored = co_await store_flag(protect, "+FLAGS.SILENT (\\Deleted)");
  if (!expunged) co_return expunged;
  co_return restored;
}

coro::Task<Result<void>> Remover::verify_all(const UidRanges& uids) {
  for (const std::string& set : sets(uids, short_lines())) {
    Result<void> gone = co_await verify(set);
    if (!gone) co_return gone;
  }
  co_return Result<void>();
}

/// Of a set: what stands around it, a mailbox's name maybe, has to fit too.
std::size_t Remover::most_octets() const noexcept {
  const std::size_t most = short_lines() ? imap::kShortSetOctets : imap::kMaxSetOctets;
  return std::max(most - std::min(most, destination_.size()), most / 2);
}

coro::Task<Result<void>> Remover::store_flag(const UidRanges& uids, std::string_view change) {
  for (const std::string& set : sets(uids, short_lines())) {
    Result<void> done = co_await run("UID STORE " + set + " " + std::string(change));
    if (!done) co_return done;
  }
  co_return Result<void>();
}

coro::Task<Result<UidRanges>> Remover::search(const std::string& criteria) {
  UidRanges found;
  found_ = &found;
  std::string words = link_.client().capabilities().esearch ? "UID SEARCH RETURN (ALL) " : "UID SEARCH ";
  words += criteria;
  Result<void> done = co_await run(words);
  found_ = nullptr;
  if (!done) co_return std::move(done).error();
  found.seal();
  if (found.count() > link_.backend().settings().imap.max_messages) {
    co_return Error(FailureKind::backend_protocol, "SEARCH found more messages than a mailbox may have");
  }
  co_return found;
}

coro::Task<Result<void>> Remover::run(const std::string& words) {
  backend::ImapAnswer answer = link_.client().put(words);
  Result<void> done = co_await link_.client().finish(answer, *this, deadline_);
  if (!done) co_return done;
  if (!answer.is_ok()) co_return failed(words.substr(0, words.find(' ', 4)), answer.text);
  co_return Result<void>();
}

// What QUIT does not promise.

coro::Task<Result<void>> Remover::mark_seen(const Folder& folder, const std::vector<bool>& chosen) {
  imap::UidSets sets(folder.snapshot->uids(), chosen, most_octets());
  std::string set;
  while (sets.next(set)) {
    Result<void> done = co_await run("UID STORE " + set + " +FLAGS.SILENT (\\Seen)");
    if (!done) co_return done;
  }
  co_return Result<void>();
}

coro::Task<Result<void>> Remover::remove_expired(WallTime now) {
  const std::uint32_t days = view_.settings().keep_days;
  if (view_.policy() != DeletePolicy::keep || days == 0 || !view_.has_uidplus()) co_return Result<void>();
  Result<UidRanges> old =
      co_await search("KEYWORD " + view_.keyword() + " BEFORE " + search_date(now - std::chrono::days(days)));
  if (!old) co_return std::move(old).error();
  for (const std::string& set : sets(*old, short_lines())) {
    Result<void> done = co_await expunge(set, 0);
    if (!done) co_return done;
  }
  co_return Result<void>();
}

}  // namespace postern::maildrop
