#pragma once

#include <optional>
#include <string_view>

#include "postern/base/units.hpp"
#include "postern/maildrop/maildrop.hpp"
#include "postern/net/line_reader.hpp"
#include "postern/net/stream.hpp"

namespace postern::session {

/// The client's side of a session: its stream, what came of it, and how one answers.
class Client {
 public:
  /// A status line is at most 512 octets (RFC 1939 §3); there has to be room for one before a command is
  /// executed.
  static constexpr std::size_t kMaxReply = 512;

  Client(net::Turn& turn, coro::CancelSource& scope, net::ChunkPool& pool, Connection connection,
         Duration write_timeout)
      : stream(turn, scope, pool, std::move(connection), write_timeout), reader(stream, pool) {}

  /// "+OK text"; gathered until the session waits.
  void ok(std::string_view text = {}) { status("+OK", text); }
  /// "-ERR text".
  void error(std::string_view text) { status("-ERR", text); }
  /// The client's next line. Read into as little memory as it needs: what follows a login waits in it for the
  /// backend.
  coro::Task<Result<std::string_view, net::IoError>> read_line(std::size_t limit);
  /// A line of a multi-line answer, or of a SASL exchange ("+ " and the challenge).
  void line(std::string_view text) {
    stream.put(text);
    stream.put("\r\n");
  }

  net::Stream stream;
  net::LineReader reader;

 private:
  void status(std::string_view word, std::string_view text) {
    stream.put(word);
    if (!text.empty()) stream.put(" ");
    line(text);
  }
};

/// A multi-line answer on its way to the client.
class ClientSink final : public maildrop::Sink {
 public:
  explicit ClientSink(Client& client) : client_(client) {}

  coro::Task<Result<void>> begin(std::optional<Bytes> size) override;
  coro::Task<Result<void>> write(std::string_view wire) override;
  coro::Task<Result<void>> end(std::string_view tail) override;

  /// +OK was said, and the terminator was not.
  bool is_open() const noexcept { return begun_ && !ended_; }
  Bytes octets() const noexcept { return octets_; }
  /// What the server announced, if it did.
  std::optional<Bytes> announced() const noexcept { return announced_; }

 private:
  Client& client_;
  bool begun_ = false;
  bool ended_ = false;
  Bytes octets_ = 0;
  std::optional<Bytes> announced_;
};

}  // namespace postern::session
