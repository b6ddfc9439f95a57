#include <utility>

#include "maildrop/relay/relay.hpp"
#include "postern/maildrop/maildrop.hpp"

namespace postern::maildrop {

coro::Task<Result<std::unique_ptr<Maildrop>>> open(backend::Dialer& dialer, backend::Backend& backend,
                                                   const backend::BackendCredentials& credentials,
                                                   net::Turn& turn, coro::CancelSource& scope,
                                                   backend::Progress& progress) {
  Result<std::unique_ptr<backend::Pop3Client>> dialled =
      co_await dialer.dial_pop3(backend, turn, scope, progress);
  if (!dialled) co_return std::move(dialled).error();
  std::unique_ptr<backend::Pop3Client> client = std::move(*dialled);
  progress.phase = Phase::backend_login;
  const coro::Deadline deadline(turn.scheduler().now() + backend.settings().login_timeout);
  Result<void> logged_in = co_await client->login(credentials, deadline);
  if (!logged_in) co_return std::move(logged_in).error();
  progress.phase = Phase::open;
  co_return std::make_unique<Relay>(std::move(client), backend, turn.scheduler());
}

}  // namespace postern::maildrop
