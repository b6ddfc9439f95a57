#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "bench/connection.hpp"
#include "bench/mailbox.hpp"

namespace postern::bench {

/// What a session does between PASS and QUIT.
struct Visit {
  bool stat = true;
  bool lists = false;                ///< LIST and UIDL
  std::uint32_t fetches = 0;         ///< RETR, from the first message on, and from there again after the last
  std::uint32_t depth = 1;           ///< so many RETR on their way at once
  Time fetches_until = Time::max();  ///< no RETR is sent later
  bool holds = false;                ///< stays logged in, and says nothing more, until it is told to go
};

/// How long a session took, in milliseconds; 0 for what it did not do.
struct Times {
  double whole = 0;    ///< from the connection to the answer to QUIT
  double listing = 0;  ///< from PASS to the end of UIDL
  double fetching = 0;
};

class Client;

/// Hears of sessions. Every octet of every message has been compared by then.
class Judge {
 public:
  virtual ~Judge() = default;
  virtual void on_message(std::uint64_t octets) = 0;
  virtual void on_holding(Client& client) = 0;
  virtual void on_done(Client& client, const Times& times) = 0;
  /// It is over, before its time: an answer was wrong, or none came.
  virtual void on_failure(Client& client, const std::string& why) = 0;
};

/// A POP3 session of a mail program that believes nothing.
class Client final : public Connection {
 public:
  Client(Poller& poller, int socket, Ssl ssl, const Mailbox& mailbox, const Visit& visit, Judge& judge);
  /// Ends the holding.
  void go();
  bool was_resumed() const noexcept { return ssl() && SSL_session_reused(ssl()) == 1; }

 private:
  enum class Kind { greeting, line, list, uidl, message, quit };
  /// What is sent next.
  enum class Step { user, pass, stat, list, uidl, retr, quit, none };
  struct Command {
    Kind kind;
    std::uint32_t number;
  };

  void on_data(std::string_view octets) override;
  void on_end() override;

  void send_more();
  bool send_next();
  void ask(Kind kind, std::string text, std::uint32_t number = 0);
  void on_status(std::string_view line);
  void on_listed(std::string_view line);
  /// How many of these octets belong to the message.
  std::size_t match_message(std::string_view octets);
  void answered();
  void finish();
  void fail(const std::string& why);

  Mailbox mailbox_;
  Visit visit_;
  Judge& judge_;
  std::deque<Command> asked_;
  Step step_ = Step::user;
  std::uint32_t fetched_ = 0;  // asked for
  bool in_body_ = false;       // the status line of the first of asked_ has come
  bool over_ = false;
  std::string line_;
  std::string header_;
  std::uint64_t position_ = 0;  // in the message, or the number of lines of a listing
  Time begin_ = Clock::now();
  Time pass_;
  Time fetch_;
  Times times_;
};

}  // namespace postern::bench
