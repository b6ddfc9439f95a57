// The TRANSACTION state (RFC 1939 §5, §7).
#include <string>
#include <utility>

#include "session/session.hpp"

namespace postern::session {
namespace {

/// A client that is silent for so long leaves what was asked for ahead unread: servers drop a reader that
/// does not read (Dovecot after five minutes).
constexpr std::chrono::seconds kSettleAfter{30};

constexpr std::size_t index(pop3::Verb verb) noexcept {
  return static_cast<std::size_t>(verb);
}

}  // namespace

Session::Step Session::transact() {
  login_timer_.cancel(environment_.scheduler);
  client_.reader.set_sensitive(false);
  record_->phase = Phase::transaction;
  enter(&metrics::ListenerMetrics::transaction);
  for (;;) {
    if (queue_.empty()) {
      leg_->maildrop->rest();
      const coro::Deadline idle(environment_.scheduler.now() + service_->limits().idle_timeout);
      const coro::Deadline soon(environment_.scheduler.now() + kSettleAfter);
      net::IoOutcome come = co_await queue_.wait(earlier(soon, idle));
      if (!come && come.error().code() == net::Errc::timed_out && soon.when() < idle.when()) {
        co_await leg_->maildrop->settle();
        come = co_await queue_.wait(idle);
      }
      if (!come) {
        if (come.error().code() == net::Errc::too_long) say_too_long();
        co_return End(client_failure(come.error(), FailureKind::idle_timeout));
      }
    }
    queue_.look_ahead();
    queue_.announce(*leg_->maildrop);
    net::IoOutcome room = co_await client_.stream.make_room(2 * Client::kMaxReply);
    // A client that did not take an answer has not heard it: nothing behind that was said to somebody who
    // listens.
    if (!room) co_return End(client_failure(room.error(), FailureKind::client_stalled));
    const CommandQueue::Entry entry = queue_.pop();
    ++record_->commands;
    if (entry.command.verb == pop3::Verb::quit && entry.error == pop3::ParseError::none)
      co_return End::quit();
    std::optional<End> end = co_await execute(entry);
    if (end) co_return end;
  }
}

Session::Step Session::execute(const CommandQueue::Entry& entry) {
  if (!is_for_maildrop(entry)) {
    answer_here(entry);
    co_return std::nullopt;
  }
  const TimePoint begun = environment_.scheduler.now();
  ClientSink sink(client_);
  Result<void> done = co_await perform(entry.command, sink);
  leg_->backend->metrics()->command_duration[index(entry.command.verb)].observe(environment_.scheduler.now() -
                                                                                begun);
  account(entry.command, done, sink);
  if (done) co_return std::nullopt;

  const Error& error = done.error();
  const FailureRow& row = failure_row(error.kind());
  if (sink.is_open()) {  // inside a message: there is no way to say that it is not complete
    leg_->backend->metrics()->truncated.add();
    co_return End::cut(error.kind());
  }
  if (row.closes_transaction) co_return End(error.kind());
  client_.error(row.in_transaction);
  co_return std::nullopt;
}

/// One command of RFC 1939. Answers it, or says why it cannot.
coro::Task<Result<void>> Session::perform(const maildrop::QueuedCommand& command, ClientSink& sink) {
  maildrop::Maildrop& maildrop = *leg_->maildrop;
  switch (command.verb) {
    case pop3::Verb::stat: {
      Result<maildrop::Stat> stat = co_await maildrop.stat();
      if (!stat) co_return std::move(stat).error();
      client_.ok(std::to_string(stat->messages) + " " + std::to_string(stat->octets));
      co_return Result<void>();
    }
    case pop3::Verb::retr: {
      Result<void> done = co_await maildrop.retrieve(*command.message, sink);
      co_return done;
    }
    case pop3::Verb::top: {
      Result<void> done = co_await maildrop.top(*command.message, command.lines, sink);
      co_return done;
    }
    case pop3::Verb::dele: {
      Result<void> done = co_await maildrop.mark_deleted(*command.message);
      if (!done) co_return done;
      ++marked_;
      client_.ok("marked as deleted");
      co_return done;
    }
    case pop3::Verb::noop: {
      Result<void> done = co_await maildrop.noop();
      if (done) client_.ok();
      co_return done;
    }
    case pop3::Verb::rset: {
      Result<void> done = co_await maildrop.reset();
      if (!done) co_return done;
      marked_ = 0;
      client_.ok();
      co_return done;
    }
    default: {
      Result<void> done = co_await perform_listing(command, sink);
      co_return done;
    }
  }
}

/// LIST and UIDL, of one message or of all.
coro::Task<Result<void>> Session::perform_listing(const maildrop::QueuedCommand& command, ClientSink& sink) {
  maildrop::Maildrop& maildrop = *leg_->maildrop;
  const bool is_list = command.verb == pop3::Verb::list;
  if (!command.message) {
    if (is_list) {
      Result<void> done = co_await maildrop.list(sink);
      co_return done;
    }
    Result<void> done = co_await maildrop.uidl(sink);
    co_return done;
  }
  const std::string number = std::to_string(*command.message);
  if (is_list) {
    Result<Bytes> octets = co_await maildrop.list(*command.message);
    if (!octets) co_return std::move(octets).error();
    client_.ok(number + " " + std::to_string(*octets));
    co_return Result<void>();
  }
  Result<std::string> id = co_await maildrop.uidl(*command.message);
  if (!id) co_return std::move(id).error();
  client_.ok(number + " " + *id);
  co_return Result<void>();
}

/// CAPA may be asked at any time (RFC 2449 §5); everything else that is not the maildrop's has no place in
/// this state.
void Session::answer_here(const CommandQueue::Entry& entry) {
  if (entry.command.verb == pop3::Verb::capa && entry.error == pop3::ParseError::none) {
    leg_->backend->metrics()->commands_ok[index(pop3::Verb::capa)].add();
    list_capabilities();
    return;
  }
  leg_->backend->metrics()->commands_failed[index(entry.command.verb)].add();
  client_.error(failure_row(FailureKind::client_protocol).in_transaction);
}

void Session::account(const maildrop::QueuedCommand& command, const Result<void>& done,
                      const ClientSink& sink) {
  metrics::BackendMetrics& cells = *leg_->backend->metrics();
  (done ? cells.commands_ok : cells.commands_failed)[index(command.verb)].add();
  if (done && command.verb == pop3::Verb::uidl) record_->uidl_hash = leg_->maildrop->uidl_hash();
  if (done && command.verb == pop3::Verb::retr) {
    ++record_->retrieved;
    cells.messages_retr.add();
    cells.message_size.observe(static_cast<double>(sink.octets()));
    tell_if_short(sink);
  } else if (done && command.verb == pop3::Verb::top) {
    ++record_->topped;
    cells.messages_top.add();
  }
  account_bytes();
}

/// Some servers end a damaged message as if it were whole. Sizes may be estimates, so this is told and not
/// acted upon.
void Session::tell_if_short(const ClientSink& sink) {
  if (!sink.announced() || sink.octets() >= *sink.announced() / 2) return;
  LogLine(environment_.log, LogLevel::warn, "message_short",
          "a message has less than half of the octets announced")
      .field("session", record_->id().view())
      .field("backend", leg_->backend->name())
      .field("server", leg_->maildrop->server())
      .field("announced", *sink.announced())
      .field("octets", sink.octets());
}

void Session::account_bytes() {
  metrics::BackendMetrics& cells = *leg_->backend->metrics();
  const std::uint64_t from = leg_->maildrop->bytes_from_backend();
  const std::uint64_t to = leg_->maildrop->bytes_to_backend();
  cells.bytes_to_client.add(from - std::exchange(bytes_to_client_seen_, from));
  cells.bytes_to_backend.add(to - std::exchange(bytes_to_backend_seen_, to));
}

}  // namespace postern::session
