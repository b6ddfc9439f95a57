#include "support/network.hpp"

#include "postern/base/assert.hpp"
#include "postern/coro/event.hpp"

namespace postern::test {

Network::Network(TestScheduler& scheduler) : scheduler_(scheduler) {
  scheduler_.on_poll([this] { return poll(); });
}

Host& Network::host(const std::string& ip, std::uint16_t port) {
  const auto address = SocketAddress::parse(ip, port);
  POSTERN_ASSERT(address.has_value());
  return hosts_[address->to_string()];
}

std::pair<Connection, Peer*> Network::make() {
  MemoryLink& link = links_.emplace_back();
  Connection connection = link.connection(Side::a);
  return {std::move(connection), &peers_.emplace_back(scheduler_, link)};
}

coro::Task<Result<Connection>> Network::connect(const SocketAddress& address, coro::Deadline deadline,
                                                coro::CancelSource& scope) {
  if (scope.reason()) co_return Error(*scope.reason(), "cancelled");
  const auto found = hosts_.find(address.to_string());
  const Host::Way way = found == hosts_.end() ? Host::Way::refuses : found->second.way;
  if (way == Host::Way::refuses) co_return Error(FailureKind::connect, "connection refused");
  if (way == Host::Way::silent) {
    coro::Event never(scheduler_, scope);
    const coro::WaitResult waited = co_await never.wait(deadline);
    if (waited == coro::WaitResult::cancelled) co_return Error(*scope.reason(), "cancelled");
    co_return Error(FailureKind::connect, "timed out");
  }
  auto [connection, peer] = make();
  found->second.connections.push_back(peer);
  if (found->second.serve) found->second.serve(*peer);
  co_return std::move(connection);
}

coro::Task<Result<std::vector<SocketAddress>>> Network::resolve(const std::string& host, std::uint16_t port,
                                                                coro::Deadline, coro::CancelSource& scope) {
  if (scope.reason()) co_return Error(*scope.reason(), "cancelled");
  if (const auto literal = SocketAddress::parse(host, port))
    co_return std::vector<SocketAddress>(1, *literal);
  const auto found = names_.find(host);
  if (found == names_.end()) co_return Error(FailureKind::dns, "no such name");
  std::vector<SocketAddress> addresses;
  for (const std::string& ip : found->second) addresses.push_back(SocketAddress::parse(ip, port).value());
  co_return addresses;
}

template <class Each>
bool Network::each(std::list<Each>& all, bool (Each::*act)()) {
  std::vector<Each*> order;
  for (Each& one : all) order.push_back(&one);
  bool busy = false;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (choose_) std::swap(order[i], order[i + choose_(order.size() - i)]);
    busy |= (order[i]->*act)();
  }
  return busy;
}

bool Network::poll() {
  const bool delivered = each(links_, &MemoryLink::deliver);
  const bool acted = each(peers_, &Peer::poll);
  return delivered || acted;
}

}  // namespace postern::test
