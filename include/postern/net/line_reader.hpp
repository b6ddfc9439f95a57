#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "postern/coro/deadline.hpp"
#include "postern/coro/task.hpp"
#include "postern/net/chunk_pool.hpp"
#include "postern/net/io_error.hpp"
#include "postern/net/stream.hpp"

namespace postern::net {

/// The octets of a stream that were read and not yet dealt with: as lines while a protocol talks, as chunks
/// while a body streams. Holds no memory while it is empty and waits; a partial line waits in a small chunk.
/// Views into it die with the next fill() or fill_now(). Outlived by its stream.
class LineReader {
 public:
  /// No line may be longer: with its CRLF it has to fit into a chunk.
  static constexpr std::size_t kLongestLine = ChunkPool::kLarge - 2;

  LineReader(Stream& stream, ChunkPool& pool) noexcept : stream_(stream), pool_(pool) {}

  std::string_view buffered() const noexcept { return {chunk_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t octets) noexcept;

  /// The next complete line without its line end (CRLF or bare LF), taken from the buffer; nothing if none is
  /// complete.
  std::optional<std::string_view> next_line() noexcept;

  /// The next complete line, waiting for it. `too_long` when no line end comes within `limit` octets of text
  /// (or kLongestLine): what is buffered then is dropped, and the connection should end.
  coro::Task<Result<std::string_view, IoError>> line(std::size_t limit, coro::Deadline deadline);

  /// Waits for at least one octet more than is buffered, which has to be less than a large chunk. Reads into
  /// a small chunk, or a large one when `large`.
  coro::Task<IoOutcome> fill(bool large, coro::Deadline deadline);
  /// One read without waiting, if less than `octets` (at most a large chunk) are buffered, up to as many. An
  /// error is kept for the next fill().
  void fill_now(std::size_t octets);

  /// Gives back the memory that is not needed while nothing is read.
  void rest() noexcept { settle(); }

  /// From now on, chunks that go back are wiped: what comes carries credentials.
  void set_sensitive(bool sensitive) noexcept;

 private:
  void settle() noexcept;
  void make_room(bool large);
  void move_to(Lease fresh) noexcept;
  IoError error_of(IoStatus status);
  IoError too_long();

  Stream& stream_;
  ChunkPool& pool_;
  Lease chunk_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t scanned_ = 0;  // octets behind begin_ that are known to hold no LF
  bool sensitive_ = false;
};

}  // namespace postern::net
