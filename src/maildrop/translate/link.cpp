#include "maildrop/translate/link.hpp"

#include <utility>

namespace postern::maildrop {

Link::Link(backend::Dialer& dialer, backend::Backend& backend, const backend::BackendCredentials& credentials,
           backend::Origin origin, net::Turn& turn, coro::CancelSource& scope)
    : dialer_(dialer),
      backend_(backend),
      credentials_(credentials.user, credentials.password.clone()),
      origin_(std::move(origin)),
      turn_(turn),
      scope_(scope) {}

Link::~Link() {
  if (client_) client_->log_out();
}

coro::Task<Result<void>> Link::open(backend::Progress& progress) {
  drop();
  Result<std::unique_ptr<backend::ImapClient>> dialled =
      co_await dialer_.dial_imap(backend_, turn_, scope_, progress);
  if (!dialled) co_return std::move(dialled).error();
  std::unique_ptr<backend::ImapClient> client = std::move(*dialled);
  progress.phase = Phase::backend_login;
  const coro::Deadline deadline(scheduler().now() + backend_.settings().login_timeout);
  Result<void> logged_in = co_await client->login(credentials_, origin_, deadline);
  if (!logged_in) {
    throttled_ = client->throttled();
    co_return logged_in;
  }
  client_ = std::move(client);
  server_ = client_->server();
  last_used = scheduler().now();
  co_return Result<void>();
}

void Link::drop() noexcept {
  if (!client_) return;
  read_before_ += client_->stream().bytes_read();
  written_before_ += client_->stream().bytes_written();
  throttled_ = throttled();
  client_.reset();
  selected.clear();
  is_read_only = false;
}

coro::Deadline Link::patience() const noexcept {
  return coro::Deadline(turn_.scheduler().now() + backend_.settings().command_timeout);
}

std::optional<Duration> Link::throttled() const noexcept {
  const auto now = client_ ? client_->throttled() : std::nullopt;
  return now ? now : throttled_;
}

std::uint64_t Link::bytes_read() const noexcept {
  return read_before_ + (client_ ? client_->stream().bytes_read() : 0);
}

std::uint64_t Link::bytes_written() const noexcept {
  return written_before_ + (client_ ? client_->stream().bytes_written() : 0);
}

}  // namespace postern::maildrop
