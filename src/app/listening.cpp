#include "app/listening.hpp"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <utility>

namespace postern::app {
namespace {

std::string key_of(const config::Listener& listener, const SocketAddress& address) {
  return listener.name + " " + address.to_string();
}

void tell(Log& log, const std::string& listener, const SocketAddress& address) {
  LogLine(log, LogLevel::info, "listening", "listening")
      .field("listener", listener)
      .field("address", address.to_string());
}

}  // namespace

std::set<std::string> socket_keys(const config::Config& config) {
  std::set<std::string> keys;
  for (const config::Listener& listener : config.listeners) {
    for (const SocketAddress& address : listener.bind) keys.insert(key_of(listener, address));
  }
  return keys;
}

Result<LoopSockets, std::string> open_sockets(const config::Config& config, std::size_t loops,
                                              const std::set<std::string>& open, Log& log) {
  LoopSockets opened(loops);
  for (const config::Listener& listener : config.listeners) {
    for (const SocketAddress& configured : listener.bind) {
      const std::string key = key_of(listener, configured);
      if (open.contains(key)) continue;
      SocketAddress address = configured;
      for (auto& sockets : opened) {
        auto socket = net::listen_on(address, &sockets == &opened.front());
        if (!socket) return address.to_string() + ": " + socket.error();
        address = net::local_address(socket->number());  // a port that the system chose is one for all loops
        sockets.emplace_back(key, listener.name, std::move(*socket));
      }
      tell(log, listener.name, address);
    }
  }
  return opened;
}

Result<LoopSockets, std::string> open_sockets(const config::Config& config, std::size_t loops,
                                              std::vector<ListeningSocket>& given, Log& log) {
  const std::set<std::string> wanted = socket_keys(config);
  std::map<std::string, std::vector<ListeningSocket>> by_key;
  for (ListeningSocket& socket : given) {
    if (socket.socket && wanted.contains(socket.key)) by_key[socket.key].push_back(std::move(socket));
  }
  std::set<std::string> open;
  for (const auto& [key, same] : by_key) open.insert(key);
  auto opened = open_sockets(config, loops, open, log);
  if (!opened) return opened;
  for (auto& [key, same] : by_key) {
    tell(log, same.front().listener, net::local_address(same.front().socket.number()));
    const std::size_t count = same.size();
    for (std::size_t i = count; i < loops; ++i) same.push_back(duplicate(same[i % count]));
    for (std::size_t i = 0; i < same.size(); ++i) (*opened)[i % loops].push_back(std::move(same[i]));
  }
  return opened;
}

Result<std::vector<ListeningSocket>, std::string> open_admin_sockets(const config::Config& config,
                                                                     std::vector<ListeningSocket>& given,
                                                                     Log& log) {
  std::vector<ListeningSocket> opened;
  for (const SocketAddress& address : config.admin.bind) {
    const std::string key = address.to_string();
    const auto there = std::find_if(given.begin(), given.end(), [&](const ListeningSocket& socket) {
      return socket.socket && socket.listener == kAdminListener && socket.key == key;
    });
    if (there != given.end()) {
      opened.push_back(std::move(*there));
    } else {
      auto socket = net::listen_on(address, true);
      if (!socket) return key + ": " + socket.error();
      opened.emplace_back(key, kAdminListener, std::move(*socket));
    }
    tell(log, "admin", net::local_address(opened.back().socket.number()));
  }
  return opened;
}

ListeningSocket duplicate(const ListeningSocket& socket) {
  return ListeningSocket(socket.key, socket.listener,
                         net::Descriptor(fcntl(socket.socket.number(), F_DUPFD_CLOEXEC, 0)));
}

}  // namespace postern::app
