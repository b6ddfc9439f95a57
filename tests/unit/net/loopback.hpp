#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "postern/base/address.hpp"
#include "postern/net/socket.hpp"

namespace postern::net {

inline SocketAddress loopback(std::uint16_t port) {
  return *SocketAddress::parse("127.0.0.1", port);
}

/// A listening socket at a port that the system chose.
inline Descriptor listen_somewhere() {
  auto socket = listen_on(loopback(0), false);
  if (!socket) ADD_FAILURE() << socket.error();
  return std::move(socket).value();
}

/// A client that blocks, outside of any loop.
inline Descriptor connect_to(const SocketAddress& address) {
  Descriptor client(socket(address.data()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(client.number(), address.data(), address.size()) != 0) ADD_FAILURE() << "connect";
  return client;
}

inline void close_with_reset(Descriptor socket) {
  const linger now{1, 0};
  setsockopt(socket.number(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace postern::net
