// The AUTHORIZATION state (RFC 1939 §4, RFC 2449, RFC 2595 §4, RFC 5034).
#include <utility>

#include "postern/coro/event.hpp"
#include "postern/maildrop/maildrop.hpp"
#include "session/session.hpp"

namespace postern::session {
namespace {

/// A line of a SASL exchange has to fit a chunk with its line end.
constexpr std::size_t kSaslLine = std::min(pop3::kMaxSaslLine, net::ChunkPool::kLarge - 2);

LoginWay way(sasl::Mechanism mechanism) noexcept {
  return mechanism == sasl::Mechanism::plain ? LoginWay::plain : LoginWay::login;
}

/// What browsers, mail relays and TLS clients say first when they have come to the wrong port.
bool is_other_protocol(std::string_view line) noexcept {
  if (line.starts_with('\x16')) return true;
  for (const std::string_view verb : {"GET ", "POST ", "HEAD ", "EHLO ", "HELO ", "OPTIONS ", "CONNECT "}) {
    if (line.starts_with(verb)) return true;
  }
  return false;
}

}  // namespace

Session::Step Session::authorize() {
  bool first = true;
  while (!leg_) {
    if (std::exchange(first, false) && !secured_) {
      net::IoOutcome come = co_await client_.reader.fill(false, coro::Deadline::never());
      if (!come) co_return End(client_failure(come.error(), FailureKind::login_timeout));
      if (client_.reader.buffered().starts_with('\x16')) co_return End(FailureKind::wrong_protocol);
    }
    net::IoOutcome room = co_await client_.stream.make_room(2 * Client::kMaxReply);
    if (!room) co_return End(client_failure(room.error(), FailureKind::login_timeout));
    Result<std::string_view, net::IoError> line = co_await client_.read_line(pop3::kMaxAuthLine);
    if (!line) {
      if (line.error().code() == net::Errc::too_long) say_too_long();
      co_return End(client_failure(line.error(), FailureKind::login_timeout));
    }
    if (is_other_protocol(*line)) co_return End(FailureKind::wrong_protocol);
    const pop3::Parsed parsed = pop3::parse(*line);
    if (line->size() > pop3::kMaxCommandLine && parsed.command.verb != pop3::Verb::auth) {
      say_too_long();
      co_return End(FailureKind::client_protocol);
    }
    ++record_->commands;
    if (parsed.error != pop3::ParseError::none) {
      const std::optional<End> enough = count_bad_command();
      if (enough) co_return enough;
      continue;
    }
    std::optional<End> end = co_await obey(parsed.command);
    if (end) co_return end;
  }
  co_return std::nullopt;
}

Session::Step Session::obey(const pop3::Command& command) {
  switch (command.verb) {
    case pop3::Verb::capa:
      list_capabilities();
      break;
    case pop3::Verb::stls: {
      std::optional<End> end = co_await start_tls();
      co_return end;
    }
    case pop3::Verb::user: {
      std::optional<End> end = co_await take_user(command);
      co_return end;
    }
    case pop3::Verb::pass: {
      std::optional<End> end = co_await take_password(command);
      co_return end;
    }
    case pop3::Verb::auth: {
      std::optional<End> end = co_await authenticate(command);
      co_return end;
    }
    case pop3::Verb::quit:
      client_.ok("bye");
      co_return End::quit();
    default:  // APOP, TRANSACTION commands and what nobody knows
      co_return count_bad_command();
  }
  co_return std::nullopt;
}

/// RFC 2595 §4. Whatever was sent behind STLS in plaintext would be taken for part of the protected session:
/// the connection ends (CVE-2011-0411).
Session::Step Session::start_tls() {
  if (secured_ || service_->listener->tls != config::ListenerTls::starttls) co_return count_bad_command();
  client_.reader.fill_now(1);
  if (!client_.reader.buffered().empty()) co_return End::cut(FailureKind::client_protocol);
  client_.ok("begin TLS");
  net::IoOutcome flushed = co_await client_.stream.flush(coro::Deadline::never());
  if (!flushed) co_return End(client_failure(flushed.error(), FailureKind::login_timeout));
  user_.reset();
  std::optional<End> failed = co_await secure();
  if (failed) co_return failed;
  record_->phase = Phase::auth;
  co_return std::nullopt;
}

bool Session::may_authenticate() const noexcept {
  return secured_ || !service_->listener->require_tls_for_auth;
}

/// RFC 8314 §3.2: told before the password is sent, if the client listens.
void Session::forbid(LoginWay way, std::string_view user) {
  const Error error(FailureKind::plaintext_forbidden, "no TLS");
  client_.error(failure_row(error.kind()).at_login);
  service_->metrics->logins[static_cast<std::size_t>(way)][static_cast<std::size_t>(LoginResult::refused)]
      .add();
  if (std::exchange(forbade_, true)) return;  // a line for each session is enough
  record_->login_failed(metrics::kMechanisms[static_cast<std::size_t>(way)], user, error);
}

Session::Step Session::take_user(const pop3::Command& command) {
  if (!may_authenticate()) {
    forbid(LoginWay::user, command.argument);
    co_return std::nullopt;
  }
  user_ = std::string(command.argument.substr(0, pop3::kMaxCommandLine));
  client_.ok();
  co_return std::nullopt;
}

Session::Step Session::take_password(const pop3::Command& command) {
  if (!may_authenticate()) {
    forbid(LoginWay::user, std::string_view());
    co_return std::nullopt;
  }
  if (!user_) co_return count_bad_command();
  std::string user = std::move(*user_);
  user_.reset();
  Secret password(command.argument);
  std::optional<End> end = co_await log_in(LoginWay::user, std::move(user), std::move(password));
  co_return end;
}

/// RFC 5034 §4. Without an argument it lists the mechanisms, as old clients expect.
Session::Step Session::authenticate(const pop3::Command& command) {
  if (command.argument.empty()) {
    list_mechanisms();
    co_return std::nullopt;
  }
  const auto mechanism = sasl::find_mechanism(command.argument);
  if (!may_authenticate()) {
    forbid(mechanism ? way(*mechanism) : LoginWay::plain, std::string_view());
    co_return std::nullopt;
  }
  if (!mechanism) {  // clients try what they know, one after the other: no bad command
    client_.error(failure_row(FailureKind::client_protocol).at_login);
    co_return std::nullopt;
  }
  sasl::Exchange exchange(*mechanism);
  sasl::Exchange::Step step = exchange.begin(command.initial);
  while (step == sasl::Exchange::Step::challenge) {
    client_.stream.put("+ ");
    client_.line(exchange.challenge());
    Result<std::string_view, net::IoError> line = co_await client_.read_line(kSaslLine);
    if (!line) {
      if (line.error().code() == net::Errc::too_long) say_too_long();
      co_return End(client_failure(line.error(), FailureKind::login_timeout));
    }
    step = exchange.feed(*line);
  }
  if (step == sasl::Exchange::Step::cancelled || step == sasl::Exchange::Step::malformed) {
    client_.error(failure_row(FailureKind::client_protocol).at_login);
    co_return std::nullopt;
  }
  if (step == sasl::Exchange::Step::refused) {
    const Error refused(FailureKind::auth_refused, "unacceptable SASL message");
    std::optional<End> end =
        co_await refuse(way(*mechanism), std::string(), refused, environment_.scheduler.now());
    co_return end;
  }
  sasl::Credentials given = exchange.take_credentials();
  std::optional<End> end = co_await log_in(way(*mechanism), std::move(given.user), std::move(given.password));
  co_return end;
}

Session::Step Session::log_in(LoginWay way, std::string user, Secret password) {
  const TimePoint begun = environment_.scheduler.now();
  record_->tried_login();
  client_.reader.fill_now(1);  // the line was dealt with: its chunk goes back, unless more has come
  if (!sasl::is_acceptable(user, password.view())) {
    const Error refused(FailureKind::auth_refused, "unacceptable user name or password");
    std::optional<End> end = co_await refuse(way, user, refused, begun);
    co_return end;
  }
  if (refused_pair_.matches(user, password.view())) {
    const Error refused(FailureKind::auth_refused, "refused on this connection before");
    std::optional<End> end = co_await refuse(way, user, refused, begun);
    co_return end;
  }
  Secret tried = password.clone();
  Result<void> opened = co_await open_mailbox(user, std::move(password));
  if (!opened) {
    if (opened.error().kind() == FailureKind::auth_refused) refused_pair_.remember(user, tried.view());
    std::optional<End> end = co_await refuse(way, user, opened.error(), begun);
    co_return end;
  }
  service_->metrics->logins[static_cast<std::size_t>(way)][static_cast<std::size_t>(LoginResult::ok)].add();
  LogLine(environment_.log, LogLevel::debug, "login_ok", "logged in")
      .field("session", record_->id().view())
      .field("client", record_->peer().ip())
      .field("user", user)
      .field("backend", leg_->backend->name())
      .field("server", leg_->maildrop->server());
  record_->logged_in(std::move(user), leg_->backend, leg_->maildrop->server());
  client_.ok("logged in");
  co_return std::nullopt;
}

/// What the client asked for, what its route says, what its listener says.
std::string_view Session::view_of(const backend::LoginName& name, const backend::Routed& routed) const {
  if (name.view) return *name.view;
  if (!routed.view.empty()) return routed.view;
  return service_->listener->view.empty() ? config::kDefaultView : std::string_view(service_->listener->view);
}

/// From a password to an open maildrop: who is it, where is the mail, will the backend have it. "+OK" is said
/// only when all three are answered.
coro::Task<Result<void>> Session::open_mailbox(const std::string& user, Secret password) {
  record_->phase = Phase::auth;
  const backend::LoginName name = service_->directory->take_apart(user);
  auth::Attempt attempt(name.user, std::move(password), record_->peer());
  Result<backend::Grant> grant = co_await service_->authenticator->check(std::move(attempt));
  if (!grant) co_return std::move(grant).error();

  record_->phase = Phase::route;
  Result<backend::Routed> routed = service_->directory->route(grant->user, grant->hints);
  if (!routed) co_return std::move(routed).error();
  const config::View* view = service_->directory->find_view(view_of(name, *routed));
  if (view == nullptr) co_return Error(FailureKind::no_folder, "there is no view of that name");

  const TimePoint begun = environment_.scheduler.now();
  leg_ = std::make_unique<BackendLeg>(turn_);
  leg_->backend = routed->backend;
  backend::Origin origin(record_->peer(), record_->local(), std::string(record_->id().view()));
  maildrop::Login login(std::move(grant->credentials), std::move(origin), *view);
  login.folder = name.folder;
  backend::Progress progress;
  Result<std::unique_ptr<maildrop::Maildrop>> opened =
      co_await environment_.opener.open(*leg_->backend, std::move(login), *turn_, leg_->scope, progress);
  record_->phase = progress.phase;
  metrics::BackendMetrics& cells = *leg_->backend->metrics();
  if (!opened) {
    leg_.reset();
    Error error = std::move(opened).error();
    const bool ours =
        grant->proof == backend::Grant::Proof::done && error.kind() == FailureKind::auth_refused;
    if (ours) error = Error(FailureKind::gateway_credentials, error.detail());
    cells.logins[static_cast<std::size_t>(failure_row(error.kind()).login_result)].add();
    co_return error;
  }
  cells.logins[static_cast<std::size_t>(LoginResult::ok)].add();
  cells.login_duration.observe(environment_.scheduler.now() - begun);
  leg_->maildrop = std::move(*opened);
  account_bytes();  // the list of a large mailbox, perhaps, and the client may never ask for anything
  co_return Result<void>();
}

/// Answers a login that failed. Refused credentials are answered after a while that is the same for all of
/// them, so that neither the time nor the text tells an unknown user from a wrong password; an outage is told
/// at once.
Session::Step Session::refuse(LoginWay way, const std::string& user, const Error& error, TimePoint begun) {
  const FailureRow& row = failure_row(error.kind());
  record_->tried_login();
  service_->metrics->logins[static_cast<std::size_t>(way)][static_cast<std::size_t>(row.login_result)].add();
  if (scope_.reason()) co_return End(*scope_.reason());
  record_->login_failed(metrics::kMechanisms[static_cast<std::size_t>(way)], user, error);
  const bool refused = row.login_result == LoginResult::auth_failed;
  if (refused) {
    client_.stream.push();
    coro::Event never(environment_.scheduler, scope_);
    const coro::Deadline deadline(begun + service_->limits().auth_failure_delay);
    const coro::WaitResult waited = co_await never.wait(deadline);
    if (waited == coro::WaitResult::cancelled) co_return End(*scope_.reason());
  }
  if (row.closes_login) co_return End(error.kind());
  client_.error(row.at_login);
  if (refused && ++auth_failures_ >= service_->limits().max_auth_failures) co_return End(error.kind());
  record_->phase = Phase::auth;
  co_return std::nullopt;
}

/// A command that cannot be obeyed here; nothing when the client may go on.
std::optional<End> Session::count_bad_command() {
  client_.error(failure_row(FailureKind::client_protocol).at_login);
  if (++bad_commands_ < service_->limits().max_bad_commands) return std::nullopt;
  return End(FailureKind::client_protocol);
}

void Session::say_too_long() {
  client_.error("line too long");
}

void Session::list_mechanisms() {
  client_.ok();
  if (may_authenticate()) {
    client_.line(sasl::name(sasl::Mechanism::plain));
    client_.line(sasl::name(sasl::Mechanism::login));
  }
  client_.line(".");
}

/// RFC 2449 §5-6: before the login what every backend can do, afterwards less what this one cannot. USER and
/// SASL are listed only where a password may be sent, and in both states (RFC 5034 §3).
void Session::list_capabilities() {
  const maildrop::Maildrop* open = leg_ ? leg_->maildrop.get() : nullptr;
  client_.ok("capabilities follow");
  if (open == nullptr || open->has_top()) client_.line("TOP");
  if (open == nullptr || open->has_uidl()) client_.line("UIDL");
  if (may_authenticate()) {
    client_.line("USER");
    client_.line("SASL PLAIN LOGIN");
  }
  client_.line("RESP-CODES");
  client_.line("AUTH-RESP-CODE");
  client_.line("PIPELINING");
  const bool may_start_tls =
      service_->listener->tls == config::ListenerTls::starttls && !secured_ && open == nullptr;
  if (may_start_tls) client_.line("STLS");
  client_.line("IMPLEMENTATION postern");
  client_.line(".");
}

}  // namespace postern::session
