#pragma once

#include <deque>
#include <string>
#include <vector>

#include "simulation/dice.hpp"
#include "simulation/laws.hpp"
#include "simulation/visit.hpp"
#include "support/peer.hpp"

namespace postern::sim {

/// How a client behaves.
struct Manner {
  enum class Pace : std::uint8_t {
    polite,      ///< waits for each answer
    pipelining,  ///< does not, in TRANSACTION
    eager,       ///< does not, from the start
  };
  enum class Death : std::uint8_t {
    none,
    close,   ///< ends the connection when it has said all, without QUIT
    half,    ///< ends its side when it has said all, and listens
    reset,   ///< somewhere
    silent,  ///< somewhere, and nobody hears of it
    deaf,    ///< takes nothing any more, and goes on talking
  };
  Pace pace = Pace::polite;
  std::size_t window = 1;
  Duration most_thinking{};
  bool reads_slowly = false;
  bool starts_tls = false;  ///< with the connection
  bool injects = false;     ///< sends a command together with STLS
  Death death = Death::none;
  std::size_t dies_after_orders = 0;
  std::size_t dies_after_octets = 0;  ///< heard; whichever comes first
  std::deque<Order> orders;
};

/// What a client may want of a mailbox of about so many messages.
Manner choose_manner(Dice& dice, const Account& account, bool may_be_odd, bool needs_tls);

/// A mail program. Acts in the turns of its peer.
class Client {
 public:
  Client(Visit& visit, Manner manner, Laws& laws, const Trace& trace, Dice dice, test::Filter tls)
      : visit_(visit),
        manner_(std::move(manner)),
        laws_(laws),
        trace_(trace),
        dice_(dice),
        tls_(std::move(tls)) {}

  void begin(test::Peer& peer);
  /// From now on it does nothing any more.
  void freeze() noexcept { frozen_ = true; }

 private:
  /// One turn; whether it is over.
  bool act(test::Peer& peer);
  void hear(test::Peer& peer);
  void heard(const Answer& answer);
  bool may_speak() const;
  void speak(test::Peer& peer);
  bool is_dying() const;
  void die(test::Peer& peer);
  bool wait(test::Peer& peer, TimePoint until);

  Visit& visit_;
  Manner manner_;
  Laws& laws_;
  const Trace& trace_;
  Dice dice_;
  test::Filter tls_;
  bool begun_ = false;
  bool frozen_ = false;
  bool dead_ = false;
  bool failed_login_ = false;
  bool injected_ = false;
  bool awaits_tls_ = false;
  bool rests_ = false;  // does not read for a while
  std::size_t spoken_ = 0;
  std::uint64_t octets_ = 0;
  std::string input_;
  TimePoint speaks_at_;
  TimePoint reads_at_;
  TimePoint last_heard_;
};

}  // namespace postern::sim
