#include "app/handover.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace postern::app {
namespace {

constexpr const char* kRequest = "postern takeover 1";
constexpr const char* kServing = "serving";
/// The longest packet: a name and an address, or the keys of tickets.
constexpr std::size_t kMaxPacket = 1024;
/// How long one process waits for the other's next packet: they are on one machine, and only awake for this.
constexpr timeval kPatience{5, 0};
constexpr int kBacklog = 4;

/// What a packet begins with.
enum class Kind : char { socket = 'S', ticket_keys = 'K', control = 'C', lock = 'L' };

std::string message(const std::string& what) {
  return what + ": " + std::generic_category().message(errno);
}

bool address_of(const std::string& path, sockaddr_un& address) {
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return false;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return true;
}

net::Descriptor unix_socket() {
  return net::Descriptor(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

void be_patient(int connection) {
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
}

/// One packet, with a descriptor if it is not -1.
bool send_packet(int connection, std::string_view octets, int descriptor = -1) {
  iovec piece{};
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): C's structure is for reading, too
  piece.iov_base = const_cast<char*>(octets.data());
  piece.iov_len = octets.size();
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  if (descriptor >= 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  }
  return sendmsg(connection, &header, MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size());
}

bool send_kind(int connection, Kind kind, const net::Descriptor& descriptor) {
  const char octet = static_cast<char>(kind);
  return send_packet(connection, std::string_view(&octet, 1), descriptor.number());
}

class Packet {
 public:
  std::string octets;
  net::Descriptor descriptor;
};

Result<Packet, std::string> receive_packet(int connection) {
  Packet packet;
  packet.octets.resize(kMaxPacket);
  iovec piece{packet.octets.data(), packet.octets.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t got = recvmsg(connection, &header, MSG_CMSG_CLOEXEC);
  if (got < 0) return message("no answer");
  packet.octets.resize(static_cast<std::size_t>(got));
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (rights != nullptr && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(rights), sizeof number);
    packet.descriptor = net::Descriptor(number);
  }
  return packet;
}

/// Who may have the sockets of everybody's mail.
bool is_trusted(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

}  // namespace

Result<net::Descriptor, std::string> lock_control(const std::string& path) {
  const std::string file = path + ".lock";
  net::Descriptor lock(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return message(file);
  if (flock(lock.number(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) {
    return "another postern serves behind " + path +
           "; to replace it without losing a connection: postern takeover";
  }
  return message(file);
}

Result<net::Descriptor, std::string> open_control(const std::string& path) {
  sockaddr_un address{};
  net::Descriptor socket = unix_socket();
  if (!socket || !address_of(path, address)) return message(path);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return message(path);
  const mode_t before = umask(0177);
  const int bound = bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  umask(before);
  if (bound != 0 || listen(socket.number(), kBacklog) != 0) return message(path);
  const int flags = fcntl(socket.number(), F_GETFL);
  fcntl(socket.number(), F_SETFL, flags | O_NONBLOCK);
  return socket;
}

Result<Predecessor, std::string> Predecessor::ask(const std::string& path) {
  sockaddr_un address{};
  Predecessor predecessor;
  predecessor.connection_ = unix_socket();
  const int connection = predecessor.connection_.number();
  if (connection < 0 || !address_of(path, address)) return message(path);
  be_patient(connection);
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return message("nobody serves behind " + path);
  }
  if (!send_packet(connection, kRequest)) return message(path);
  while (!predecessor.handover.lock) {
    auto packet = receive_packet(connection);
    if (!packet) return packet.error();
    if (packet->octets.empty()) return std::string("the other process does not hand over");
    const std::string_view rest = std::string_view(packet->octets).substr(1);
    switch (static_cast<Kind>(packet->octets.front())) {
      case Kind::socket: {
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos || !packet->descriptor)
          return std::string("not a socket of postern's");
        predecessor.handover.sockets.emplace_back(std::string(rest.substr(end + 1)),
                                                  std::string(rest.substr(0, end)),
                                                  std::move(packet->descriptor));
        break;
      }
      case Kind::ticket_keys:
        predecessor.handover.ticket_keys = Secret(rest);
        wipe(packet->octets);
        break;
      case Kind::control:
        if (!packet->descriptor) return std::string("no control socket came");
        predecessor.handover.control = std::move(packet->descriptor);
        break;
      case Kind::lock:
        if (!packet->descriptor) return std::string("no lock came");
        predecessor.handover.lock = std::move(packet->descriptor);
        break;
    }
  }
  return predecessor;
}

void Predecessor::release() {
  send_packet(connection_.number(), kServing);
  connection_ = net::Descriptor();
}

bool send_socket(int connection, const ListeningSocket& socket) {
  return send_packet(connection, static_cast<char>(Kind::socket) + socket.listener + "\n" + socket.key,
                     socket.socket.number());
}

bool send_rest(int connection, const Secret& ticket_keys, const net::Descriptor& control,
               const net::Descriptor& lock) {
  std::string keys(1, static_cast<char>(Kind::ticket_keys));
  keys += ticket_keys.view();
  const bool sent = send_packet(connection, keys);
  wipe(keys);
  return sent && send_kind(connection, Kind::control, control) && send_kind(connection, Kind::lock, lock);
}

/// Whoever has got everything, until it says that it serves, or goes.
class ControlPort::Successor final : private ReadinessWatcher {
 public:
  Successor(ControlPort& port, net::Descriptor connection)
      : port_(port), connection_(std::move(connection)), readiness_(port.loop_.watch(connection_.number())) {
    readiness_->watch(this);
    readiness_->arm(true, false);
  }
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;
  ~Successor() { readiness_.reset(); }

 private:
  void on_ready(bool, bool) override {
    readiness_->watch(nullptr);
    const auto packet = receive_packet(connection_.number());
    const bool serves = packet && packet->octets == kServing;
    ControlPort& port = port_;
    // Not from inside of its own function.
    port.loop_.post([&port, serves] {
      port.successor_.reset();
      if (serves) port.released_();
    });
  }

  ControlPort& port_;
  net::Descriptor connection_;
  std::unique_ptr<Readiness> readiness_;
};

ControlPort::ControlPort(loop::Loop& loop, net::Descriptor socket, std::function<bool(int)> give,
                         std::function<void()> released)
    : loop_(loop),
      socket_(std::move(socket)),
      give_(std::move(give)),
      released_(std::move(released)),
      readiness_(loop.watch(socket_.number())) {
  readiness_->watch(this);
  readiness_->arm(true, false);
}

ControlPort::~ControlPort() {
  successor_.reset();
  readiness_.reset();
}

/// Blocks for as long as a process takes that is awake for nothing else, on a loop that has no sessions.
void ControlPort::on_ready(bool, bool) {
  net::Descriptor connection(accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection || successor_ || !is_trusted(connection.number())) return;
  be_patient(connection.number());
  const auto request = receive_packet(connection.number());
  if (!request || request->octets != kRequest || !give_(connection.number())) return;
  successor_ = std::make_unique<Successor>(*this, std::move(connection));
}

}  // namespace postern::app
