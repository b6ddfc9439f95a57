#include "maildrop/translate/snapshot_taker.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "maildrop/translate/unique_id.hpp"
#include "postern/base/ascii.hpp"
#include "postern/imap/failure.hpp"

namespace postern::maildrop {
namespace {

/// SEC-4: responses of one command, for a mailbox of so many messages.
constexpr std::uint64_t response_limit(std::uint32_t messages) noexcept {
  return 10 * std::uint64_t{messages} + 1000;
}
constexpr const char* kInbox = "INBOX";
constexpr const char* kSearch = "UID SEARCH ";

/// Of a server that says in words what others say by NONEXISTENT.
constexpr std::array<std::string_view, 3> kMissingTexts = {"does not exist", "doesn't exist",
                                                           "no such mailbox"};

bool says_missing(const backend::ImapAnswer& answer) noexcept {
  return answer.code == imap::Code::nonexistent ||
         std::any_of(kMissingTexts.begin(), kMissingTexts.end(),
                     [&answer](std::string_view text) { return ascii::contains(answer.text, text); });
}

bool is_search(const imap::Response& response) noexcept {
  return response.kind == imap::ResponseKind::search || response.kind == imap::ResponseKind::esearch;
}

Error failed(const backend::ImapAnswer& answer, const std::string& doing) {
  return Error(FailureKind::mailbox, doing + ": the server said: " + answer.text);
}

}  // namespace

SnapshotTaker::SnapshotTaker(Link& link, const View& view, store::Store& store, Log& log, WallTime now,
                             coro::Deadline deadline)
    : link_(link),
      view_(view),
      store_(store),
      log_(log),
      now_(now),
      deadline_(deadline),
      criteria_(view.criteria(now)),
      filtered_(link.backend().settings().imap.max_messages) {}

coro::Task<Result<Folder>> SnapshotTaker::take(std::string mailbox, Missing missing) {
  mailbox_ = ascii::equal(mailbox, kInbox) ? std::string(kInbox) : std::move(mailbox);
  std::shared_ptr<const store::Snapshot> known;
  if (may_remember()) {
    const store::MailboxKey wanted = key();
    known = co_await store_.load(wanted, deadline_, link_.scope());
  }
  const std::string form = settings().uidl.is_computed() ? std::string() : settings().uidl.text;
  if (known && known->id_template != form) known.reset();
  Result<void> selected = co_await select(known == nullptr, missing);
  if (!selected) co_return std::move(selected).error();
  Folder folder = describe_folder();
  if (missing_) co_return folder;
  const bool was_listed = known == nullptr && !quirks().one_at_a_time;
  const bool is_too_large = state_.exists > settings().max_messages || (was_listed && list_.has_overflown());
  if (is_too_large || filtered_.has_overflown()) co_return too_many();
  Result<void> possible = check_policy();
  if (!possible) co_return std::move(possible).error();

  if (known && is_of_another_time(*known)) known.reset();
  if (known && is_unchanged(*known)) {
    cells().snapshots_unchanged.add();
    folder.snapshot = std::move(known);
  } else {
    (known ? cells().snapshots_updated : cells().snapshots_full).add();
    Result<store::Snapshot> taken = store::Snapshot();
    if (known) {
      taken = co_await update(*known);
    } else {
      taken = co_await list_all(was_listed);
    }
    if (!taken) co_return std::move(taken).error();
    store::Snapshot snapshot = std::move(*taken);
    if (snapshot.count() > settings().max_messages) co_return too_many();
    finish(snapshot);
    std::size_t measured = snapshot.count();
    if (settings().sizes == config::Sizes::exact) {
      Result<std::size_t> done = co_await measure_new(snapshot);
      if (!done) co_return std::move(done).error();
      measured = *done;
    }
    folder.snapshot = std::make_shared<const store::Snapshot>(std::move(snapshot));
    if (may_remember() && folder.uids_persist) remember(folder.snapshot, measured);
  }
  choose_shown(folder);
  link_.selected = mailbox_;
  co_return folder;
}

/// All but its messages.
Folder SnapshotTaker::describe_folder() const {
  Folder folder;
  folder.mailbox = mailbox_;
  folder.snapshot = std::make_shared<const store::Snapshot>();
  folder.read_only = read_only_;
  folder.is_missing = missing_;
  if (mailbox_ != kInbox) folder.id_prefix = folder_prefix(mailbox_, state_.mailbox_id);
  folder.uids_persist = missing_ || (state_.uidvalidity != 0 && state_.uids_persist);
  return folder;
}

// What comes.

void SnapshotTaker::on_response(const imap::Response& response) {
  state_.on_response(response);
  if (response.kind == imap::ResponseKind::exists) {
    link_.client().set_response_limit(response_limit(response.number));
    list_.expect(response.number);
  }
  if (response.kind == imap::ResponseKind::fetch) list_.take(response.fetch);
  if (is_search(response) && found_ == &filtered_) was_filtered_ = true;
}

void SnapshotTaker::on_numbers(const imap::Response& response, std::span<const imap::NumberRange> numbers) {
  state_.on_numbers(response, numbers);
  if (is_search(response) && found_ != nullptr) found_->add(numbers);
}

// Commands.

/// STATUS where SELECT does not tell UIDNEXT, SELECT, and, when nothing is known, the list and the view's
/// search right behind it: two round trips less (SNAP-4).
coro::Task<Result<void>> SnapshotTaker::select(bool with_list, Missing missing) {
  backend::ImapClient& client = link_.client();
  link_.selected.clear();
  const bool alone = quirks().one_at_a_time;
  if (quirks().uidnext_by_status) {
    imap::Command command = client.command("STATUS");
    command.string(mailbox_).words("(UIDNEXT)").finish();
    Result<backend::ImapAnswer> sent = co_await client.send(std::move(command), *this, deadline_);
    if (!sent) co_return std::move(sent).error();
    if (alone) {
      Result<void> told = co_await client.finish(*sent, *this, deadline_);
      if (!told) co_return told;
    }
  }
  imap::Command command = client.command("SELECT");
  command.string(mailbox_).finish();
  Result<backend::ImapAnswer> sent = co_await client.send(std::move(command), *this, deadline_);
  if (!sent) co_return std::move(sent).error();
  backend::ImapAnswer select = std::move(*sent);
  std::vector<backend::ImapAnswer> followers;
  std::vector<std::string> words;
  if (with_list && !alone) {
    begin_list(0);
    words.push_back(list_words(1));
    followers.push_back(client.put(words.back()));
  }
  if (!criteria_.empty() && !alone) {
    found_ = &filtered_;
    words.push_back(search_words(criteria_));
    followers.push_back(client.put(words.back()));
  }
  Result<void> answered = co_await client.finish(select, *this, deadline_);
  if (!answered) co_return answered;
  if (!select.is_ok()) {
    for (backend::ImapAnswer& follower : followers) {
      Result<void> done = co_await client.finish(follower, *this, deadline_);
      if (!done) co_return done;
    }
    Result<void> meaning = co_await refused(std::move(select), missing);
    co_return meaning;
  }
  read_only_ = select.code == imap::Code::read_only;
  for (std::size_t i = 0; i < followers.size(); ++i) {
    Result<void> done = co_await client.finish(followers[i], *this, deadline_);
    if (!done) co_return done;
    Result<void> repeated = co_await ask_again(followers[i], words[i]);
    if (!repeated) co_return repeated;
  }
  if (!criteria_.empty() && alone) {
    Result<void> searched = co_await search(criteria_, filtered_);
    if (!searched) co_return searched;
  }
  found_ = nullptr;
  filtered_.seal();
  if (!state_.told_exists) co_return Error(FailureKind::mailbox, "SELECT did not tell EXISTS");
  // No answer to what is hidden means that nothing is. No answer to what is shown would empty the maildrop.
  if (view_.search_finds_shown() && !was_filtered_ && state_.exists != 0) {
    co_return Error(FailureKind::mailbox, "SEARCH was not answered");
  }
  co_return Result<void>();
}

/// A mailbox that cannot be selected. Missing is not the same as broken, and neither is the same as empty: a
/// mail program that is shown an empty mailbox forgets what it has (SNAP-1, SNAP-2).
coro::Task<Result<void>> SnapshotTaker::refused(backend::ImapAnswer answer, Missing missing) {
  const FailureKind kind = imap::select_failure(answer.response());
  if (kind != FailureKind::mailbox || answer.condition != imap::Condition::no) {
    co_return Error(kind, "SELECT: the server said: " + answer.text);
  }
  bool is_missing = says_missing(answer);
  if (!is_missing && missing != Missing::fails) {
    Result<bool> there = co_await exists_at_all();
    if (!there) co_return std::move(there).error();
    is_missing = !*there;
  }
  if (!is_missing) co_return failed(answer, "SELECT");
  if (missing == Missing::no_folder) co_return Error(FailureKind::no_folder, "no folder " + mailbox_);
  const bool may_be_missing =
      missing == Missing::empty || settings().missing_inbox == config::MissingInbox::empty;
  if (!may_be_missing) co_return failed(answer, "SELECT");
  state_ = MailboxState();
  missing_ = true;
  co_return Result<void>();
}

coro::Task<Result<bool>> SnapshotTaker::exists_at_all() {
  class Finder final : public backend::ImapListener {
   public:
    void on_response(const imap::Response& response) override {
      const bool is_it = response.kind == imap::ResponseKind::list && response.mailbox == mailbox;
      found = found || (is_it && !response.list.noselect);
    }
    std::string mailbox;  // "*" and "%" are names as well, and find others
    bool found = false;
  };
  Finder finder;
  finder.mailbox = mailbox_;
  imap::Command command = link_.client().command("LIST");
  command.string("").string(mailbox_).finish();
  Result<backend::ImapAnswer> sent = co_await link_.client().send(std::move(command), finder, deadline_);
  if (!sent) co_return std::move(sent).error();
  Result<void> done = co_await link_.client().finish(*sent, finder, deadline_);
  if (!done) co_return std::move(done).error();
  co_return finder.found || !sent->is_ok();
}

/// A command that was sent behind SELECT and was refused: perhaps because SELECT was not over yet. Alone, it
/// counts.
coro::Task<Result<void>> SnapshotTaker::ask_again(backend::ImapAnswer& answer, const std::string& words) {
  if (answer.is_ok()) co_return Result<void>();
  if (words.starts_with(kSearch)) *found_ = UidRanges(settings().max_messages);  // half an answer, perhaps
  Result<void> done = co_await run(words);
  co_return done;
}

coro::Task<Result<void>> SnapshotTaker::run(const std::string& words) {
  backend::ImapAnswer answer = link_.client().put(words);
  Result<void> done = co_await link_.client().finish(answer, *this, deadline_);
  if (!done) co_return done;
  if (imap::throttled_for(answer.response())) {
    co_return Error(FailureKind::auth_unavailable, "throttled: " + answer.text);
  }
  if (!answer.is_ok()) co_return failed(answer, "listing messages");
  co_return Result<void>();
}

coro::Task<Result<void>> SnapshotTaker::search(const std::string& criteria, UidRanges& found) {
  found_ = &found;
  Result<void> done = co_await run(search_words(criteria));
  found_ = nullptr;
  found.seal();
  if (done && found.has_overflown()) co_return too_many();
  co_return done;
}

/// All UIDs. A message that has arrived meanwhile may be told of and not yet found: then they are asked for
/// again. A server that goes on to know of more messages than it finds shows half a mailbox.
coro::Task<Result<void>> SnapshotTaker::search_all(UidRanges& found) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    found = UidRanges(settings().max_messages);
    Result<void> searched = co_await search("ALL", found);
    if (!searched) co_return searched;
    if (found.count() > settings().max_messages) co_return too_many();
    if (found.count() >= state_.exists) co_return Result<void>();
    if (attempt != 0) break;
    // Cyrus finds no message that another session has just removed, and tells of it only behind a NOOP.
    Result<void> told = co_await run("NOOP");
    if (!told) co_return told;
    if (found.count() >= state_.exists) co_return Result<void>();
  }
  co_return Error(FailureKind::mailbox, "the server tells of " + std::to_string(state_.exists) +
                                            " messages and finds " + std::to_string(found.count()));
}

