#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "postern/sasl/sasl.hpp"
#include "support/imap_store.hpp"
#include "unit/backend/backend_fixture.hpp"

namespace postern::backend {

using test::ImapStore;

/// The client of an IMAP server at 192.0.2.20, which is a model or a script.
class ImapClientTest : public BackendTest {
 protected:
  ImapClientTest() {
    settings.protocol = config::Protocol::imap;
    settings.servers = {config::Server{"192.0.2.20", 143, {}}};
    host().serve = [this](Peer& peer) { imap.serve(peer); };
  }
  ~ImapClientTest() override {
    client.reset();
    scheduler.run_until_idle();
  }

  Host& host() { return network.host("192.0.2.20", 143); }
  /// What the server does on each connection instead.
  void script(Script steps) {
    host().serve = [steps = std::move(steps)](Peer& peer) { peer.then(steps); };
  }
  /// Behind a greeting with these capabilities.
  void script_after(const std::string& offered, Script steps) {
    Script all = {step::send("* OK [CAPABILITY IMAP4rev1" + offered + "] ready\r\n")};
    all.insert(all.end(), steps.begin(), steps.end());
    script(std::move(all));
  }
  /// Waits for a command and answers; "$TAG" stands for its tag in the answer.
  static Script answer(const std::string& command, const std::string& said) {
    const auto heard = [command](Peer& peer) {
      const std::string& input = peer.input();
      const std::size_t space = input.find(' ');
      if (space == std::string::npos || input.size() - space - 1 < command.size() + 2) return false;
      if (input.substr(space + 1) != command + "\r\n") peer.fail("expected " + command + ", got " + input);
      peer.set_tag(input.substr(0, space));
      peer.take();
      return true;
    };
    return {heard, step::send(said)};
  }
  static std::string plain(const std::string& user = "alice", const std::string& password = "secret") {
    return std::string(sasl::plain_initial_response(user, password).view());
  }

  std::string dial() {
    client.reset();
    Result<std::unique_ptr<ImapClient>> dialled =
        scheduler.run(dialer.dial_imap(backend(), turn, scope, progress));
    if (!dialled) return failed(dialled.error());
    client = std::move(*dialled);
    return "";
  }
  std::string log_in(const std::string& user = "alice", const std::string& password = "secret") {
    const BackendCredentials credentials(user, Secret(password));
    const coro::Deadline deadline(scheduler.now() + settings.login_timeout);
    const Result<void> done = scheduler.run(client->login(credentials, origin, deadline));
    return done ? "" : failed(done.error());
  }
  std::string dial_and_log_in() {
    const std::string dialled = dial();
    return dialled.empty() ? log_in() : dialled;
  }
  std::string failed(const Error& error) {
    detail = error.detail();
    return word(error);
  }
  /// Nothing is known of the server, and it is asked again.
  void forget() {
    for (const char* tls : {"/plain", "/stls", "/tls"}) {
      capabilities.imap.forget(std::string("192.0.2.20:143") + tls);
      capabilities.imap_after_login.forget(std::string("192.0.2.20:143") + tls);
    }
  }
  /// What the server got on its last connection, without the tags.
  std::string heard() {
    std::string all;
    std::string_view rest = host().connections.back()->received();
    while (!rest.empty()) {
      std::string_view line = rest.substr(0, rest.find('\n') + 1);
      if (line.empty()) line = rest;
      rest.remove_prefix(line.size());
      const bool tagged = line.size() > 6 && line[6] == '-';  // of six letters, a dash and a number
      all += tagged ? line.substr(line.find(' ') + 1) : line;
    }
    return all;
  }

  ImapStore imap;
  Origin origin{SocketAddress::parse("198.51.100.7", 40000).value(),
                SocketAddress::parse("192.0.2.1", 995).value(), "session-1"};
  std::unique_ptr<ImapClient> client;
};

/// Logs in.
class ImapLoginTest : public ImapClientTest {
 protected:
  /// The result of a login that the server answers so.
  std::string log_in_answered(const std::string& said) {
    imap.instead["AUTHENTICATE"] = imap.instead["LOGIN"] = {step::send(said)};
    forget();
    return dial_and_log_in();
  }
  void only_login() { imap.capabilities = {"IMAP4rev1"}; }

  unsigned connected = 0;
};

}  // namespace postern::backend
