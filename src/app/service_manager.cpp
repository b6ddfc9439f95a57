#include "app/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "postern/base/clock.hpp"
#include "postern/net/socket.hpp"

namespace postern::app {

void tell_service_manager(std::string_view state) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return;
  const std::size_t length = std::strlen(path);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, length);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // the abstract name space
  const net::Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  sendto(socket.number(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
         reinterpret_cast<const sockaddr*>(&address), size);
}

void tell_ready() {
  tell_service_manager("MAINPID=" + std::to_string(getpid()) + "\nREADY=1\n");
}

void tell_reloading() {
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(system_clock().now().time_since_epoch());
  tell_service_manager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()) + "\n");
}

}  // namespace postern::app
