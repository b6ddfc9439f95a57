#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "postern/base/connection.hpp"
#include "postern/coro/cancel.hpp"
#include "postern/coro/deadline.hpp"
#include "postern/coro/scheduler.hpp"
#include "postern/coro/task.hpp"
#include "postern/net/chunk_pool.hpp"
#include "postern/net/io_error.hpp"

namespace postern::net {

class Stream;

/// What the streams of one session have in common: a fair share of a turn of the loop, and that all of them
/// send what they have gathered whenever the session waits for any of them. Outlives its streams.
class Turn {
 public:
  /// Octets a session may read and write before others get their turn.
  static constexpr std::size_t kBudget = 128 * 1024;

  explicit Turn(coro::Scheduler& scheduler) noexcept : scheduler_(scheduler) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  coro::Scheduler& scheduler() const noexcept { return scheduler_; }
  void spend(std::size_t octets) noexcept;
  bool is_spent() noexcept;

 private:
  friend class Stream;
  void push_all();

  coro::Scheduler& scheduler_;
  std::uint64_t turn_ = 0;
  std::size_t spent_ = 0;
  Stream* first_ = nullptr;
};

/// A transport that can be waited for, with output that is gathered into few writes. One reader and one
/// writer at a time; never moves; destroyed only while nobody waits. All of it on one loop.
///
/// Reading: `co_await readable(deadline)`, then `try_read`. readable() returns at once unless the last
/// try_read ended with a want. Nothing is lent across a wait.
///
/// Writing: put() and write() gather; what is gathered leaves when it has become a lot, with flush(), and
/// before every wait of the session. An error of the writing side is final, shows in write_failed() and ends
/// every later operation. A write that was cancelled, timed out or stalled has failed too: all that is left
/// is to abort.
class Stream final : private ReadinessWatcher, private coro::CancelTarget, private coro::Timer {
 public:
  /// Replies that are gathered before they are sent anyway: four full TLS records.
  static constexpr std::size_t kGather = ChunkPool::kLarge;

  /// `write_timeout`: a peer that takes no octet for so long is `stalled`.
  Stream(Turn& turn, coro::CancelSource& scope, ChunkPool& pool, Connection connection,
         Duration write_timeout);
  ~Stream() override;

  class Wait {
   public:
    Wait(Stream& stream, bool for_write, coro::Deadline deadline) noexcept
        : stream_(&stream), deadline_(deadline), for_write_(for_write) {}
    bool await_ready() const { return stream_->may_go_on(for_write_); }
    void await_suspend(std::coroutine_handle<> self) const { stream_->suspend(for_write_, self, deadline_); }
    IoOutcome await_resume() const { return stream_->outcome(for_write_); }

   private:
    Stream* stream_;
    coro::Deadline deadline_;
    bool for_write_;
  };

  Wait readable(coro::Deadline deadline) noexcept { return Wait(*this, false, deadline); }
  IoResult try_read(std::span<char> into);
  /// Whether readable() would wait.
  bool read_blocked() const noexcept {
    return read_want_ == Want::write || (read_want_ == Want::read && !readable_unseen_);
  }

  /// Gathers a short text. There has to be room for it: await room() before.
  void put(std::string_view text);
  /// The same for a text with a credential in it: its memory is wiped once it has left.
  void put_sensitive(std::string_view text);
  /// Free space for put().
  std::size_t room() const noexcept { return kGather - (out_end_ - out_begin_); }
  /// Waits until at least `octets` (at most kGather) can be put(). Like write(), it lets others get their
  /// turn.
  coro::Task<IoOutcome> make_room(std::size_t octets);
  /// Gathers, or sends at once what is large. The span has to live until it returns.
  coro::Task<IoOutcome> write(std::string_view octets);
  /// Waits until everything has left.
  coro::Task<IoOutcome> flush(coro::Deadline deadline);
  /// Sends what can be sent without waiting; whether nothing is left.
  bool push();
  bool write_failed() const noexcept { return write_error_.has_value(); }
  std::optional<Errc> write_error() const noexcept { return write_error_; }

  /// Completes the transport's handshake.
  coro::Task<IoOutcome> handshake(coro::Deadline deadline);
  /// Puts a filter (TLS) over the transport. Nothing may be unsent; what was read before must have been dealt
  /// with.
  void upgrade(const std::function<std::unique_ptr<Transport>(std::unique_ptr<Transport>)>& filter);
  Transport& transport() noexcept { return *connection_.transport; }

  /// Ends politely: sends what is left (within the write timeout), ends our side, then reads and drops what
  /// still comes (closing with unread input would reset the connection and could eat the last reply). Bounded
  /// in time and octets; best effort, without waiting when the scope is cancelled or writing has failed.
  coro::Task<void> close();
  /// Ends with a reset, when the stream is destroyed: the peer cannot take what it got for complete. Whoever
  /// waits wakes, and every later operation fails.
  void abort() noexcept;

  /// Octets of payload so far.
  std::uint64_t bytes_read() const noexcept { return bytes_read_; }
  std::uint64_t bytes_written() const noexcept { return bytes_written_; }

 private:
  friend class Turn;

  struct Waiter {
    std::coroutine_handle<> handle;
    TimePoint deadline = TimePoint::max();
    bool timed_out = false;
  };

  void on_ready(bool readable, bool writable) override;
  void on_cancel(FailureKind reason) override;
  void on_timer() override;

  Waiter& waiter(bool for_write) noexcept { return for_write ? writer_ : reader_; }
  bool may_go_on(bool for_write);
  void suspend(bool for_write, std::coroutine_handle<> self, coro::Deadline deadline);
  IoOutcome outcome(bool for_write);
  void wake(Waiter& slot);
  bool has_unsent() const noexcept { return out_begin_ != out_end_ || connection_.transport->unsent() != 0; }
  bool is_blocked() const noexcept { return has_unsent() || write_blocked(); }
  bool write_blocked() const noexcept { return write_want_ != Want::none; }
  bool accept(const IoResult& result);
  IoError failure() const;
  void fail_writing(Errc code);
  void arm();
  void arm_timer();
  TimePoint next_deadline() const noexcept;

  Turn& turn_;
  ChunkPool& pool_;
  Connection connection_;
  Duration write_timeout_;
  Stream* next_in_turn_;

  Waiter reader_;
  Waiter writer_;
  Want read_want_ = Want::none;
  bool readable_unseen_ = false;  // an event came while nobody waited, and reading was disarmed
  bool yields_ = false;

  Lease out_;
  std::size_t out_begin_ = 0;
  std::size_t out_end_ = 0;
  Want write_want_ = Want::none;  // what the transport waits for; nothing is written before it came
  bool watches_stall_ = false;    // it has been blocked since write_progress_
  bool aborted_ = false;
  TimePoint write_progress_;
  std::optional<Errc> write_error_;

  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
};

}  // namespace postern::net
