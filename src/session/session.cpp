#include "session/session.hpp"

#include <algorithm>
#include <utility>

namespace postern::session {
namespace {

/// Above the limit new clients are told so, which over TLS costs a handshake; this many above it they are not
/// listened to.
constexpr std::uint32_t told_above(std::uint32_t limit) noexcept {
  return std::max<std::uint32_t>(limit / 10, 64);
}

using metrics::ListenerMetrics;

}  // namespace

coro::Task<void> serve(Environment& environment, std::shared_ptr<const Service> service,
                       net::Accepted accepted) {
  Session session(environment, std::move(service), std::move(accepted));
  co_await session.run();
}

Session::Session(Environment& environment, std::shared_ptr<const Service> service, net::Accepted accepted)
    : environment_(environment),
      service_(std::move(service)),
      record_(std::make_shared<Record>(environment, service_, accepted)),
      state_(service_->metrics, &ListenerMetrics::handshake),
      turn_(std::make_shared<net::Turn>(environment.scheduler)),
      client_(*turn_, scope_, environment.pool, std::move(accepted.connection),
              service_->limits().write_timeout),
      login_timer_(*this),
      queue_(client_.reader) {
  environment_.sessions.add(*this);
  environment_.scheduler.arm(login_timer_, environment_.scheduler.now() + service_->limits().login_timeout);
}

Session::~Session() {
  environment_.sessions.remove(*this);
}

void Session::end(FailureKind reason) {
  scope_.cancel(reason);
  if (leg_) leg_->scope.cancel(reason);
}

void Session::drain() {
  if (record_->phase < Phase::transaction) end(FailureKind::draining);
}

coro::Task<void> Session::run() {
  std::optional<End> end = co_await greet();
  if (!end) end = co_await authorize();
  if (!end) end = co_await transact();
  if (end->is_quit() && leg_) end = co_await update();
  co_await finish(*end);
}

Session::Step Session::greet() {
  const std::uint32_t live = environment_.live_sessions.load(std::memory_order_relaxed);
  const std::uint32_t limit = service_->limits().max_sessions;
  if (live > limit + told_above(limit)) co_return End::cut(FailureKind::overload);
  if (service_->listener->tls == config::ListenerTls::implicit) {
    std::optional<End> failed = co_await secure();
    if (failed) co_return failed;
  }
  enter(&ListenerMetrics::authorization);
  if (environment_.draining) co_return End(FailureKind::draining);
  if (live > limit) co_return End(FailureKind::overload);
  record_->phase = Phase::auth;
  client_.reader.set_sensitive(true);  // until the login is over
  client_.ok("postern ready");
  co_return std::nullopt;
}

/// The TLS handshake, over a stream on which nothing is under way.
Session::Step Session::secure() {
  record_->phase = Phase::tls;
  const TimePoint begun = environment_.scheduler.now();
  tls::TlsTransport* transport = nullptr;
  client_.stream.upgrade([&](std::unique_ptr<Transport> lower) {
    auto filter = service_->tls->accept(std::move(lower));
    transport = filter.get();
    return filter;
  });
  net::IoOutcome done = co_await client_.stream.handshake(coro::Deadline::never());
  if (!done) {
    service_->metrics->tls.failed.add();
    const bool gone = done.error().code() == net::Errc::eof || done.error().code() == net::Errc::cancelled;
    co_return End(gone ? client_failure(done.error(), FailureKind::login_timeout) : FailureKind::client_tls);
  }
  service_->metrics->tls_handshake_duration.observe(environment_.scheduler.now() - begun);
  record_->secured(transport->info());
  secured_ = true;
  co_return std::nullopt;
}

/// The last words, and the end of the connection: polite, unless something was begun that cannot be
/// completed.
coro::Task<void> Session::finish(const End& end) {
  record_->ended(end);
  leg_.reset();  // without QUIT: the backend removes nothing
  if (end.is_cut()) {
    client_.stream.abort();
  } else {
    if (!end.is_quit()) say(end.reason());
    co_await client_.stream.close();
  }
  record_->bytes_in = client_.stream.bytes_read();
  record_->bytes_out = client_.stream.bytes_written();
}

/// What the failure table says about the end of a session. Some ends are silent.
void Session::say(FailureKind reason) {
  const FailureRow& row = failure_row(reason);
  const bool in_transaction = record_->phase >= Phase::transaction;
  const bool closes = in_transaction ? row.closes_transaction : row.closes_login;
  const std::string_view text = in_transaction ? row.in_transaction : row.at_login;
  if (record_->phase == Phase::tls && !secured_)
    return;  // in the middle of a handshake there is nobody to tell
  // Failures that do not close were answered where they came up.
  if (!closes || text.empty() || client_.stream.room() < Client::kMaxReply) return;
  client_.error(text);
  client_.stream.push();
}

void Session::enter(metrics::Gauge ListenerMetrics::* state) {
  state_ = metrics::Held<ListenerMetrics>(service_->metrics, state);
}

}  // namespace postern::session
