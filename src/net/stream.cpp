#include "postern/net/stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "postern/base/assert.hpp"

namespace postern::net {
namespace {

/// Closing: how long, and for how many octets, what a peer still sends is read and dropped.
constexpr std::chrono::seconds kLinger{2};
constexpr std::size_t kLingerOctets = 65536;
/// From here on it is cheaper to hand a span to the transport than to copy it.
constexpr std::size_t kLargeWrite = 16 * 1024;

Errc errc(IoStatus status) noexcept {
  switch (status) {
    case IoStatus::eof:
      return Errc::eof;
    case IoStatus::reset:
      return Errc::reset;
    default:
      return Errc::failed;
  }
}

const char* describe(Errc code) noexcept {
  switch (code) {
    case Errc::eof:
      return "the peer closed the connection";
    case Errc::reset:
      return "the connection was reset";
    case Errc::timed_out:
      return "timed out";
    case Errc::stalled:
      return "the peer takes no data";
    default:
      return "the connection failed";
  }
}

}  // namespace

void Turn::spend(std::size_t octets) noexcept {
  if (turn_ != scheduler_.turn()) {
    turn_ = scheduler_.turn();
    spent_ = 0;
  }
  spent_ += octets;
}

bool Turn::is_spent() noexcept {
  spend(0);
  return spent_ >= kBudget;
}

void Turn::push_all() {
  for (Stream* stream = first_; stream != nullptr; stream = stream->next_in_turn_) stream->push();
}

Stream::Stream(Turn& turn, coro::CancelSource& scope, ChunkPool& pool, Connection connection,
               Duration write_timeout)
    : CancelTarget(scope),
      turn_(turn),
      pool_(pool),
      connection_(std::move(connection)),
      write_timeout_(write_timeout),
      next_in_turn_(std::exchange(turn.first_, this)) {
  connection_.readiness->watch(this);
}

Stream::~Stream() {
  POSTERN_ASSERT(!reader_.handle && !writer_.handle);
  connection_.readiness->watch(nullptr);
  Stream** link = &turn_.first_;
  while (*link != this) link = &(*link)->next_in_turn_;
  *link = next_in_turn_;
}

IoResult Stream::try_read(std::span<char> into) {
  if (aborted_) return IoResult{0, Want::none, IoStatus::failed};
  const IoResult result = connection_.transport->try_read(into);
  read_want_ = result.ok() ? result.want : Want::none;
  readable_unseen_ = false;
  bytes_read_ += result.bytes;
  turn_.spend(result.bytes);
  return result;
}

void Stream::put(std::string_view text) {
  POSTERN_ASSERT(text.size() <= room());
  if (write_failed() || text.empty()) return;
  if (!out_) out_ = pool_.lease_large();
  if (out_end_ + text.size() > out_.capacity()) {
    std::memmove(out_.data(), out_.data() + out_begin_, out_end_ - out_begin_);
    out_end_ -= out_begin_;
    out_begin_ = 0;
  }
  std::memcpy(out_.data() + out_end_, text.data(), text.size());
  out_end_ += text.size();
}

void Stream::put_sensitive(std::string_view text) {
  put(text);
  if (out_) out_.mark_sensitive();
}

coro::Task<IoOutcome> Stream::make_room(std::size_t octets) {
  POSTERN_ASSERT(octets <= kGather);
  while (room() < octets) {
    push();
    if (turn_.is_spent()) co_await coro::Yield(turn_.scheduler());
    if (room() >= octets) break;
    IoOutcome waited = co_await Wait(*this, true, coro::Deadline::never());
    if (!waited) co_return std::move(waited).error();
  }
  co_return outcome(true);
}

coro::Task<IoOutcome> Stream::write(std::string_view octets) {
  if (octets.size() < kLargeWrite && octets.size() <= room()) {
    put(octets);
    co_return outcome(true);
  }
  // What was gathered leaves in front, filled up so that records stay full.
  if (out_begin_ != out_end_) {
    const std::size_t fill = std::min(room(), octets.size());
    put(octets.substr(0, fill));
    octets.remove_prefix(fill);
  }
  while (!octets.empty()) {
    if (push()) {
      const IoResult result = connection_.transport->try_write(octets);
      if (!accept(result)) break;
      octets.remove_prefix(result.bytes);
      if (octets.empty()) break;
    }
    if (turn_.is_spent()) co_await coro::Yield(turn_.scheduler());
    IoOutcome waited = co_await Wait(*this, true, coro::Deadline::never());
    if (!waited) co_return std::move(waited).error();
  }
  push();
  if (turn_.is_spent()) co_await coro::Yield(turn_.scheduler());
  co_return outcome(true);
}

coro::Task<IoOutcome> Stream::flush(coro::Deadline deadline) {
  while (!push()) {
    IoOutcome waited = co_await Wait(*this, true, deadline);
    if (!waited) co_return std::move(waited).error();
  }
  co_return IoOutcome();
}

bool Stream::push() {
  if (write_failed()) return false;
  while (!write_blocked() && out_begin_ != out_end_) {
    const std::string_view rest(out_.data() + out_begin_, out_end_ - out_begin_);
    const IoResult result = connection_.transport->try_write(rest);
    if (!accept(result)) return false;
    out_begin_ += result.bytes;
    if (result.bytes == 0 && !write_blocked()) write_want_ = Want::write;
  }
  if (out_begin_ == out_end_) {
    out_begin_ = out_end_ = 0;
    out_.release();
  }
  if (const std::size_t before = connection_.transport->unsent(); before != 0 && !write_blocked()) {
    if (!accept(connection_.transport->try_flush())) return false;
    if (connection_.transport->unsent() < before) write_progress_ = turn_.scheduler().now();
  }
  arm();
  return !has_unsent();
}

/// Books what a call of the writing side did; false when it failed.
bool Stream::accept(const IoResult& result) {
  if (!result.ok()) {
    fail_writing(errc(result.status));
    return false;
  }
  write_want_ = result.want;
  if (result.bytes != 0) {
    bytes_written_ += result.bytes;
    turn_.spend(result.bytes);
    write_progress_ = turn_.scheduler().now();
  }
  return true;
}

void Stream::fail_writing(Errc code) {
  if (!write_error_) write_error_ = code;
  out_begin_ = out_end_ = 0;
  out_.release();
  write_want_ = Want::none;
  watches_stall_ = false;
  connection_.readiness->arm(false, false);  // no operation waits any more
  wake(reader_);
  wake(writer_);
}

coro::Task<IoOutcome> Stream::handshake(coro::Deadline deadline) {
  while (!cancelled() && !write_failed()) {
    const IoResult result = connection_.transport->try_handshake();
    // The flag is that of reading: an event that came before this call is dealt with, and when all is done
    // nothing is known about application data, which may have come with the last message of the handshake.
    readable_unseen_ = false;
    read_want_ = result.ok() ? result.want : Want::none;
    if (!result.ok()) {
      push();  // the alert
      co_return IoError(errc(result.status), connection_.transport->failure());
    }
    if (result.want == Want::none) break;
    IoOutcome waited = co_await Wait(*this, false, deadline);
    if (!waited) co_return std::move(waited).error();
  }
  co_return outcome(false);
}

void Stream::upgrade(const std::function<std::unique_ptr<Transport>(std::unique_ptr<Transport>)>& filter) {
  POSTERN_ASSERT(!has_unsent());
  connection_.transport = filter(std::move(connection_.transport));
  read_want_ = Want::none;
  write_want_ = Want::none;
}

coro::Task<void> Stream::close() {
  const coro::Deadline flushed_by(turn_.scheduler().now() + write_timeout_);
  IoOutcome flushed = co_await flush(flushed_by);
  if (!flushed) co_return;
  const coro::Deadline deadline(turn_.scheduler().now() + kLinger);
  for (;;) {
    const IoResult result = connection_.transport->try_shutdown();
    if (!accept(result)) co_return;
    if (result.want == Want::none) break;
    IoOutcome waited = co_await Wait(*this, true, deadline);
    if (!waited) co_return;
  }
  std::size_t dropped = 0;
  while (dropped < kLingerOctets) {
    IoOutcome waited = co_await readable(deadline);
    if (!waited) co_return;
    const Lease chunk = pool_.lease_small();
    const IoResult result = try_read(chunk.span());
    if (!result.ok()) co_return;
    dropped += result.bytes;
  }
}

void Stream::abort() noexcept {
  if (std::exchange(aborted_, true)) return;
  fail_writing(Errc::failed);
  connection_.readiness->watch(nullptr);
  connection_.transport->abort();
}

/// Whether a wait needs none. Everything the session has gathered leaves first.
bool Stream::may_go_on(bool for_write) {
  if (cancelled() || write_failed()) return true;
  if (!for_write && read_want_ == Want::none) {
    yields_ = turn_.is_spent();
    return !yields_;
  }
  turn_.push_all();
  if (write_failed()) return true;
  return for_write ? !is_blocked() : !read_blocked();
}

void Stream::suspend(bool for_write, std::coroutine_handle<> self, coro::Deadline deadline) {
  if (std::exchange(yields_, false)) {
    turn_.push_all();
    turn_.scheduler().enqueue(self);
    return;
  }
  Waiter& slot = waiter(for_write);
  POSTERN_ASSERT(!slot.handle);
  slot.handle = self;
  slot.deadline = deadline.when();
  slot.timed_out = false;
  arm();
}

IoOutcome Stream::outcome(bool for_write) {
  if (const auto reason = cancelled()) {
    if (for_write) fail_writing(Errc::cancelled);
    return IoError::cancelled(*reason);
  }
  if (write_error_) return failure();
  if (std::exchange(waiter(for_write).timed_out, false)) {
    if (for_write) fail_writing(Errc::timed_out);
    return IoError(Errc::timed_out, describe(Errc::timed_out));
  }
  return IoOutcome();
}

IoError Stream::failure() const {
  const bool explains = *write_error_ == Errc::failed && !aborted_;
  std::string detail = explains ? connection_.transport->failure() : std::string();
  if (detail.empty()) detail = describe(*write_error_);
  return IoError(*write_error_, std::move(detail));
}

void Stream::wake(Waiter& slot) {
  if (!slot.handle) return;
  slot.deadline = TimePoint::max();
  turn_.scheduler().enqueue(std::exchange(slot.handle, {}));
}

void Stream::on_ready(bool readable, bool writable) {
  // TLS may have to read the rest of a message of its own before it can write.
  if ((write_want_ == Want::read ? readable : writable) && !write_failed()) {
    write_want_ = Want::none;
    push();
    if (!is_blocked()) wake(writer_);
  }
  // A reader may want to write (TLS), and then what can be read is not for it.
  if (reader_.handle && (read_want_ == Want::write ? writable : readable)) {
    wake(reader_);
  } else if (readable) {
    readable_unseen_ = true;
  }
  arm();
}

void Stream::on_cancel(FailureKind) {
  wake(reader_);
  wake(writer_);
}

/// The timer of both waits and of the write timeout. It is left where it is when a deadline moves away, which
/// every command does, and looks again when it fires.
void Stream::on_timer() {
  const TimePoint now = turn_.scheduler().now();
  for (Waiter* slot : {&reader_, &writer_}) {
    if (slot->handle && slot->deadline <= now) {
      slot->timed_out = true;
      wake(*slot);
    }
  }
  if (watches_stall_ && write_progress_ + write_timeout_ <= now) fail_writing(Errc::stalled);
  arm_timer();
}

TimePoint Stream::next_deadline() const noexcept {
  TimePoint next = std::min(reader_.deadline, writer_.deadline);
  if (watches_stall_) next = std::min(next, write_progress_ + write_timeout_);
  return next;
}

void Stream::arm() {
  if (write_failed()) return;
  if (write_blocked() && !watches_stall_) write_progress_ = turn_.scheduler().now();
  watches_stall_ = write_blocked();
  const bool want_read = !readable_unseen_ || write_want_ == Want::read;
  const bool want_write = write_want_ == Want::write || (reader_.handle && read_want_ == Want::write);
  // Reading stays armed between waits, because arming costs system calls; an event that nobody waits for
  // disarms it.
  connection_.readiness->arm(want_read, want_write);
  arm_timer();
}

void Stream::arm_timer() {
  const TimePoint next = next_deadline();
  if (next == TimePoint::max()) return;
  if (is_armed() && timer_when() <= next) return;
  turn_.scheduler().arm(*this, next);
}

}  // namespace postern::net
