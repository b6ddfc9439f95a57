#include "postern/http/server.hpp"

#include <http_parser.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "http/request_parser.hpp"
#include "postern/coro/deadline.hpp"
#include "postern/coro/scheduler.hpp"
#include "postern/net/line_reader.hpp"
#include "postern/net/stream.hpp"

namespace postern::http {
namespace {

/// From the connection to the end of the head, however the octets trickle in.
constexpr std::chrono::seconds kRequestTimeout{5};
/// A peer that takes no octet for so long is gone.
constexpr std::chrono::seconds kStallTimeout{5};
/// For the whole answer, or a peer that takes an octet now and then holds it in memory for days. More than
/// any scraper waits.
constexpr std::chrono::seconds kAnswerTimeout{30};

coro::Task<net::IoOutcome> receive(net::Stream& stream, net::ChunkPool& pool, RequestParser& parser,
                                   coro::Deadline deadline) {
  net::LineReader reader(stream, pool);
  while (!parser.is_done()) {
    net::IoOutcome filled = co_await reader.fill(false, deadline);
    if (!filled) co_return std::move(filled).error();
    parser.feed(reader.buffered());
    reader.consume(reader.buffered().size());
  }
  co_return net::IoOutcome();
}

Response response_to(const RequestParser& parser, const SocketAddress& peer, const Handler& handler) {
  if (parser.status() == HTTP_STATUS_OK) return handler(Request(parser.method(), parser.path(), peer));
  const std::string reason = http_status_str(static_cast<http_status>(parser.status()));
  return Response(parser.status(), "text/plain; charset=utf-8", reason + "\n");
}

std::string head_of(const Response& response) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += http_status_str(static_cast<http_status>(response.status));
  head += "\r\nContent-Type: " + response.content_type;
  head += "\r\nContent-Length: " + std::to_string(response.body.size());
  head += "\r\nConnection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  if (response.status == HTTP_STATUS_METHOD_NOT_ALLOWED) head += "Allow: GET, HEAD\r\n";
  return head + "\r\n";
}

std::string answer(const RequestParser& parser, const SocketAddress& peer, const Handler& handler) {
  const Response response = response_to(parser, peer, handler);
  std::string octets = head_of(response);
  if (!parser.is_head()) octets += response.body;
  return octets;
}

/// Sends at the peer's pace, a gathered chunk at a time. The octets have to live until it returns.
coro::Task<net::IoOutcome> send(net::Turn& turn, net::Stream& stream, std::string_view octets,
                                coro::Deadline deadline) {
  while (!octets.empty()) {
    const std::string_view part = octets.substr(0, stream.room());
    stream.put(part);
    octets.remove_prefix(part.size());
    net::IoOutcome sent = co_await stream.flush(deadline);
    if (!sent) co_return std::move(sent).error();
    if (turn.is_spent()) co_await coro::Yield(turn.scheduler());
  }
  co_return net::IoOutcome();
}

}  // namespace

coro::Task<void> serve(coro::Scheduler& scheduler, coro::CancelSource& scope, net::ChunkPool& pool,
                       net::Accepted accepted, const Handler& handler) {
  net::Turn turn(scheduler);
  net::Stream stream(turn, scope, pool, std::move(accepted.connection), kStallTimeout);
  RequestParser parser;
  const coro::Deadline request_deadline(scheduler.now() + kRequestTimeout);
  const net::IoOutcome received = co_await receive(stream, pool, parser, request_deadline);
  if (!received)
    co_return;  // no request, no answer: a probe of the port, a slow peer, or the end of the scope

  const std::string octets = answer(parser, accepted.peer, handler);
  const coro::Deadline answer_deadline(scheduler.now() + kAnswerTimeout);
  const net::IoOutcome sent = co_await send(turn, stream, octets, answer_deadline);
  if (!sent) {
    stream.abort();
    co_return;
  }
  co_await stream.close();
}

}  // namespace postern::http
