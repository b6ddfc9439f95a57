#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maildrop/translate/link.hpp"
#include "postern/maildrop/budget.hpp"
#include "postern/metrics/metrics.hpp"

namespace postern::maildrop {

/// Bodies of messages on their way from the server: those that are asked for, in whatever order they come.
/// One is streamed; what has to be read past meanwhile is held in memory, or dropped when there is no room
/// for it (it is asked for again when it is wanted). Bodies are matched by UID, and never given out blindly.
///
/// Octets that nobody needs yet stay in the kernel: nothing is read until somebody waits for a body.
class Bodies {
 public:
  /// Commands that may be unanswered: Dovecot stops reading behind four.
  static constexpr std::size_t kMaxCommands = 3;

  class Arrived {
   public:
    Arrived() = default;  // not an aggregate: it crosses coroutines
    enum class Form : std::uint8_t {
      gone,     ///< the server has no such message any more
      literal,  ///< octets() gives it, then complete() has to confirm it
      held,     ///< take_held() gives it
    };
    Form form = Form::gone;
    Bytes size = 0;
    std::optional<Bytes> origin;  ///< of a part
  };

  Bodies(Link& link, Budget& budget) : link_(link), budget_(budget) {}
  ~Bodies();

  /// Asks for whole messages with one command; `octets` is what they are expected to have together. Does not
  /// wait.
  void ask(std::span<const std::uint32_t> uids, Bytes octets);
  /// Asks for something else of one message: a part, a header. Nothing of it may be due.
  void ask_part(std::uint32_t uid, std::string item);
  bool is_due(std::uint32_t uid) const noexcept;
  bool is_held(std::uint32_t uid) const noexcept { return held_.contains(uid); }
  /// Asked for and not yet given out.
  std::size_t ahead() const noexcept;
  Bytes octets_ahead() const noexcept;
  /// Whether another command may be sent at once.
  bool may_ask() const noexcept;
  /// Waits until that is so.
  coro::Task<Result<void>> make_room();

  /// Waits until the body of a message that is due or held begins. `message_unavailable` if the server
  /// refuses.
  coro::Task<Result<Arrived>> await(std::uint32_t uid);
  /// The next octets of the literal; none: that was all.
  coro::Task<Result<std::string_view>> octets();
  /// A first look at them: as many as are asked for, or all there are.
  coro::Task<Result<std::string_view>> peek(std::size_t octets);
  /// Behind the last octet: the response has to end properly and to be about that message.
  coro::Task<Result<void>> complete();
  /// Reads what is left of the literal, and completes it.
  coro::Task<Result<void>> skip_rest();
  /// The octets that are held of a message; until drop_held(), or until something is waited for here.
  std::string_view held(std::uint32_t uid) const;
  void drop_held(std::uint32_t uid) noexcept { held_.erase(uid); }
  /// Drops what is held of all other messages.
  void keep_only(std::span<const std::uint32_t> uids);

  /// Takes in everything that is due, so that nothing is left unread while the client thinks.
  coro::Task<Result<void>> settle(coro::Deadline deadline);
  /// Reads past everything that is due and was not given out, and past every other answer that is: nothing is
  /// left to come.
  coro::Task<Result<void>> discard(coro::Deadline deadline);
  /// The session waits for its client: what is buffered and needs no waiting is dealt with.
  void rest();
  /// The connection is gone: what was asked for will not come.
  void forget();

 private:
  struct Asked {
    backend::ImapAnswer answer;
    std::vector<std::uint32_t> due;
    std::string item;  // what is asked of each
    bool of_one;
    Bytes octets;
  };
  struct Held {
    std::string octets;
    std::optional<Bytes> origin;
    Reservation room;
  };

  coro::Task<Result<void>> step(coro::Deadline deadline);
  coro::Task<Result<std::optional<Arrived>>> body_began(std::uint32_t wanted);
  coro::Task<Result<void>> hold(std::uint32_t owner, std::uint32_t wanted);
  bool is_expected(const imap::Body& body, std::uint32_t owner) const noexcept;
  coro::Task<Result<std::uint32_t>> finish_response();
  std::optional<Error> on_response(std::uint32_t wanted);
  void put(std::span<const std::uint32_t> uids, std::string item, Bytes octets);
  const Asked* command_for(std::uint32_t uid) const noexcept;
  std::uint32_t only_due() const noexcept;
  void came(std::uint32_t uid) noexcept;

  Link& link_;
  Budget& budget_;
  std::vector<Asked> commands_;
  std::map<std::uint32_t, Held> held_;
  std::uint32_t streaming_ = 0;  // whose literal is being read
  Bytes left_ = 0;               // of it
  bool refused_ = false;         // the last command that ended was not answered with OK
  std::string again_;            // what is to be asked once more of the message that is waited for
};

}  // namespace postern::maildrop
