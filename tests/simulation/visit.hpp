#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/clock.hpp"
#include "simulation/truth.hpp"
#include "support/memory_transport.hpp"

namespace postern::sim {

/// What a client sends.
struct Order {
  enum class Verb : std::uint8_t {
    greeting,  ///< nothing: the server speaks first
    capa,
    stls,
    user,
    login,  ///< PASS, or AUTH with an initial response
    stat,
    list,
    uidl,
    retr,
    top,
    dele,
    noop,
    rset,
    quit,
    bad,       ///< what no server obeys
    too_long,  ///< a line that no server takes
  };
  Verb verb = Verb::greeting;
  std::string line;
  unsigned number = 0;  ///< of a message; 0: none
  std::uint64_t lines = 0;
  bool is_right = true;  ///< login: with the user's password

  bool has_body() const noexcept {
    return verb == Verb::capa || verb == Verb::retr || verb == Verb::top ||
           ((verb == Verb::list || verb == Verb::uidl) && number == 0);
  }
};

/// What came of it.
struct Answer {
  Order order;
  TimePoint asked;
  TimePoint came;                ///< when it was complete
  std::uint64_t sent_up_to = 0;  ///< octets of the client's, this command included
  std::string status;            ///< without its line end
  std::string body;              ///< with its terminator
  bool is_complete = false;

  bool is_ok() const noexcept { return status.starts_with("+OK"); }
};

/// Orders, and the answers that a stream of octets gives to them.
class Exchange {
 public:
  Exchange() { ask(Order(), TimePoint(), 0); }
  void ask(Order order, TimePoint now, std::uint64_t sent_up_to);
  /// Takes octets until an answer is complete, which it gives, or there are no more.
  Answer* hear(std::string& octets, TimePoint now);
  /// How many are asked and not answered.
  std::size_t open() const noexcept { return answers.size() - next_; }

  std::vector<Answer> answers;

 private:
  std::size_t next_ = 0;
  std::size_t scanned_ = 0;  // of the body
};

/// One client's connection, as the client and the wire know it.
struct Visit {
  std::string name;
  Account* account = nullptr;
  bool is_calm = true;          ///< nothing is wrong with the client and its way
  bool is_plain = true;         ///< no TLS: what is on the wire is what was said
  bool may_be_refused = false;  ///< the gateway was told not to take everybody
  test::MemoryLink* link = nullptr;
  std::optional<std::uint64_t> cut_up;  ///< octets of the client's that may reach the gateway
  std::optional<TimePoint> kicked;

  Exchange exchange;
  std::string surplus;  ///< what nobody asked for
  bool is_logged_in = false;
  bool saw_closing_failure = false;
  TimePoint login_asked, login_came;
  /// Which letter a number stands for, as far as it is known.
  std::map<unsigned, std::size_t> letters;
  bool knows_all = false;  ///< letters has them all
  bool gave_up = false;
};

}  // namespace postern::sim
