#include "postern/backend/imap_client.hpp"

#include <algorithm>
#include <utility>

#include "backend/client_support.hpp"
#include "postern/base/assert.hpp"
#include "postern/imap/failure.hpp"

namespace postern::backend {
namespace {

/// Responses of one command, until the size of the mailbox is known.
constexpr std::uint64_t kResponsesBeforeSelect = 1000;
constexpr std::size_t kMaxAnswerText = 200;
/// Pieces of a body that are read at once.
constexpr bool kLargeChunk = true;

ImapListener& nobody() {
  static ImapListener listener;  // without state
  return listener;
}

/// Whether a response is the answer to that command; then it is kept.
bool take_answer(const imap::Response& response, ImapAnswer& answer) {
  if (response.kind != imap::ResponseKind::tagged || response.tag != answer.tag || answer.done) return false;
  answer.done = true;
  answer.condition = response.condition;
  answer.code = response.code;
  answer.text = std::string(response.text.substr(0, kMaxAnswerText));
  return true;
}

bool is_untagged_status(const imap::Response& response) noexcept {
  return response.kind == imap::ResponseKind::status;
}

bool is_untagged_ok(const imap::Response& response) noexcept {
  return is_untagged_status(response) && response.condition == imap::Condition::ok;
}

}  // namespace

imap::Response ImapAnswer::response() const noexcept {
  imap::Response response;
  response.kind = imap::ResponseKind::tagged;
  response.tag = tag;
  response.condition = condition;
  response.code = code;
  response.text = text;
  return response;
}

ImapClient::ImapClient(net::Turn& turn, coro::CancelSource& scope, net::ChunkPool& pool,
                       Connection connection, Backend& backend, Server& server, CapabilityTable& capabilities,
                       Random& random)
    : scheduler_(turn.scheduler()),
      backend_(backend),
      server_(server),
      table_(capabilities),
      table_key_(table_key(server, backend)),
      tags_(random),
      parser_(backend.settings().imap.max_message),
      response_limit_(kResponsesBeforeSelect),
      stream_(turn, scope, pool, std::move(connection), backend.settings().command_timeout),
      reader_(stream_, pool) {
  reader_.set_sensitive(true);  // until the login is over
}

// Greeting, TLS, capabilities.

coro::Task<Result<void>> ImapClient::greet(coro::Deadline deadline, Phase& phase) {
  const config::BackendTlsMode mode = backend_.settings().tls.mode;
  if (mode == config::BackendTlsMode::implicit) {
    phase = Phase::backend_tls;
    Result<void> secured = co_await shake_hands(stream_, backend_, server_, deadline);
    if (!secured) co_return secured;
  }
  phase = Phase::greeting;
  Result<void> greeted = co_await read_greeting(deadline);
  if (!greeted) co_return greeted;
  if (mode == config::BackendTlsMode::starttls) {
    phase = Phase::backend_tls;
    Result<void> secured = co_await start_tls(deadline);
    if (!secured) co_return secured;
    phase = Phase::greeting;
  }
  Result<void> learned = co_await learn_before_login(deadline);
  if (!learned) co_return before_login(std::move(learned).error());
  const config::ImapProfile configured = backend_.settings().imap.profile;
  quirks_ = quirks_of(configured == config::ImapProfile::automatic ? detect_profile(greeting_, known_)
                                                                   : configured);
  greeting_.clear();
  greeting_.shrink_to_fit();
  co_return Result<void>();
}

coro::Task<Result<void>> ImapClient::read_greeting(coro::Deadline deadline) {
  Result<Step> step = co_await read(deadline);
  if (!step) co_return before_login(std::move(step).error());
  const imap::Response& greeting = parser_.response();
  if (*step != Step::response || !is_untagged_status(greeting)) {
    co_return Error(FailureKind::greeting, "unexpected greeting");
  }
  if (greeting.condition == imap::Condition::preauth) {
    // Not a failure of reaching the server: no other one is tried, and somebody has to look at it.
    co_return Error(FailureKind::backend_protocol, "the server greets with PREAUTH, which is refused");
  }
  if (greeting.condition != imap::Condition::ok) {
    co_return Error(FailureKind::greeting, "the server greets with NO");
  }
  greeting_ = std::string(greeting.text.substr(0, kMaxAnswerText));
  co_return Result<void>();
}

/// RFC 3501 §6.2.1. What was known before is forgotten.
coro::Task<Result<void>> ImapClient::start_tls(coro::Deadline deadline) {
  if (listed_ && !known_.starttls) co_return Error(FailureKind::backend_tls, "the server has no STARTTLS");
  ImapAnswer answer = put("STARTTLS");
  while (!answer.done) {
    Result<Step> step = co_await read(deadline);
    if (!step) co_return Error(FailureKind::backend_tls, "STARTTLS: " + step.error().detail());
    const imap::Response& response = parser_.response();
    if (*step != Step::response) co_return Error(FailureKind::backend_tls, "data in answer to STARTTLS");
    if (response.kind == imap::ResponseKind::tagged) {
      if (response.condition != imap::Condition::ok) {
        co_return Error(FailureKind::backend_tls, "the server refused STARTTLS");
      }
      answer.done = true;
    } else if (response.kind != imap::ResponseKind::capability && !is_untagged_ok(response)) {
      co_return Error(FailureKind::backend_tls, "data in answer to STARTTLS");
    }
  }
  if (!reader_.buffered().empty()) {
    co_return Error(FailureKind::backend_tls, "octets between the answer to STARTTLS and the handshake");
  }
  known_ = imap::Capabilities();
  listed_ = false;
  Result<void> secured = co_await shake_hands(stream_, backend_, server_, deadline);
  co_return secured;
}

coro::Task<Result<void>> ImapClient::learn_before_login(coro::Deadline deadline) {
  if (listed_) {
    table_.imap.learn(table_key_, known_);
    co_return Result<void>();
  }
  if (const auto learned = table_.imap.find(table_key_)) {
    known_ = *learned;
    co_return Result<void>();
  }
  Result<void> asked = co_await ask_capabilities(deadline);
  if (!asked) co_return asked;
  table_.imap.learn(table_key_, known_);
  co_return Result<void>();
}

/// Servers can do more, or say less, after a login: what comes with its OK counts, else what is known, else
/// they are asked.
coro::Task<Result<void>> ImapClient::learn_after_login(coro::Deadline deadline) {
  if (!heard_) {
    listed_ = false;
    if (const auto learned = table_.imap_after_login.find(table_key_)) {
      known_ = *learned;
      co_return Result<void>();
    }
    Result<void> asked = co_await ask_capabilities(deadline);
    if (!asked) co_return asked;
  }
  table_.imap_after_login.learn(table_key_, known_);
  co_return Result<void>();
}

coro::Task<Result<void>> ImapClient::ask_capabilities(coro::Deadline deadline) {
  ImapAnswer answer = put("CAPABILITY");
  Result<void> done = co_await finish(answer, nobody(), deadline);
  if (!done) co_return done;
  if (!answer.is_ok()) co_return Error(FailureKind::backend_protocol, "the server refused CAPABILITY");
  co_return Result<void>();
}

void ImapClient::hear_capabilities(const imap::Response& response) {
  if (response.kind == imap::ResponseKind::capability) {
    known_ = imap::parse_capabilities(response.text);
  } else if (response.code == imap::Code::capability) {
    known_ = imap::parse_capabilities(response.code_arguments);
  } else {
    return;
  }
  listed_ = heard_ = true;
}

// Commands and answers.

imap::Command ImapClient::command(std::string_view name) {
  const imap::NonSyncLiterals literals = listed_ ? known_.non_sync_literals() : imap::NonSyncLiterals::none;
  return imap::Command(tags_.next(), name, literals);
}

void ImapClient::put(const imap::Segment& segment) {
  if (segment.is_secret()) {
    stream_.put_sensitive(segment.octets());
  } else {
    stream_.put(segment.octets());
  }
}

coro::Task<Result<ImapAnswer>> ImapClient::send(imap::Command command, ImapListener& listener,
                                                coro::Deadline deadline) {
  POSTERN_ASSERT(command.is_valid());
  ImapAnswer answer(command.tag());
  outstanding_.push_back(command.tag());
  for (const imap::Segment& segment : command.segments()) {
    net::IoOutcome room = co_await stream_.make_room(std::min(segment.octets().size(), net::Stream::kGather));
    if (!room) co_return room.error().as(lost_or_late(room.error()), "sending a command");
    put(segment);
    if (!segment.waits()) continue;
    Result<void> allowed = co_await await_continuation(answer, listener, deadline);
    if (!allowed) co_return std::move(allowed).error();
    if (answer.done) break;  // refused: the literal is not sent
  }
  co_return answer;
}

ImapAnswer ImapClient::put(std::string_view words) {
  ImapAnswer answer(tags_.next());
  outstanding_.push_back(answer.tag);
  stream_.put(answer.tag);
  stream_.put(" ");
  stream_.put(words);
  stream_.put("\r\n");
  return answer;
}

/// Reads until "+", or until the command has been answered without.
coro::Task<Result<void>> ImapClient::await_continuation(ImapAnswer& answer, ImapListener& listener,
                                                        coro::Deadline deadline) {
  for (;;) {
    Result<Step> step = co_await read(deadline);
    if (!step) co_return std::move(step).error();
    if (*step == Step::body) {
      Result<void> skipped = co_await skip_body(listener, deadline);
      if (!skipped) co_return skipped;
      continue;
    }
    if (*step == Step::numbers) {
      listener.on_numbers(parser_.response(), parser_.numbers());
      continue;
    }
    if (parser_.response().kind == imap::ResponseKind::continuation) co_return Result<void>();
    if (!take_answer(parser_.response(), answer)) {
      listener.on_response(parser_.response());
    } else {
      co_return Result<void>();
    }
  }
}

coro::Task<Result<void>> ImapClient::finish(ImapAnswer& answer, ImapListener& listener,
                                            coro::Deadline deadline) {
  ImapAnswer* const answers[] = {&answer};
  Result<void> done = co_await finish(std::span<ImapAnswer* const>(answers), listener, deadline);
  co_return done;
}

coro::Task<Result<void>> ImapClient::finish(std::span<ImapAnswer* const> answers, ImapListener& listener,
                                            coro::Deadline deadline) {
  const auto is_done = [](const ImapAnswer* answer) { return answer->done; };
  while (!std::all_of(answers.begin(), answers.end(), is_done)) {
    Result<Step> step = co_await read(deadline);
    if (!step) co_return std::move(step).error();
    if (*step == Step::body) {
      Result<void> skipped = co_await skip_body(listener, deadline);
      if (!skipped) co_return skipped;
      continue;
    }
    if (*step == Step::numbers) {
      listener.on_numbers(parser_.response(), parser_.numbers());
      continue;
    }
    const imap::Response& response = parser_.response();
    if (response.kind == imap::ResponseKind::continuation) {
      co_return Error(FailureKind::backend_protocol, "a continuation that nobody waits for");
    }
    bool taken = false;
    for (ImapAnswer* answer : answers) taken = taken || take_answer(response, *answer);
    if (!taken) listener.on_response(response);
  }
  co_return Result<void>();
}

coro::Task<Result<void>> ImapClient::skip_body(ImapListener& listener, coro::Deadline deadline) {
  const imap::Body& body = parser_.body();
  listener.on_body(body);
  if (body.form == imap::BodyForm::quoted && !body.text.empty()) listener.on_octets(body.text);
  while (literal_left_ != 0) {
    Result<std::string_view> octets = co_await take_octets(literal_left_, deadline);
    if (!octets) co_return std::move(octets).error();
    listener.on_octets(*octets);
  }
  co_return Result<void>();
}

coro::Task<Result<ImapClient::Step>> ImapClient::read(coro::Deadline deadline) {
  POSTERN_ASSERT(literal_left_ == 0);
  if (lost_) co_return *lost_;
  for (;;) {
    const imap::ResponseParser::Parsed parsed = parser_.parse(reader_.buffered());
    reader_.consume(parsed.consumed);
    if (parsed.step != Step::need_more) co_return accept(parsed.step);
    Result<void> filled = co_await fill(deadline, "waiting for an answer");
    if (!filled) co_return std::move(filled).error();
  }
}

/// The deadline is also for a server that never stops to send: it is waited for at no time.
coro::Task<Result<void>> ImapClient::fill(coro::Deadline deadline, const char* doing) {
  if (scheduler_.now() >= deadline.when()) {
    co_return Error(FailureKind::backend_timeout, std::string(doing) + ": it takes too long");
  }
  net::IoOutcome filled = co_await reader_.fill(kLargeChunk, deadline);
  if (!filled) co_return filled.error().as(lost_or_late(filled.error()), doing);
  co_return Result<void>();
}

bool ImapClient::take_buffered_response() {
  POSTERN_ASSERT(literal_left_ == 0);
  if (lost_ || reader_.buffered().empty()) return false;
  const imap::ResponseParser::Parsed parsed = parser_.parse(reader_.buffered());
  reader_.consume(parsed.consumed);
  if (parsed.step == Step::need_more) return false;
  const Result<Step> step = accept(parsed.step);
  if (step && *step != Step::body) return *step == Step::response;
  // A body that nobody asked for: its octets would be taken for what comes next.
  lost_ = step ? Error(FailureKind::backend_protocol, "a body that nobody asked for") : step.error();
  literal_left_ = 0;
  return false;
}

/// What has to be dealt with whoever reads: goodbyes, answers to nothing, a flood.
Result<ImapClient::Step> ImapClient::accept(Step step) {
  if (step == Step::error) {
    return Error(FailureKind::backend_protocol, "malformed response: " + std::string(parser_.error()));
  }
  if (step == Step::body && parser_.body().form == imap::BodyForm::literal) {
    literal_left_ = parser_.body().size;
  }
  if (step != Step::response) return step;
  const imap::Response& response = parser_.response();
  hear_capabilities(response);
  if (response.code == imap::Code::alert) alert_ = std::string(response.text.substr(0, kMaxAnswerText));
  if (const auto time = imap::throttled_for(response))
    throttled_ = std::max<Duration>(*time, throttled_.value_or(*time));
  if (is_untagged_status(response) && response.condition == imap::Condition::bye && !leaving_) {
    return Error(FailureKind::backend_lost,
                 "the server said goodbye: " + std::string(response.text.substr(0, kMaxAnswerText)));
  }
  if (response.kind == imap::ResponseKind::tagged) {
    const auto found = std::find(outstanding_.begin(), outstanding_.end(), response.tag);
    if (found == outstanding_.end()) {
      return Error(FailureKind::backend_protocol, "an answer to a command that was not sent");
    }
    outstanding_.erase(found);
    responses_ = 0;
  } else if (++responses_ > response_limit_) {
    return Error(FailureKind::backend_protocol, "too many responses to one command");
  }
  return step;
}

coro::Task<Result<std::string_view>> ImapClient::take_octets(Bytes most, coro::Deadline deadline) {
  POSTERN_ASSERT(most != 0 && most <= literal_left_);
  if (reader_.buffered().empty()) {
    Result<void> filled = co_await fill(deadline, "inside a message");
    if (!filled) co_return std::move(filled).error();
  }
  const std::string_view octets =
      reader_.buffered().substr(0, static_cast<std::size_t>(std::min<Bytes>(most, SIZE_MAX)));
  reader_.consume(octets.size());
  literal_left_ -= octets.size();
  co_return octets;
}

coro::Task<Result<std::string_view>> ImapClient::peek_octets(std::size_t octets, coro::Deadline deadline) {
  POSTERN_ASSERT(octets <= literal_left_ && octets <= net::ChunkPool::kSmall);
  while (reader_.buffered().size() < octets) {
    Result<void> filled = co_await fill(deadline, "before a message");
    if (!filled) co_return std::move(filled).error();
  }
  co_return reader_.buffered().substr(0, octets);
}

void ImapClient::log_out() noexcept {
  constexpr std::string_view kLogout = "LOGOUT";
  if (stream_.write_failed() || stream_.room() < net::Stream::kGather / 2) return;
  leaving_ = true;
  put(kLogout);
  stream_.push();
}

}  // namespace postern::backend
