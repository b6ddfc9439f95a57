#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/peer.hpp"

namespace postern::test {

/// A POP3 server (RFC 1939, 2449, 5034) with one mailbox, for as many connections as come. Says what it is
/// told to say where a test wants another answer. Outlives the connections. Other mailboxes may stand beside
/// it: each is such a store, and a login decides whose commands a connection's are from then on.
class Store {
 public:
  Store() = default;
  explicit Store(std::vector<std::string> texts) : messages(std::move(texts)) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Begins a session.
  void serve(Peer& peer);

  // What it is.
  std::vector<std::string> messages;  ///< with CRLF, not stuffed
  std::string user = "alice";
  std::string password = "secret";
  std::vector<Store*> neighbours;   ///< the other mailboxes of the server whose door this is
  std::string uid_prefix = "uid-";  ///< of unique-ids; the number of the message follows
  bool removes = false;             ///< what a QUIT commits is gone; otherwise each session begins with all
  bool exclusive = false;           ///< one session at a time (RFC 1939 §8): others are told [IN-USE]
  Script greeting = {step::send("+OK ready\r\n")};
  /// Lines of CAPA; nothing: it does not know CAPA.
  std::optional<std::vector<std::string>> capabilities = std::vector<std::string>{
      "TOP", "UIDL", "USER", "SASL PLAIN", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE"};
  std::string refusal = "-ERR [AUTH] wrong password\r\n";
  /// What STLS puts over the connection; empty: it is refused.
  Filter tls;
  /// What is done instead, by the line ("RETR 1") or its keyword ("PASS").
  std::map<std::string, Script, std::less<>> instead;
  /// By keyword: how long it takes.
  std::map<std::string, Duration, std::less<>> late;

  // What happened, on all connections together.
  std::vector<std::string> commands;          ///< the lines, passwords included
  unsigned logins = 0;                        ///< credentials that were shown, right or wrong
  std::vector<std::set<unsigned>> committed;  ///< the messages that each QUIT after a login removed
  std::set<unsigned> gone;                    ///< with `removes`: all of them

  /// How often a line, or a keyword, came.
  std::size_t count(std::string_view line) const;

  /// A message as RETR shows it: stuffed, terminated.
  static std::string on_wire(std::string_view text);

 private:
  struct Session;
  void on_line(const std::shared_ptr<Session>& session, Peer& peer, std::string_view line);
  void say(Session& session, Peer& peer, std::string_view line);
  std::string answer(Session& session, std::string_view keyword, std::string_view argument);
  std::string log_in(Session& session, std::string_view name, bool plain, std::string_view proof);
  bool is_right(std::string_view name, bool plain, std::string_view proof) const;
  void remove(const Session& session);
  std::string transact(Session& session, std::string_view keyword, std::string_view argument);
  std::string listing(const Session& session, std::string_view keyword) const;
  std::string describe(std::string_view keyword, unsigned message, unsigned id) const;
  bool has(const Session& session, unsigned message) const;

  unsigned sessions_ = 0;  // that are logged in
};

}  // namespace postern::test