/// What unique-ids are made of, if it has to be asked for: each item once.
std::string SnapshotTaker::id_items() const {
  using Source = config::UidlPiece::Source;
  std::string items, headers;
  const auto add = [](std::string& all, const std::string& item) {
    if ((all + " ").find(" " + item + " ") == std::string::npos) all += " " + item;
  };
  for (const config::UidlPiece& piece : settings().uidl.pieces) {
    if (piece.source == Source::email_id) add(items, "EMAILID");
    if (piece.source == Source::guid) add(items, "X-GUID");
    if (piece.source == Source::gm_msgid) add(items, "X-GM-MSGID");
    if (piece.source == Source::header) add(headers, piece.text);
  }
  if (!headers.empty()) items += " BODY.PEEK[HEADER.FIELDS (" + headers.substr(1) + ")]";
  return items;
}

std::string SnapshotTaker::list_words(std::uint32_t first) const {
  return "UID FETCH " + std::to_string(first) + ":* (" + items() + ")";
}

/// RFC 4731: one range instead of a number for each message.
std::string SnapshotTaker::search_words(const std::string& criteria) const {
  const bool esearch = link_.client().capabilities().esearch;
  return std::string(kSearch) + (esearch ? "RETURN (ALL) " : "") + criteria;
}

void SnapshotTaker::begin_list(std::uint32_t least, MessageList::Sizes sizes) {
  list_.begin(settings().uidl, least, settings().max_messages, sizes);
}

