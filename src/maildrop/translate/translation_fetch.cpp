// What is fetched: RETR and TOP.
#include <algorithm>
#include <utility>

#include "maildrop/translate/mailbox_state.hpp"
#include "maildrop/translate/placeholder.hpp"
#include "maildrop/translate/translation.hpp"
#include "postern/maildrop/opener.hpp"
#include "postern/pop3/dot_stuffer.hpp"

namespace postern::maildrop {
namespace {

/// Bodies that are asked for ahead: all together, and one of them.
constexpr Bytes kMaxAhead = 1024 * 1024;
constexpr Bytes kMaxOneAhead = 256 * 1024;
/// A message inside which the connection died so often is not asked for again.
constexpr unsigned kPoisonous = 2;
/// TOP: how much of a message is fetched for a header, and for each line of the body; and at most at once.
constexpr Bytes kHeaderGuess = 16 * 1024;
constexpr Bytes kLineGuess = 128;
constexpr Bytes kMaxWindow = 1024 * 1024;
/// TOP of so many lines is the whole message.
constexpr std::uint64_t kAllLines = 100'000;

pop3::DotStuffer::Nul nul(const config::Imap& settings) noexcept {
  return settings.nul == config::Nul::pass ? pop3::DotStuffer::Nul::pass : pop3::DotStuffer::Nul::replace;
}

}  // namespace

/// A message on its way to the client: what is known of it, and how far it has come. A message that has begun
/// ends, or the session does.
class Translation::Delivery {
 public:
  Delivery(std::uint32_t number, Contents::Place where, std::uint32_t uid_, Bytes size_, Sink& sink,
           net::ChunkPool& pool, pop3::DotStuffer stuffer)
      : message(number), place(where), uid(uid_), size(size_), sink_(sink), pool_(pool), stuffer_(stuffer) {}

  const std::uint32_t message;
  const Contents::Place place;
  const std::uint32_t uid;
  const Bytes size;                    ///< as listed
  std::optional<std::uint64_t> lines;  ///< TOP

  bool has_begun() const noexcept { return begun_; }
  bool is_complete() const noexcept { return stuffer_.is_complete(); }

  coro::Task<Result<void>> begin(std::optional<Bytes> announced) {
    begun_ = true;
    Result<void> begun = co_await sink_.begin(announced);
    co_return begun;
  }
  /// Octets of the message, as the server has them.
  coro::Task<Result<void>> write(std::string_view octets) {
    net::Lease chunk = octets.size() > net::ChunkPool::kSmall / 2 ? pool_.lease_large() : pool_.lease_small();
    while (!octets.empty() && !stuffer_.is_complete()) {
      const pop3::DotStuffer::Fed fed = stuffer_.feed(octets, chunk.span());
      octets.remove_prefix(fed.consumed);
      const std::string_view wire(chunk.data(), fed.produced);
      if (wire.empty()) continue;
      Result<void> written = co_await sink_.write(wire);
      if (!written) co_return written;
    }
    co_return Result<void>();
  }
  coro::Task<Result<void>> end() {
    Result<void> ended = co_await sink_.end(stuffer_.tail());
    co_return ended;
  }

