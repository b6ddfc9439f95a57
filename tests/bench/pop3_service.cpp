#include <fmt/format.h>

#include <charconv>

#include "bench/mailbox.hpp"
#include "bench/service.hpp"
#include "postern/base/ascii.hpp"

namespace postern::bench {
namespace {

class Pop3Service final : public Service {
 public:
  Pop3Service(Poller& poller, int socket, Ssl ssl, std::chrono::milliseconds distance)
      : Service(poller, socket, std::move(ssl), distance) {
    answer_now();
    put("+OK ready\r\n");
  }

 private:
  void on_line(std::string_view line) override {
    const std::string command = ascii::to_lower(line.substr(0, line.find(' ')));
    const std::string_view argument = command.size() < line.size() ? line.substr(command.size() + 1) : "";
    if (command == "user") {
      mailbox_ = Mailbox::of_user(argument);
      say(mailbox_ ? "+OK" : "-ERR no such user");
    } else if (command == "pass") {
      logged_in_ = mailbox_.has_value();
      say(logged_in_ ? "+OK" : "-ERR USER first");
    } else if (command == "capa") {
      put("+OK\r\nUSER\r\nUIDL\r\nTOP\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nSASL PLAIN\r\n.\r\n");
    } else if (command == "auth") {
      authenticate(argument);
    } else if (command == "quit") {
      say("+OK");
      end_after_output();
    } else if (logged_in_) {
      transaction(command, argument);
    } else {
      say("-ERR log in first");
    }
  }

  /// PLAIN with an initial response, which is all that a proxy sends.
  void authenticate(std::string_view argument) {
    const std::string_view prefix = "PLAIN ";
    if (!argument.starts_with(prefix)) return say("-ERR only PLAIN");
    mailbox_ = Mailbox::of_user(user_of_plain(argument.substr(prefix.size())));
    logged_in_ = mailbox_.has_value();
    say(logged_in_ ? "+OK" : "-ERR no such user");
  }

  void transaction(std::string_view command, std::string_view argument) {
    if (command == "stat") return put(fmt::format("+OK {} {}\r\n", mailbox_->messages, mailbox_->total()));
    if (command == "noop" || command == "rset") return say("+OK");
    if (command == "list" || command == "uidl") return list(command == "uidl", argument);
    const std::uint32_t number = number_in(argument);
    if (number == 0) return say("-ERR no such message");
    if (command == "dele") return say("+OK");
    if (command != "retr") return say("-ERR unknown");
    const Body& body = body_of(mailbox_->octets);
    put(fmt::format("+OK {} octets\r\n", mailbox_->octets) + header_of(*mailbox_, number));
    put_shared(body.stuffed);
  }

  void list(bool ids, std::string_view argument) {
    if (!argument.empty()) {
      const std::uint32_t number = number_in(argument);
      if (number == 0) return say("-ERR no such message");
      return put("+OK " + listed(ids, number));
    }
    std::string lines = "+OK\r\n";
    for (std::uint32_t number = 1; number <= mailbox_->messages; ++number) lines += listed(ids, number);
    put(lines + ".\r\n");
  }

  std::string listed(bool ids, std::uint32_t number) const {
    return ids ? fmt::format("{} {}\r\n", number, unique_id(number))
               : fmt::format("{} {}\r\n", number, mailbox_->octets);
  }

  /// 0 for what is no number of a message.
  std::uint32_t number_in(std::string_view text) const {
    std::uint32_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number <= mailbox_->messages ? number : 0;
  }

  void say(std::string_view text) { put(std::string(text) + "\r\n"); }

  std::optional<Mailbox> mailbox_;
  bool logged_in_ = false;
};

}  // namespace

std::unique_ptr<Service> make_pop3_service(Poller& poller, int socket, Ssl ssl,
                                           std::chrono::milliseconds distance) {
  return std::make_unique<Pop3Service>(poller, socket, std::move(ssl), distance);
}

}  // namespace postern::bench