Error SnapshotTaker::too_many() const {
  return Error(FailureKind::mailbox_too_large, std::to_string(state_.exists) + " messages, or more");
}

// What is known.

/// Estimates of a size change when a message is delivered: they are not worth remembering, unless they are
/// corrected.
bool SnapshotTaker::may_remember() const noexcept {
  return !quirks().sizes_are_estimates || settings().sizes != config::Sizes::trust;
}

bool SnapshotTaker::is_of_another_time(const store::Snapshot& known) {
  if (state_.uidvalidity == 0) return true;  // not told: nobody knows
  if (known.uidvalidity == state_.uidvalidity) {
    // A store that was put back from a backup has to change UIDVALIDITY. If it has not, nothing is known.
    return state_.uidnext == 0 || state_.uidnext < known.uidnext || !state_.uids_persist;
  }
  cells().uidvalidity_changes.add();
  LogLine(log_, LogLevel::warn, "uidvalidity_changed", "every message has got a new UID")
      .field("session", link_.session())
      .field("backend", link_.backend().name())
      .field("server", link_.server())
      .field("user", link_.user())
      .field("mailbox", mailbox_)
      .field("was", known.uidvalidity)
      .field("is", state_.uidvalidity);
  return true;
}

bool SnapshotTaker::is_unchanged(const store::Snapshot& known) const noexcept {
  return known.uidnext == state_.uidnext && known.count() == state_.exists;
}

