#include "postern/base/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

namespace postern {
namespace {

constexpr unsigned kMappedPrefix = 96;  // bits of ::ffff:0:0/96 (RFC 4291 §2.5.5.2)

const sockaddr_in& v4(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in&>(storage);
}
const sockaddr_in6& v6(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in6&>(storage);
}

std::span<const unsigned char> octets(const SocketAddress& address) {
  const auto& storage = *reinterpret_cast<const sockaddr_storage*>(address.data());
  if (address.is_v6()) return {v6(storage).sin6_addr.s6_addr, 16};
  return {reinterpret_cast<const unsigned char*>(&v4(storage).sin_addr), 4};
}

}  // namespace

SocketAddress::SocketAddress() noexcept : storage_{} {
  storage_.ss_family = AF_INET;
}

SocketAddress::SocketAddress(const sockaddr* address, socklen_t length) noexcept : storage_{} {
  std::memcpy(&storage_, address, std::min<std::size_t>(length, sizeof storage_));
  if (!is_v6() || !IN6_IS_ADDR_V4MAPPED(&v6(storage_).sin6_addr)) return;
  sockaddr_in mapped{};
  mapped.sin_family = AF_INET;
  mapped.sin_port = v6(storage_).sin6_port;
  std::memcpy(&mapped.sin_addr, v6(storage_).sin6_addr.s6_addr + 12, 4);
  storage_ = {};
  std::memcpy(&storage_, &mapped, sizeof mapped);
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view ip, std::uint16_t port) {
  if (ip.find('\0') != std::string_view::npos) return std::nullopt;  // inet_pton would stop there
  const std::string text(ip);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  if (inet_pton(AF_INET, text.c_str(), &in.sin_addr) == 1)
    return SocketAddress(reinterpret_cast<sockaddr*>(&in), sizeof in);
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  if (inet_pton(AF_INET6, text.c_str(), &in6.sin6_addr) == 1)
    return SocketAddress(reinterpret_cast<sockaddr*>(&in6), sizeof in6);
  return std::nullopt;
}

socklen_t SocketAddress::size() const noexcept {
  return is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

std::uint16_t SocketAddress::port() const noexcept {
  return ntohs(is_v6() ? v6(storage_).sin6_port : v4(storage_).sin_port);
}

void SocketAddress::set_port(std::uint16_t port) noexcept {
  if (is_v6()) {
    reinterpret_cast<sockaddr_in6&>(storage_).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(storage_).sin_port = htons(port);
  }
}

std::string SocketAddress::ip() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(storage_.ss_family, octets(*this).data(), text, sizeof text);
  return text;
}

std::string SocketAddress::to_string() const {
  const std::string port_text = std::to_string(port());
  return is_v6() ? "[" + ip() + "]:" + port_text : ip() + ":" + port_text;
}

std::optional<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view ip = text.substr(0, slash);
  const auto base = SocketAddress::parse(ip, 0);
  if (!base) return std::nullopt;
  // ::ffff:192.0.2.0/120 counts its length as IPv6; what reaches beyond the mapped IPv4 addresses is not a
  // network of them.
  const bool mapped = !base->is_v6() && ip.find(':') != std::string_view::npos;
  const unsigned hidden = mapped ? kMappedPrefix : 0;
  const unsigned longest = base->is_v6() ? 128 : 32;
  Network network;
  network.base_ = *base;
  network.length_ = longest;
  if (slash == std::string_view::npos) return network;
  const std::string_view digits = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), network.length_);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (network.length_ < hidden || network.length_ - hidden > longest) return std::nullopt;
  network.length_ -= hidden;
  return network;
}

bool Network::contains(const SocketAddress& address) const noexcept {
  if (address.is_v6() != base_.is_v6()) return false;
  const auto a = octets(address);
  const auto b = octets(base_);
  const std::size_t whole = length_ / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  const unsigned rest = length_ % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace postern
