#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "bench/connection.hpp"

namespace postern::bench {

/// A connection of the synthetic store: lines in, answers out, each of them as late as a store is far away.
class Service : public Connection {
 public:
  Service(Poller& poller, int socket, Ssl ssl, std::chrono::milliseconds distance)
      : Connection(poller, socket, std::move(ssl)), distance_(distance) {}

 protected:
  virtual void on_line(std::string_view line) = 0;
  void on_data(std::string_view octets) final;
  void on_end() final {}
  /// What is put next answers what has come now.
  void answer_now() { set_due(distance_.count() == 0 ? Time::min() : Clock::now() + distance_); }

 private:
  std::chrono::milliseconds distance_;
  std::string line_;
};

/// Who is named in a message of SASL PLAIN (RFC 4616), in base64.
std::string user_of_plain(std::string_view base64);

/// RFC 1939 for mailboxes that the user's name describes; any password will do.
std::unique_ptr<Service> make_pop3_service(Poller& poller, int socket, Ssl ssl,
                                           std::chrono::milliseconds distance);

/// As much of RFC 9051 as a gateway sends to such a mailbox, in the answers of a server with the extensions
/// that Dovecot has. Flags are taken and forgotten: nothing is ever removed.
std::unique_ptr<Service> make_imap_service(Poller& poller, int socket, Ssl ssl,
                                           std::chrono::milliseconds distance);

}  // namespace postern::bench
