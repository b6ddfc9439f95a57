#include "postern/base/address.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>

namespace postern {
namespace {

using namespace std::string_view_literals;

SocketAddress address(std::string_view ip, std::uint16_t port = 110) {
  return SocketAddress::parse(ip, port).value();
}
Network network(std::string_view text) {
  return Network::parse(text).value();
}

TEST(SocketAddress, ShowsIpv4WithPort) {
  const SocketAddress a = address("192.0.2.1", 995);
  EXPECT_FALSE(a.is_v6());
  EXPECT_EQ(a.ip(), "192.0.2.1");
  EXPECT_EQ(a.to_string(), "192.0.2.1:995");
  EXPECT_EQ(a.size(), sizeof(sockaddr_in));
}

TEST(SocketAddress, ShowsIpv6InBrackets) {
  const SocketAddress a = address("2001:DB8:0:0::1", 995);
  EXPECT_TRUE(a.is_v6());
  EXPECT_EQ(a.ip(), "2001:db8::1");
  EXPECT_EQ(a.to_string(), "[2001:db8::1]:995");
  EXPECT_EQ(a.size(), sizeof(sockaddr_in6));
}

TEST(SocketAddress, TurnsMappedIntoIpv4) {
  const SocketAddress a = address("::ffff:192.0.2.1", 995);
  EXPECT_FALSE(a.is_v6());
  EXPECT_EQ(a.to_string(), "192.0.2.1:995");
}

TEST(SocketAddress, TurnsMappedOfTheSystemIntoIpv4) {
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(4242);
  in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
  in6.sin6_addr.s6_addr[12] = 10;
  in6.sin6_addr.s6_addr[15] = 7;
  const SocketAddress a(reinterpret_cast<const sockaddr*>(&in6), sizeof in6);
  EXPECT_EQ(a.to_string(), "10.0.0.7:4242");
}

TEST(SocketAddress, SetsPort) {
  for (const char* ip : {"192.0.2.1", "2001:db8::1"}) {
    SocketAddress a = address(ip, 1);
    a.set_port(65535);
    EXPECT_EQ(a.port(), 65535);
    EXPECT_EQ(a.ip(), ip);
  }
}

TEST(SocketAddress, IsAnyIpv4ByDefault) {
  EXPECT_EQ(SocketAddress().to_string(), "0.0.0.0:0");
}

TEST(SocketAddress, RefusesWhatIsNoAddress) {
  for (const std::string_view bad :
       {""sv, "localhost"sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.1 "sv, " 192.0.2.1"sv, "[2001:db8::1]"sv,
        "192.0.2.1:110"sv, "2001:db8::1%lo"sv, "2001:db8:::1"sv, "1:2:3:4:5:6:7:8:9"sv,
        "192.0.2.1\0.example"sv, "::1\0"sv}) {
    EXPECT_FALSE(SocketAddress::parse(bad, 1)) << bad;
  }
}

TEST(Network, HoldsItsAddressesAndNoOthers) {
  struct Row {
    const char *network, *inside, *outside;
  };
  for (const Row& row : {
           Row{"192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
           Row{"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
           Row{"192.0.2.5/31", "192.0.2.4", "192.0.2.6"},  // host bits are not looked at
           Row{"10.0.0.0/7", "11.255.255.255", "12.0.0.0"},
           Row{"192.0.2.1", "192.0.2.1", "192.0.2.0"},
           Row{"192.0.2.1/32", "::ffff:192.0.2.1", "192.0.2.3"},
           Row{"0.0.0.0/0", "255.255.255.255", "::1"},
           Row{"::/0", "2001:db8::1", "192.0.2.1"},
           Row{"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
           Row{"2001:db8::1", "2001:db8::1", "2001:db8::2"},
           Row{"::ffff:10.1.0.0/112", "10.1.255.255", "10.2.0.0"},
           Row{"::ffff:10.1.0.0/96", "192.0.2.1", "::1"},
       }) {
    EXPECT_TRUE(network(row.network).contains(address(row.inside))) << row.network;
    EXPECT_FALSE(network(row.network).contains(address(row.outside))) << row.network;
  }
}

TEST(Network, RefusesWhatIsNoNetwork) {
  for (const char* bad :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/ 8",
        "10.0.0.0/8/8", "10.0.0.0/99999999999", "10.0.0.0/255.0.0.0", "::/129", "example.net/8",
        "::ffff:10.0.0.0/8", "::ffff:10.0.0.0/95", "::ffff:10.0.0.0/129"}) {
    EXPECT_FALSE(Network::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace postern
