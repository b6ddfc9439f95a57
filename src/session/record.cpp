#include "session/record.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace postern::session {
namespace {

/// People type passwords where a user name belongs: of a name that failed only so much is logged.
constexpr std::size_t kFailedUserInLog = 64;

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return std::string(digits.data(), end);
}

}  // namespace

FailureKind client_failure(const net::IoError& error, FailureKind late) noexcept {
  switch (error.code()) {
    case net::Errc::eof:
      return FailureKind::client_eof;
    case net::Errc::reset:
    case net::Errc::failed:
      return FailureKind::client_reset;
    case net::Errc::timed_out:
      return late;
    case net::Errc::stalled:
      return FailureKind::client_stalled;
    case net::Errc::cancelled:
      return error.reason();
    case net::Errc::too_long:
      return FailureKind::client_protocol;
  }
  return FailureKind::internal;
}

Record::Record(Environment& environment, std::shared_ptr<const Service> service,
               const net::Accepted& accepted)
    : environment_(environment),
      service_(std::move(service)),
      id_(environment.clock.wall_now(), environment.random),
      peer_(accepted.peer),
      local_(accepted.local),
      begun_(environment.scheduler.now()) {
  service_->metrics->connections.add();
  environment_.live_sessions.fetch_add(1, std::memory_order_relaxed);
  LogLine(environment_.log, LogLevel::debug, "connect", "client connected")
      .field("session", id_.view())
      .field("client", peer_.ip())
      .field("client_port", peer_.port())
      .field("listener", service_->listener->name);
}

Record::~Record() {
  environment_.live_sessions.fetch_sub(1, std::memory_order_relaxed);
  const Duration duration = environment_.scheduler.now() - begun_;
  if (metrics::BackendMetrics* cells = backend_metrics()) {
    cells->sessions_closed[end_.is_quit() ? metrics::kQuitEnd : static_cast<std::size_t>(end_.reason())]
        .add();
    cells->session_duration.observe(duration);
  } else if (!tried_login_ && !end_.is_quit()) {
    service_->metrics->rejected[static_cast<std::size_t>(end_.reason())].add();
  }
  const LogLevel usual = end_.is_quit() ? LogLevel::info : failure_row(end_.reason()).level;
  const LogLevel level = is_noise() ? LogLevel::debug : std::max(usual, LogLevel::info);
  LogLine(environment_.log, level, "session_end", "session ended")
      .field("session", id_.view())
      .field("client", peer_.ip())
      .field("client_port", peer_.port())
      .field("listener", service_->listener->name)
      .field("user", user_)
      .field("backend", backend_ ? backend_->name() : "")
      .field("server", server_)
      .field("phase", label(phase))
      .field("reason", reason())
      .field("tls", tls_)
      .field("duration_ms", duration)
      .field("login_ms", login_)
      .field("commands", commands)
      .field("retr", retrieved)
      .field("top", topped)
      .field("dele", deleted)
      .field("bytes_in", bytes_in)
      .field("bytes_out", bytes_out)
      .field("uidl", uidl_hash ? hexadecimal(*uidl_hash) : std::string());
}

void Record::secured(const tls::Info& info) {
  tls_ = std::string(info.version) + "/" + std::string(info.cipher);
  auto& handshakes = service_->metrics->tls;
  for (std::size_t i = 0; i < metrics::kTlsVersions.size(); ++i) {
    if (metrics::kTlsVersions[i] == info.version)
      (info.resumed ? handshakes.resumed : handshakes.full)[i].add();
  }
}

void Record::login_failed(std::string_view mechanism, std::string_view user, const Error& error) {
  const FailureRow& row = failure_row(error.kind());
  if (!environment_.log.admits(error.kind())) return;
  LogLine(environment_.log, std::max(row.level, LogLevel::info), "login_failed", "login failed")
      .field("session", id_.view())
      .field("client", peer_.ip())
      .field("client_port", peer_.port())
      .field("listener", service_->listener->name)
      .field("mech", mechanism)
      .field("reason", row.label)
      .field("user", user.substr(0, kFailedUserInLog))
      .field("detail", error.detail());
}

void Record::logged_in(std::string user, std::shared_ptr<backend::Backend> backend, std::string server) {
  login_ = environment_.scheduler.now() - begun_;
  user_ = std::move(user);
  backend_ = std::move(backend);
  server_ = std::move(server);
  counts_for_backend_ =
      metrics::Held<metrics::BackendMetrics>(backend_->metrics(), &metrics::BackendMetrics::sessions);
}

std::string_view Record::reason() const noexcept {
  return end_.is_quit() ? std::string_view("quit") : label(end_.reason());
}

/// A balancer that connects and goes again, or a scanner; or one of a rush that is turned away: counted, but
/// not worth a line.
bool Record::is_noise() const noexcept {
  if (tried_login_ || commands != 0 || end_.is_quit()) return false;
  if (!environment_.log.admits(end_.reason())) return true;
  return end_.reason() == FailureKind::client_eof || end_.reason() == FailureKind::client_reset;
}

}  // namespace postern::session
