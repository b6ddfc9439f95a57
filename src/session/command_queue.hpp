#pragma once

#include <cstdint>
#include <vector>

#include "postern/coro/deadline.hpp"
#include "postern/coro/task.hpp"
#include "postern/maildrop/maildrop.hpp"
#include "postern/net/line_reader.hpp"
#include "postern/pop3/command.hpp"

namespace postern::session {

/// The commands of the TRANSACTION state that a client has sent, parsed ahead of their execution. Bounded;
/// parsing stops behind QUIT and behind what has no place here. Parsed ahead is not executed: what is queued
/// behind a command that ends the session was never said.
class CommandQueue {
 public:
  static constexpr std::size_t kMaxCommands = 32;
  static constexpr std::size_t kMaxOctets =
      16 * 1024;  ///< of input that is held, lines not yet parsed included

  struct Entry {
    maildrop::QueuedCommand command;
    pop3::ParseError error = pop3::ParseError::none;
  };

  explicit CommandQueue(net::LineReader& reader) noexcept : reader_(reader) {}

  /// Waits until there is a command. `too_long`: the line never ends.
  coro::Task<net::IoOutcome> wait(coro::Deadline deadline);
  /// Takes in what the client has sent meanwhile, without waiting.
  void look_ahead();
  Entry pop();
  bool empty() const noexcept { return head_ == entries_.size(); }
  /// How many entries there is memory for.
  std::size_t capacity() const noexcept { return entries_.capacity(); }

  /// Tells the maildrop what will be asked of it, when there is more than one command.
  void announce(maildrop::Maildrop& maildrop) const;

 private:
  void parse();

  net::LineReader& reader_;
  std::vector<Entry> entries_;
  std::size_t head_ = 0;
  std::uint64_t sequence_ = 0;
  bool barrier_ = false;
  bool too_long_ = false;
};

/// Whether the maildrop executes it (everything else is answered here).
bool is_for_maildrop(const CommandQueue::Entry& entry) noexcept;

}  // namespace postern::session
