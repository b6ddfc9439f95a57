#include "backend/client_support.hpp"

#include <utility>

namespace postern::backend {
namespace {

const char* tls_word(config::BackendTlsMode mode) noexcept {
  switch (mode) {
    case config::BackendTlsMode::none:
      return "/plain";
    case config::BackendTlsMode::starttls:
      return "/stls";
    case config::BackendTlsMode::implicit:
      return "/tls";
  }
  return "";
}

}  // namespace

std::string table_key(const Server& server, const Backend& backend) {
  return server.name() + tls_word(backend.settings().tls.mode);
}

coro::Task<Result<void>> shake_hands(net::Stream& stream, Backend& backend, Server& server,
                                     coro::Deadline deadline) {
  const config::BackendTls& settings = backend.settings().tls;
  const std::string& name = settings.server_name.empty() ? server.settings().host : settings.server_name;
  tls::ClientContext& context = *backend.tls();
  stream.upgrade([&](std::unique_ptr<Transport> lower) { return context.connect(std::move(lower), name); });
  net::IoOutcome done = co_await stream.handshake(deadline);
  if (!done) co_return done.error().as(FailureKind::backend_tls, "TLS handshake");
  co_return Result<void>();
}

FailureKind lost_or_late(const net::IoError& error) noexcept {
  switch (error.code()) {
    case net::Errc::timed_out:
    case net::Errc::stalled:
      return FailureKind::backend_timeout;
    case net::Errc::too_long:
      return FailureKind::backend_protocol;
    default:
      return FailureKind::backend_lost;
  }
}

Error before_login(Error error) {
  switch (error.kind()) {
    case FailureKind::backend_timeout:
    case FailureKind::backend_lost:
    case FailureKind::backend_protocol:
      return Error(FailureKind::greeting, error.detail());
    default:
      return error;
  }
}

bool repeats(std::string_view text, std::string_view secret) noexcept {
  constexpr std::size_t kTelling = 8;
  return !secret.empty() && text.find(secret.substr(0, kTelling)) != std::string_view::npos;
}

}  // namespace postern::backend
