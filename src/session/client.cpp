#include "session/client.hpp"

#include <string>

#include "session/end.hpp"

namespace postern::session {
namespace {

constexpr std::size_t kTlsRecord = 16384;
constexpr std::string_view kLastLine = ".\r\n";

Error lost(const net::IoError& error) {
  const FailureKind kind = client_failure(error, FailureKind::client_stalled);
  return Error(kind, error.detail());
}

}  // namespace

coro::Task<Result<std::string_view, net::IoError>> Client::read_line(std::size_t limit) {
  for (;;) {
    const auto line = reader.next_line();
    const std::size_t length = line ? line->size() : reader.buffered().size();
    if (length > limit + (line ? 0 : 1)) {  // without a line end a CR may have come
      co_return net::IoError(net::Errc::too_long, "line too long");
    }
    if (line) co_return *line;
    net::IoOutcome filled = co_await reader.fill(false, coro::Deadline::never());
    if (!filled) co_return std::move(filled).error();
  }
}

coro::Task<Result<void>> ClientSink::begin(std::optional<Bytes> size) {
  begun_ = true;
  announced_ = size;
  net::IoOutcome room = co_await client_.stream.make_room(Client::kMaxReply);
  if (!room) co_return lost(room.error());
  if (size) {
    client_.ok(std::to_string(*size) + " octets");
  } else {
    client_.ok();
  }
  co_return Result<void>();
}

coro::Task<Result<void>> ClientSink::write(std::string_view wire) {
  octets_ += wire.size();
  net::IoOutcome written = co_await client_.stream.write(wire);
  if (!written) co_return lost(written.error());
  co_return Result<void>();
}

/// The last line end and the terminator leave in one record: some clients hang when they come apart.
coro::Task<Result<void>> ClientSink::end(std::string_view tail) {
  octets_ += tail.size();
  const std::size_t length = tail.size() + kLastLine.size();
  const std::size_t gathered = net::Stream::kGather - client_.stream.room();
  if (gathered % kTlsRecord + length > kTlsRecord) {
    net::IoOutcome flushed = co_await client_.stream.flush(coro::Deadline::never());
    if (!flushed) co_return lost(flushed.error());
  }
  net::IoOutcome room = co_await client_.stream.make_room(length);
  if (!room) co_return lost(room.error());
  client_.stream.put(tail);
  client_.stream.put(kLastLine);
  ended_ = true;
  co_return Result<void>();
}

}  // namespace postern::session
