#include "postern/backend/dialer.hpp"

#include <utility>

namespace postern::backend {

template <class Client>
coro::Task<Result<std::unique_ptr<Client>>> Dialer::dial(Backend& backend, net::Turn& turn,
                                                         coro::CancelSource& scope, Progress& progress) {
  Error last(FailureKind::no_server, "the backend has no server");
  const std::vector<Server*> servers = backend.order(scheduler_.now());
  for (Server* server : servers) {
    progress.server = server->name();
    Result<std::unique_ptr<Client>> client =
        co_await dial_server<Client>(backend, *server, turn, scope, progress);
    if (client) {
      backend.metrics()->connections_ok.add();
      server->worked();
      co_return client;
    }
    last = std::move(client).error();
    if (scope.reason()) break;  // not the server's fault
    server->failed(scheduler_.now());
    report(backend, *server, last);
    if (!failure_row(last.kind()).try_other_server) break;
  }
  co_return last;
}

template <class Client>
coro::Task<Result<std::unique_ptr<Client>>> Dialer::dial_server(Backend& backend, Server& server,
                                                                net::Turn& turn, coro::CancelSource& scope,
                                                                Progress& progress) {
  progress.phase = Phase::connect;
  const TimePoint begun = scheduler_.now();
  Result<Connection> connection = co_await connect(backend, server, scope, progress);
  if (!connection) co_return std::move(connection).error();
  const TimePoint connected = scheduler_.now();
  backend.metrics()->connect_duration.observe(connected - begun);
  auto client = std::make_unique<Client>(turn, scope, pool_, std::move(*connection), backend, server,
                                         capabilities_, random_);
  const coro::Deadline deadline(connected + backend.settings().greeting_timeout);
  Result<void> greeted = co_await client->greet(deadline, progress.phase);
  if (!greeted) co_return std::move(greeted).error();
  backend.metrics()->greeting_duration.observe(scheduler_.now() - connected);
  co_return client;
}

coro::Task<Result<std::unique_ptr<Pop3Client>>> Dialer::dial_pop3(Backend& backend, net::Turn& turn,
                                                                  coro::CancelSource& scope,
                                                                  Progress& progress) {
  return dial<Pop3Client>(backend, turn, scope, progress);
}

coro::Task<Result<std::unique_ptr<ImapClient>>> Dialer::dial_imap(Backend& backend, net::Turn& turn,
                                                                  coro::CancelSource& scope,
                                                                  Progress& progress) {
  return dial<ImapClient>(backend, turn, scope, progress);
}

coro::Task<Result<Connection>> Dialer::connect(Backend& backend, Server& server, coro::CancelSource& scope,
                                               Progress& progress) {
  const config::Server& settings = server.settings();
  const coro::Deadline deadline(scheduler_.now() + backend.settings().connect_timeout);
  Result<std::vector<SocketAddress>> addresses =
      co_await resolver_.resolve(settings.host, settings.port, deadline, scope);
  if (!addresses) co_return std::move(addresses).error();
  // The addresses of one server share its deadline: the first gets half of what is left, so that a dead one
  // leaves time.
  Error last(FailureKind::connect, "no address");
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    const SocketAddress address = (*addresses)[i];
    progress.server = server.name();
    const TimePoint now = scheduler_.now();
    const bool is_last = i + 1 == addresses->size();
    const coro::Deadline share(is_last ? deadline.when() : now + (deadline.when() - now) / 2);
    Result<Connection> connection = co_await connector_.connect(address, share, scope);
    if (connection || scope.reason()) co_return connection;
    last = std::move(connection).error();
  }
  co_return last;
}

void Dialer::report(Backend& backend, Server& server, const Error& error) {
  backend.metrics()->connection_failures[static_cast<std::size_t>(error.kind())].add();
  if (!log_.admits(error.kind())) return;
  LogLine(log_, failure_row(error.kind()).level, "backend_error", "a server could not be used")
      .field("backend", backend.name())
      .field("server", server.name())
      .field("reason", label(error.kind()))
      .field("detail", error.detail());
}

}  // namespace postern::backend
