#pragma once

#include <functional>
#include <string>
#include <vector>

#include "unit/session/world_test.hpp"

/// The conversation that is cut at every octet, and the client's side of it, for both kinds of backends.
namespace postern::session {

inline const std::vector<std::string> kConversation = {
    "USER alice\r\n", "PASS secret\r\n", "STAT\r\n",   "LIST\r\n",   "UIDL\r\n", "UIDL 2\r\n",
    "RETR 1\r\n",     "TOP 2 0\r\n",     "RETR 2\r\n", "DELE 1\r\n", "NOOP\r\n", "QUIT\r\n"};

/// What comes behind QUIT, or behind its answer: a record of TLS 1.3 with an alert in it (RFC 8446 §5.2).
inline constexpr std::uint64_t kCloseNotify = 5 + 2 + 1 + 16;

/// Cuts what the client sends after each octet, once for each in a world of its own. Under TLS the octets are
/// those of its records, the handshake's among them.
class ClientCuts {
 public:
  std::function<void(World&)> fill;
  std::function<void(World&, Client&)> converse;
  /// The end of a world: whether QUIT was read, and so what has to be gone.
  std::function<void(World&, bool quit)> check;

  void at_every_octet(const std::string& listener, Ending ending) const {
    const bool tls = listener == World::kImplicit;
    const std::uint64_t length =
        run(listener, Direction::kEverything, ending, true) - (tls ? kCloseNotify : 0);
    for (std::uint64_t octets = 0; octets < length; ++octets) {
      SCOPED_TRACE("cut after " + std::to_string(octets));
      run(listener, octets, ending, false);
    }
    run(listener, length, ending, true);
  }

 private:
  /// How much the client sent.
  std::uint64_t run(const std::string& listener, std::uint64_t octets, Ending ending,
                    bool quit = true) const {
    World world;
    fill(world);
    Client client = world.arrive(listener);
    client.peer().link().from(Side::b).cut_after(octets, ending);
    if (listener == World::kImplicit) client.start_tls();
    converse(world, client);
    client.close();
    check(world, quit);
    EXPECT_EQ(world.leftovers(), "");
    return client.peer().link().from(Side::b).sent().size();
  }
};

}  // namespace postern::session
