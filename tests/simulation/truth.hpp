#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/clock.hpp"
#include "postern/config/config.hpp"
#include "simulation/dice.hpp"

namespace postern::sim {

/// A message as its owner's mailbox has it, and what became of it.
struct Letter {
  std::string text;
  TimePoint came;
  std::optional<TimePoint> removed;
  bool by_gateway = false;     ///< removed by a command of the gateway
  bool is_damaged = false;     ///< its server cannot deliver it whole
  bool is_lied_about = false;  ///< its server tells a size that is not its own
};

/// Whose a unique-id is; with another UIDVALIDITY all become others.
struct UniqueId {
  std::size_t letter;
  TimePoint from;
  TimePoint to = TimePoint::max();
  bool is_good(TimePoint since, TimePoint until) const noexcept { return from <= until && to >= since; }
};

/// A user, his mailbox, and what is true about it.
class Account {
 public:
  std::string name;
  std::string password;
  config::Protocol protocol = config::Protocol::pop3;
  std::size_t index = 0;
  bool is_exclusive = false;  ///< the server lets one session in
  bool is_calm = true;        ///< nothing is wrong with the server and the way to it
  bool has_honest_sizes = true;
  bool has_uidplus = true;        ///< otherwise sessions get in each other's way when they remove something
  bool lists_wire_sizes = false;  ///< sizes are those of the messages as POP3 shows them, unstuffed
  std::vector<Letter> letters;
  /// Every unique-id that a letter ever had.
  std::map<std::string, UniqueId, std::less<>> ids;

  bool is_pop3() const noexcept { return protocol == config::Protocol::pop3; }
  /// The letters that are there at that time.
  std::vector<std::size_t> at(TimePoint when) const;
  /// The same, if they were the same all that time.
  std::optional<std::vector<std::size_t>> throughout(TimePoint from, TimePoint to) const;
  /// As RETR has to show it: stuffed, terminated.
  std::string retr(std::size_t letter) const;
  std::string top(std::size_t letter, std::uint64_t lines) const;
  /// As LIST has to tell it.
  std::uint64_t size(std::size_t letter) const;
};

/// A text that tells everywhere whose it is, about so long, with everything that makes trouble at line ends.
std::string write_letter(Dice& dice, const std::string& owner, std::size_t number, std::size_t size,
                         config::Protocol protocol);
/// The owners of all texts of which parts are in these octets.
std::vector<std::string> owners_in(std::string_view octets);

}  // namespace postern::sim
