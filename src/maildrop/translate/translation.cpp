// What is answered from the list of messages.
#include "maildrop/translate/translation.hpp"

#include <algorithm>
#include <utility>

#include "maildrop/translate/unique_id.hpp"

namespace postern::maildrop {
namespace {

/// Lists are written in pieces of this size.
constexpr std::size_t kPiece = 8 * 1024;
/// Servers log a client out that is silent for half an hour (RFC 3501 §5.4), some much sooner; a mail program
/// that is busy says NOOP.
constexpr std::chrono::minutes kKeepAlive{5};
/// A server that has still not answered what was sent so long ago does not answer any more.
constexpr std::chrono::seconds kKeepAliveAnswer{1};

/// FNV-1a. Only to see whether something has changed.
std::uint64_t hash(std::string_view text) noexcept {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return value;
}

}  // namespace

Translation::Translation(Opener& opener, std::unique_ptr<Link> link, std::unique_ptr<View> view,
                         Contents contents)
    : opener_(opener),
      link_(std::move(link)),
      view_(std::move(view)),
      contents_(std::move(contents)),
      bodies_(*link_, opener.budget()) {}

Translation::~Translation() {
  save_learned();
  const auto postponed = link_->throttled();
  if (postponed) opener_.store().postpone(link_->backend().name(), link_->user(), *postponed);
}

/// Without lasting UIDs there are no unique-ids (RFC 3501 §2.3.1.1).
bool Translation::has_uidl() const noexcept {
  return std::all_of(contents_.folders().begin(), contents_.folders().end(),
                     [](const Folder& folder) { return folder.uids_persist; });
}

store::MailboxKey Translation::key(std::size_t folder) const {
  return store::MailboxKey(link_->backend().name(), link_->user(), contents_.folders()[folder].mailbox);
}

/// RETRs that wait in the client's queue: their bodies may be asked for now.
void Translation::expect(std::span<const QueuedCommand> commands) {
  asked_for_.clear();
  for (const QueuedCommand& command : commands) {
    if (command.verb == pop3::Verb::retr && command.message) asked_for_.push_back(*command.message);
  }
}

void Translation::rest() {
  if (asked_for_.capacity() != 0) std::vector<std::uint32_t>().swap(asked_for_);
  bodies_.rest();
}

coro::Task<Result<Stat>> Translation::stat() {
  Stat stat;
  stat.messages = contents_.left();
  stat.octets = contents_.octets_left();
  co_return stat;
}

coro::Task<Result<Bytes>> Translation::list(std::uint32_t message) {
  const auto place = contents_.find(message);
  if (!place) co_return no_message();
  co_return contents_.size(*place);
}

coro::Task<Result<std::string>> Translation::uidl(std::uint32_t message) {
  if (!has_uidl()) co_return Error(FailureKind::command_refused, "the mailbox has no lasting UIDs");
  const auto place = contents_.find(message);
  if (!place) co_return no_message();
  std::string id;
  append_id(id, *place);
  co_return id;
}

void Translation::append_id(std::string& out, const Contents::Place& place) const {
  const Folder& folder = contents_.folders()[place.folder];
  out += folder.id_prefix;
  if (folder.snapshot->ids().empty()) {
    append_unique_id(out, link_->backend().settings().imap.uidl, folder.snapshot->uidvalidity,
                     contents_.uid(place));
  } else {
    out += folder.snapshot->ids()[place.index];
  }
}

coro::Task<Result<void>> Translation::list(Sink& sink) {
  return stream_list(sink, false);
}

coro::Task<Result<void>> Translation::uidl(Sink& sink) {
  if (!has_uidl()) co_return Error(FailureKind::command_refused, "the mailbox has no lasting UIDs");
  Result<void> done = co_await stream_list(sink, true);
  co_return done;
}

/// Written as it is made: a list of a million messages takes no more memory than one of a thousand.
coro::Task<Result<void>> Translation::stream_list(Sink& sink, bool with_ids) {
  Result<void> begun = co_await sink.begin(std::nullopt);
  if (!begun) co_return begun;
  std::string piece;
  std::uint64_t all_ids = 0;
  for (std::uint32_t message = 1; message <= contents_.count(); ++message) {
    const auto place = contents_.find(message);
    if (!place) continue;
    piece += std::to_string(message);
    piece += ' ';
    if (with_ids) {
      const std::size_t begin = piece.size();
      append_id(piece, *place);
      all_ids ^= hash(std::string_view(piece).substr(begin));
    } else {
      piece += std::to_string(contents_.size(*place));
    }
    piece += "\r\n";
    if (piece.size() < kPiece || message == contents_.count()) continue;
    Result<void> written = co_await sink.write(piece);
    if (!written) co_return written;
    piece.clear();
  }
  Result<void> ended = co_await sink.end(piece);
  if (with_ids && ended) uidl_hash_ = all_ids;
  co_return ended;
}

bool Translation::can_delete(const Contents::Place& place) const noexcept {
  const bool refused = view_->policy() == config::DeletePolicy::expunge && !view_->has_uidplus() &&
                       view_->without_uidplus() == config::WithoutUidplus::refuse;
  return !contents_.folders()[place.folder].read_only && !refused;
}

/// Nothing reaches the server before QUIT (DEL-1).
coro::Task<Result<void>> Translation::mark_deleted(std::uint32_t message) {
  const auto place = contents_.find(message);
  if (!place) co_return no_message();
  if (!can_delete(*place)) co_return Error(FailureKind::read_only, "the mailbox cannot be changed");
  contents_.mark(message);
  walk_.deletes(message);
  bodies_.drop_held(contents_.uid(*place));
  co_return Result<void>();
}

coro::Task<Result<void>> Translation::reset() {
  contents_.reset();
  co_return Result<void>();
}

/// Answered at once: Thunderbird waits for nothing else meanwhile. The server hears of it now and then, and
/// its answer to the last time came long ago.
coro::Task<Result<void>> Translation::noop() {
  const bool is_old = link_->scheduler().now() - link_->last_used > kKeepAlive;
  if (!is_old || !link_->is_open()) co_return Result<void>();
  const coro::Deadline soon(link_->scheduler().now() + kKeepAliveAnswer);
  Result<void> heard = co_await bodies_.settle(soon);
  if (heard) {
    link_->client().put("NOOP");
    link_->last_used = link_->scheduler().now();
  } else {
    bodies_.forget();  // the next command that needs the server connects again
    link_->drop();
  }
  co_return Result<void>();
}

}  // namespace postern::maildrop
