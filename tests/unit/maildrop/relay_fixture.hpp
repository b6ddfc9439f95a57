#pragma once

#include "support/store.hpp"
#include "unit/maildrop/maildrop_fixture.hpp"

namespace postern::maildrop {

using test::Store;

/// The relay, before a POP3 server.
class RelayTest : public MaildropTest {
 protected:
  RelayTest() {
    settings.servers = {config::Server{"192.0.2.10", 110, {}}};
    network.host("192.0.2.10", 110).serve = [this](Peer& peer) { store.serve(peer); };
  }

  /// What the server says to a command from now on.
  void answer(const std::string& command, Script script) { store.instead[command] = std::move(script); }
  void answer(const std::string& command, const std::string& text) {
    answer(command, Script{step::send(text)});
  }
  Peer& server() { return *network.host("192.0.2.10", 110).connections.back(); }
  /// What the server got behind the login.
  std::string asked() {
    const std::string& all = server().received();
    return all.substr(all.find("\r\n", all.find("AUTH ")) + 2);
  }

  Store store;
};

}  // namespace postern::maildrop
