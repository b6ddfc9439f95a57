#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace postern {

/// An IPv4 or IPv6 address with a port. `::ffff:a.b.c.d` becomes IPv4 when it is built, so one peer has one
/// name.
class SocketAddress {
 public:
  SocketAddress() noexcept;
  SocketAddress(const sockaddr* address, socklen_t length) noexcept;

  /// Parses an address without a name: "192.0.2.1" or "2001:db8::1" (no brackets).
  static std::optional<SocketAddress> parse(std::string_view ip, std::uint16_t port);

  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const noexcept;
  bool is_v6() const noexcept { return storage_.ss_family == AF_INET6; }
  std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;

  std::string ip() const;         ///< "192.0.2.1", "2001:db8::1"
  std::string to_string() const;  ///< "192.0.2.1:995", "[2001:db8::1]:995"

 private:
  sockaddr_storage storage_;
};

/// A network such as 192.0.2.0/24; an address without a length is itself alone.
class Network {
 public:
  static std::optional<Network> parse(std::string_view text);
  bool contains(const SocketAddress& address) const noexcept;

 private:
  SocketAddress base_;
  unsigned length_ = 0;
};

}  // namespace postern
