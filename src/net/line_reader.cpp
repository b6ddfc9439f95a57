#include "postern/net/line_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "postern/base/assert.hpp"

namespace postern::net {

void LineReader::consume(std::size_t octets) noexcept {
  POSTERN_ASSERT(octets <= end_ - begin_);
  begin_ += octets;
  scanned_ = 0;
}

std::optional<std::string_view> LineReader::next_line() noexcept {
  const std::string_view rest = buffered();
  const std::size_t lf = rest.find('\n', scanned_);
  if (lf == std::string_view::npos) {
    scanned_ = rest.size();
    return std::nullopt;
  }
  consume(lf + 1);
  std::string_view line = rest.substr(0, lf);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

coro::Task<Result<std::string_view, IoError>> LineReader::line(std::size_t limit, coro::Deadline deadline) {
  limit = std::min(limit, kLongestLine);
  for (;;) {
    if (const auto line = next_line()) {
      if (line->size() > limit) co_return too_long();
      co_return *line;
    }
    const std::string_view partial = buffered();
    const std::size_t text = partial.ends_with('\r') ? partial.size() - 1 : partial.size();
    if (text > limit) co_return too_long();
    IoOutcome filled = co_await fill(limit + 2 > ChunkPool::kSmall, deadline);
    if (!filled) co_return std::move(filled).error();
  }
}

coro::Task<IoOutcome> LineReader::fill(bool large, coro::Deadline deadline) {
  for (;;) {
    if (stream_.read_blocked()) settle();
    IoOutcome ready = co_await stream_.readable(deadline);
    if (!ready) co_return std::move(ready).error();
    make_room(large);
    const IoResult result = stream_.try_read(chunk_.span().subspan(end_));
    end_ += result.bytes;
    if (!result.ok()) {
      settle();
      co_return error_of(result.status);
    }
    if (result.bytes != 0) co_return IoOutcome();
  }
}

void LineReader::fill_now(std::size_t octets) {
  octets = std::min(octets, ChunkPool::kLarge);
  if (stream_.read_blocked() || end_ - begin_ >= octets) return;
  make_room(octets > ChunkPool::kSmall);
  const std::size_t space = std::min(chunk_.capacity() - end_, octets - (end_ - begin_));
  end_ += stream_.try_read(chunk_.span().subspan(end_, space)).bytes;
  settle();  // the session may wait for something else next
}

void LineReader::set_sensitive(bool sensitive) noexcept {
  sensitive_ = sensitive;
  if (sensitive && chunk_) chunk_.mark_sensitive();
}

/// Before a wait: nothing is held for nothing, and a partial line not in a large chunk.
void LineReader::settle() noexcept {
  const std::size_t held = end_ - begin_;
  if (held == 0) {
    chunk_.release();
    begin_ = end_ = 0;
  } else if (chunk_.capacity() == ChunkPool::kLarge && held <= ChunkPool::kSmall) {
    move_to(pool_.lease_small());
  }
}

/// Before a read: a chunk with free space at its end.
void LineReader::make_room(bool large) {
  const std::size_t held = end_ - begin_;
  const bool grow = chunk_ && chunk_.capacity() == ChunkPool::kSmall && (large || held == ChunkPool::kSmall);
  if (!chunk_ || grow) {
    move_to(large || grow ? pool_.lease_large() : pool_.lease_small());
  } else if (begin_ != 0) {
    std::memmove(chunk_.data(), chunk_.data() + begin_, held);
    begin_ = 0;
    end_ = held;
  }
  POSTERN_ASSERT(end_ < chunk_.capacity());
}

void LineReader::move_to(Lease fresh) noexcept {
  const std::size_t held = end_ - begin_;
  if (held != 0) std::memcpy(fresh.data(), chunk_.data() + begin_, held);
  if (sensitive_ || chunk_.is_sensitive()) fresh.mark_sensitive();
  chunk_ = std::move(fresh);
  begin_ = 0;
  end_ = held;
}

IoError LineReader::error_of(IoStatus status) {
  switch (status) {
    case IoStatus::eof:
      return IoError(Errc::eof, "the peer closed the connection");
    case IoStatus::reset:
      return IoError(Errc::reset, "the connection was reset");
    default:
      return IoError(Errc::failed, stream_.transport().failure());
  }
}

IoError LineReader::too_long() {
  consume(buffered().size());
  return IoError(Errc::too_long, "line too long");
}

}  // namespace postern::net