void SnapshotTaker::finish(store::Snapshot& snapshot) const noexcept {
  snapshot.uidvalidity = state_.uidvalidity;
  snapshot.uidnext = state_.uidnext;
  if (state_.uidnext != 0 && !snapshot.empty()) {
    snapshot.uidnext = std::max(snapshot.uidnext, snapshot.uids().back() + 1);
  }
}

/// Only what was measured is remembered: the next login takes the rest for new. If that is all, the session
/// and the store have one list together.
void SnapshotTaker::remember(std::shared_ptr<const store::Snapshot> snapshot, std::size_t measured) {
  if (snapshot->uidnext == 0 || (measured == 0 && !snapshot->empty())) return;
  if (measured != snapshot->count()) {
    UidRanges begin(1);
    const imap::NumberRange all{1, snapshot->uids()[measured - 1]};
    begin.add(std::span(&all, 1));
    store::Snapshot kept = merge(*snapshot, &begin, store::Snapshot());
    kept.uidvalidity = snapshot->uidvalidity;
    kept.uidnext = all.last + 1;
    snapshot = std::make_shared<const store::Snapshot>(std::move(kept));
  }
  store_.save(key(), std::move(snapshot));
}

Result<void> SnapshotTaker::check_policy() const {
  if (view_.keyword().empty() || read_only_ || state_.keeps(view_.keyword())) return Result<void>();
  return Error(FailureKind::backend_policy, "the mailbox cannot keep the keyword " + view_.keyword());
}

void SnapshotTaker::choose_shown(Folder& folder) const {
  const std::uint32_t newest = view_.settings().newest;
  const store::Snapshot& snapshot = *folder.snapshot;
  const bool all_match = criteria_.empty() || (!view_.search_finds_shown() && filtered_.empty());
  if (all_match && (newest == 0 || snapshot.count() <= newest)) return;
  std::vector<std::uint32_t> shown;
  for (std::size_t i = 0; i < snapshot.count(); ++i) {
    const bool found = !criteria_.empty() && filtered_.contains(snapshot.uids()[i]);
    if (all_match || found == view_.search_finds_shown()) shown.push_back(static_cast<std::uint32_t>(i));
  }
  if (newest != 0 && shown.size() > newest) {
    shown.erase(shown.begin(), shown.end() - static_cast<std::ptrdiff_t>(newest));
  }
  shown.shrink_to_fit();
  folder.shown = std::move(shown);
}

store::MailboxKey SnapshotTaker::key() const {
  return store::MailboxKey(link_.backend().name(), link_.user(), mailbox_);
}

}  // namespace postern::maildrop