 private:
  Sink& sink_;
  net::ChunkPool& pool_;
  pop3::DotStuffer stuffer_;
  bool begun_ = false;
};

coro::Task<Result<void>> Translation::retrieve(std::uint32_t message, Sink& sink) {
  const auto place = contents_.find(message);
  if (!place) co_return no_message();
  walk_.retrieves(message);
  const auto asked = std::find(asked_for_.begin(), asked_for_.end(), message);
  if (asked != asked_for_.end()) asked_for_.erase(asked_for_.begin(), asked + 1);
  keep_ahead(message, *place);
  const pop3::DotStuffer stuffer(nul(link_->backend().settings().imap));
  Delivery delivery(message, *place, contents_.uid(*place), contents_.size(*place), sink, opener_.pool(),
                    stuffer);
  Result<void> done = co_await transfer(delivery, &Translation::transfer_whole);
  if (done) contents_.set_retrieved(message);
  co_return done;
}

coro::Task<Result<void>> Translation::top(std::uint32_t message, std::uint64_t lines, Sink& sink) {
  const auto place = contents_.find(message);
  if (!place) co_return no_message();
  const pop3::DotStuffer stuffer(nul(link_->backend().settings().imap), lines);
  Delivery delivery(message, *place, contents_.uid(*place), contents_.size(*place), sink, opener_.pool(),
                    stuffer);
  delivery.lines = lines;
  Result<void> done = co_await transfer(delivery, &Translation::transfer_top);
  co_return done;
}

/// Until it has begun, a message may be tried a second time over a new connection. Then there is only to go
/// on or to end the session.
coro::Task<Result<void>> Translation::transfer(Delivery& delivery, Transfer how) {
  const store::MailboxKey mailbox = key(delivery.place.folder);
  const std::uint32_t uidvalidity = contents_.folders()[delivery.place.folder].snapshot->uidvalidity;
  if (opener_.store().failures(mailbox, uidvalidity, delivery.uid) >= kPoisonous) {
    refuse(delivery, "the connection died inside it before");
    co_return Error(FailureKind::message_unreadable, "the connection died inside it before");
  }
  for (int attempt = 1;; ++attempt) {
    Result<void> ready = co_await prepare(delivery.place.folder);
    if (!ready) co_return ready;
    Result<void> done = co_await (this->*how)(delivery);
    if (done) co_return done;
    stop_asking_ahead();
    const FailureKind kind = done.error().kind();
    const bool broken = kind == FailureKind::backend_lost || kind == FailureKind::backend_timeout ||
                        kind == FailureKind::backend_protocol;
    if (!broken && !delivery.has_begun()) co_return done;
    bodies_.forget();
    link_->drop();  // also if it was the client who went away: there is a rest of a literal on it
    if (broken && delivery.has_begun()) opener_.store().count_failure(mailbox, uidvalidity, delivery.uid);
    if (delivery.has_begun() || kind != FailureKind::backend_lost) co_return done;
    if (attempt == 2) {
      const std::string why = "it ended the connection twice: " + done.error().detail();
      refuse(delivery, why);
      co_return Error(FailureKind::message_unavailable, why);
    }
  }
}

/// Tells the operator which message it is: nobody else can do anything about it.
void Translation::refuse(const Delivery& delivery, const std::string& why) {
  stop_asking_ahead();
  link_->backend().metrics()->messages_refused.add();
  LogLine(opener_.log(), LogLevel::warn, "message_refused", "a message that the server cannot deliver")
      .field("session", link_->session())
      .field("backend", link_->backend().name())
      .field("server", link_->server())
      .field("user", link_->user())
      .field("mailbox", contents_.folders()[delivery.place.folder].mailbox)
      .field("uid", delivery.uid)
      .field("detail", why);
}

/// A connection that is logged in and has the folder selected.
coro::Task<Result<void>> Translation::prepare(std::size_t folder) {
  const std::string& mailbox = contents_.folders()[folder].mailbox;
  if (link_->is_open() && link_->selected == mailbox) co_return Result<void>();
  if (link_->is_open()) {
    Result<void> selected = co_await bodies_.discard(coro::Deadline::never());  // those of the other folder
    if (selected) selected = co_await select(folder, coro::Deadline::never());
    const bool lost = !selected && selected.error().kind() == FailureKind::backend_lost;
    if (!lost) co_return selected;
    link_->drop();
  }
  link_->backend().metrics()->reconnects.add();
  backend::Progress progress;
  Result<void> opened = co_await link_->open(progress);
  if (!opened) {
    // The same credentials were good before; what has changed is nothing the client did. And what can be said
    // at a login only cannot be said now.
    const FailureRow& row = failure_row(opened.error().kind());
    const bool unsayable = row.in_transaction.empty() && !row.closes_transaction;
    if (unsayable) co_return Error(FailureKind::backend_lost, "logging in again: " + opened.error().detail());
    co_return opened;
  }
  Result<void> selected = co_await select(folder, coro::Deadline::never());
  co_return selected;
}

/// SELECT of a folder that was listed before: with another UIDVALIDITY the numbers mean nothing any more, nor
/// where a server's UIDs do not last.
coro::Task<Result<void>> Translation::select(std::size_t folder, coro::Deadline deadline) {
  const Folder& wanted = contents_.folders()[folder];
  if (!wanted.uids_persist) {
    co_return Error(FailureKind::backend_protocol, "a mailbox without lasting UIDs cannot be selected again");
  }
  MailboxState state;
  imap::Command command = link_->client().command("SELECT");
  command.string(wanted.mailbox).finish();
  link_->selected.clear();
  deadline = earlier(deadline, link_->patience());
  Result<backend::ImapAnswer> sent = co_await link_->client().send(std::move(command), state, deadline);
  if (!sent) co_return std::move(sent).error();
  Result<void> done = co_await link_->client().finish(*sent, state, deadline);
  if (!done) co_return done;
  if (!sent->is_ok())
    co_return Error(FailureKind::backend_lost, "SELECT again: the server said: " + sent->text);
  if (state.uidvalidity != wanted.snapshot->uidvalidity) {
    co_return Error(FailureKind::backend_protocol, "UIDVALIDITY has changed during the session");
  }
  link_->client().set_response_limit(state.most_responses());
  link_->is_read_only = sent->code == imap::Code::read_only;
  link_->selected = wanted.mailbox;
  co_return Result<void>();
}

/// RETR-1: "+OK" when the literal of that message has begun, the end when the response has ended as it
/// should.
coro::Task<Result<void>> Translation::transfer_whole(Delivery& delivery) {
  if (delivery.size > link_->backend().settings().imap.max_message) {
    co_return Error(FailureKind::message_unreadable, "larger than max_message");
  }
  if (!bodies_.is_held(delivery.uid) && !bodies_.is_due(delivery.uid)) {
    Result<void> room = co_await bodies_.make_room();
    if (!room) co_return room;
    bodies_.ask(std::span(&delivery.uid, 1), delivery.size);
  }
  ask_ahead(delivery);
  Result<Bodies::Arrived> arrived = co_await arrival(delivery);
  if (!arrived) co_return std::move(arrived).error();
  if (arrived->form == Bodies::Arrived::Form::held) {
    Result<void> done = co_await transfer_held(delivery);
    co_return done;
  }
  Result<void> begun = co_await delivery.begin(arrived->size);
  if (!begun) co_return begun;
  for (;;) {
    Result<std::string_view> octets = co_await bodies_.octets();
    if (!octets) co_return std::move(octets).error();
    if (octets->empty()) break;
    Result<void> written = co_await delivery.write(*octets);
    if (!written) co_return written;
  }
  Result<void> complete = co_await bodies_.complete();
  if (!complete) co_return complete;
  Result<void> ended = co_await delivery.end();
  if (ended) learn_size(delivery.place, arrived->size);
  co_return ended;
}

/// A whole message that is held. After TOP it stays: RETR may be next.
coro::Task<Result<void>> Translation::transfer_held(Delivery& delivery) {
  const std::string_view octets = bodies_.held(delivery.uid);
  std::optional<Bytes> announced;
  if (!delivery.lines) announced = octets.size();
  Result<void> begun = co_await delivery.begin(announced);
  if (!begun) co_return begun;
  Result<void> written = co_await delivery.write(octets);
  if (!written) co_return written;
  Result<void> ended = co_await delivery.end();
  if (!ended || delivery.lines) co_return ended;
  learn_size(delivery.place, octets.size());
  bodies_.drop_held(delivery.uid);
  co_return ended;
}

/// Waits for what was asked of the message, whose beginning is not given out yet.
coro::Task<Result<Bodies::Arrived>> Translation::arrival(const Delivery& delivery) {
  Result<Bodies::Arrived> arrived = co_await bodies_.await(delivery.uid);
  if (!arrived) co_return arrived;
  bool is_gone = arrived->form == Bodies::Arrived::Form::gone;
  if (!is_gone) {
    Result<bool> placeholder = co_await is_placeholder(*arrived, delivery);
    if (!placeholder) co_return std::move(placeholder).error();
    is_gone = *placeholder;
  }
  if (is_gone) co_return Error(FailureKind::message_gone, "the message was removed");
  co_return arrived;
}

/// Courier answers with a message of its own for one that is gone (SNAP-9); then it is read past. A part of a
/// message that only begins so is as large as was asked for.
coro::Task<Result<bool>> Translation::is_placeholder(const Bodies::Arrived& arrived,
                                                     const Delivery& delivery) {
  // Its size may have been listed already: then the message was away for that moment, and is another one.
  const bool has_its_size = arrived.size != delivery.size || arrived.size == kPlaceholderSize;
  const bool may_be = link_->client().quirks().gone_is_placeholder && has_its_size &&
                      arrived.size >= kPlaceholder.size() && arrived.size < kHeaderGuess;
  if (!may_be) co_return false;
  if (arrived.form == Bodies::Arrived::Form::held) {
    const bool is = bodies_.held(delivery.uid).starts_with(kPlaceholder);
    if (is) bodies_.drop_held(delivery.uid);
    co_return is;
  }
  Result<std::string_view> beginning = co_await bodies_.peek(kPlaceholder.size());
  if (!beginning) co_return std::move(beginning).error();
  if (*beginning != kPlaceholder) co_return false;
  Result<void> skipped = co_await bodies_.skip_rest();
  if (!skipped) co_return std::move(skipped).error();
  co_return true;
}

/// TOP-1: from the front of the message; its octets are those that RETR begins with.
coro::Task<Result<void>> Translation::transfer_top(Delivery& delivery) {
  const std::uint64_t lines = *delivery.lines;
  const Bytes window = std::min(kMaxWindow, kHeaderGuess + kLineGuess * std::min(lines, kAllLines));
  const bool partial = link_->client().quirks().partial;
  const bool is_here = bodies_.is_due(delivery.uid) || bodies_.is_held(delivery.uid);
  if (!is_here && partial && lines < kAllLines && window < delivery.size) {
    Result<void> done = co_await transfer_windows(delivery, window);
    const bool refused = !done && done.error().kind() == FailureKind::message_unavailable;
    if (!refused || delivery.has_begun())
      co_return done;  // otherwise it may be parts that the server refuses
  }
  if (!is_here) {
    Result<void> room = co_await bodies_.make_room();
    if (!room) co_return room;
    const bool only_header = !partial && lines == 0 && window < delivery.size;
    if (only_header) {
      bodies_.ask_part(delivery.uid, "BODY.PEEK[HEADER]");
    } else {
      bodies_.ask(std::span(&delivery.uid, 1), delivery.size);
    }
  }
  Result<Bodies::Arrived> arrived = co_await arrival(delivery);
  if (!arrived) co_return std::move(arrived).error();
  if (is_here && arrived->form == Bodies::Arrived::Form::held) {
    Result<void> done = co_await transfer_held(delivery);
    co_return done;
  }
  Result<void> begun = co_await delivery.begin(std::nullopt);
  if (!begun) co_return begun;
  Result<void> written = co_await transfer_part(delivery, *arrived);
  if (!written) co_return written;
  Result<void> ended = co_await delivery.end();
  co_return ended;
}

/// One part after the other, until there are enough lines or there is no more.
coro::Task<Result<void>> Translation::transfer_windows(Delivery& delivery, Bytes window) {
  for (Bytes from = 0;; window = kMaxWindow) {
    Result<void> room = co_await bodies_.make_room();
    if (!room) co_return room;
    bodies_.ask_part(delivery.uid,
                     "BODY.PEEK[]<" + std::to_string(from) + "." + std::to_string(window) + ">");
    Result<Bodies::Arrived> arrived = Bodies::Arrived();
    if (from == 0) {
      arrived = co_await arrival(delivery);
    } else {
      arrived = co_await bodies_.await(delivery.uid);
    }
    if (!arrived) co_return std::move(arrived).error();
    // A server may send all of the message where a part was asked for: then that is what there is.
    const bool is_part = arrived->origin.has_value() && arrived->size <= window;
    const bool follows = is_part && *arrived->origin == from;
    if (arrived->form == Bodies::Arrived::Form::gone || (from != 0 && !follows)) {
      co_return Error(FailureKind::backend_protocol, "another part of the message than was asked for");
    }
    if (from == 0) {
      Result<void> begun = co_await delivery.begin(std::nullopt);
      if (!begun) co_return begun;
    }
    Result<void> written = co_await transfer_part(delivery, *arrived);
    if (!written) co_return written;
    from += arrived->size;
    if (delivery.is_complete() || !is_part || arrived->size < window) break;
  }
  Result<void> ended = co_await delivery.end();
  co_return ended;
}

/// What has come of a message, as far as it is wanted.
coro::Task<Result<void>> Translation::transfer_part(Delivery& delivery, const Bodies::Arrived& arrived) {
  if (arrived.form == Bodies::Arrived::Form::held) {
    Result<void> written = co_await delivery.write(bodies_.held(delivery.uid));
    bodies_.drop_held(delivery.uid);
    co_return written;
  }
  while (!delivery.is_complete()) {
    Result<std::string_view> octets = co_await bodies_.octets();
    if (!octets) co_return std::move(octets).error();
    if (octets->empty()) break;
    Result<void> written = co_await delivery.write(*octets);
    if (!written) co_return written;
  }
  Result<void> done = co_await bodies_.skip_rest();
  co_return done;
}

// Asking ahead (RETR-8).

/// Asks for what the client has asked for already, and for what it will ask for next if it goes on as it
/// does. Only when half of the window is used up, so that a command asks for several.
void Translation::ask_ahead(const Delivery& delivery) {
  const config::Imap& settings = link_->backend().settings().imap;
  if (!settings.prefetch || !link_->client().quirks().prefetch || !bodies_.may_ask()) return;
  const std::size_t ahead = bodies_.ahead() - 1;  // without the one that is fetched now
  const std::size_t asked_for = std::min<std::size_t>(asked_for_.size(), Walk::kMaxWindow);
  const std::size_t window = std::max<std::size_t>(walk_.window(), asked_for);
  if (ahead * 2 > window) return;
  Bytes room = kMaxAhead - std::min(kMaxAhead, bodies_.octets_ahead());
  Bytes asked = 0;
  const store::MailboxKey mailbox = key(delivery.place.folder);
  const std::uint32_t uidvalidity = contents_.folders()[delivery.place.folder].snapshot->uidvalidity;
  std::vector<std::uint32_t> uids;
  const auto add = [&](std::uint32_t message) {
    const auto place = contents_.find(message);
    if (!place || place->folder != delivery.place.folder) return;
    const std::uint32_t uid = contents_.uid(*place);
    const bool known = uid == delivery.uid || bodies_.is_due(uid) || bodies_.is_held(uid);
    const Bytes size = contents_.size(*place);
    if (known || size > std::min(room, kMaxOneAhead) || ahead + uids.size() >= window) return;
    if (std::find(uids.begin(), uids.end(), uid) != uids.end()) return;
    if (opener_.store().failures(mailbox, uidvalidity, uid) != 0) return;
    room -= size;
    asked += size;
    uids.push_back(uid);
  };
  for (const std::uint32_t message : asked_for_) add(message);
  for (std::uint32_t i = 1; i <= walk_.window() && asked_for_.empty(); ++i) add(delivery.message + i);
  if (!uids.empty()) bodies_.ask(uids, asked);
}

/// Bodies that came ahead of a client who has turned to other messages are not kept for him.
void Translation::keep_ahead(std::uint32_t message, const Contents::Place& place) {
  std::vector<std::uint32_t> uids = {contents_.uid(place)};
  const auto add = [&](std::uint32_t other) {
    const auto found = contents_.find(other);
    if (found && found->folder == place.folder) uids.push_back(contents_.uid(*found));
  };
  for (const std::uint32_t other : asked_for_) add(other);
  for (std::uint32_t i = 1; i <= walk_.window(); ++i) add(message + i);
  bodies_.keep_only(uids);
}

void Translation::stop_asking_ahead() noexcept {
  walk_.stop();
  asked_for_.clear();
}

coro::Task<void> Translation::settle() {
  if (!link_->is_open()) co_return;
  Result<void> settled = co_await bodies_.settle(coro::Deadline::never());
  if (settled) co_return;
  bodies_.forget();  // the next command that needs the server connects again
  link_->drop();
}

// Sizes (SIZE-3).

void Translation::learn_size(const Contents::Place& place, Bytes size) {
  if (size == contents_.size(place)) return;
  link_->backend().metrics()->size_mismatches.add();
  if (link_->backend().settings().imap.sizes != config::Sizes::learn) return;
  learned_[place.folder][contents_.uid(place)] = size;
}

/// The next session lists what this one has found out.
void Translation::save_learned() {
  for (const auto& [folder, sizes] : learned_) {
    const Folder& of = contents_.folders()[folder];
    if (!of.uids_persist || of.snapshot->uidnext == 0) continue;
    store::Snapshot corrected = *of.snapshot;
    for (const auto& [uid, size] : sizes) corrected.set_size(corrected.find(uid), size);
    opener_.store().save(key(folder), std::make_shared<const store::Snapshot>(std::move(corrected)));
  }
}

}  // namespace postern::maildrop
