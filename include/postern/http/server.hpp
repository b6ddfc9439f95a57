#pragma once

#include <functional>
#include <string>
#include <utility>

#include "postern/base/address.hpp"
#include "postern/coro/cancel.hpp"
#include "postern/coro/scheduler.hpp"
#include "postern/coro/task.hpp"
#include "postern/net/chunk_pool.hpp"
#include "postern/net/socket.hpp"

namespace postern::http {

/// A request without a body, which is all that is served here.
class Request {
 public:
  Request(std::string method, std::string path, SocketAddress peer)
      : method_(std::move(method)), path_(std::move(path)), peer_(peer) {}
  const std::string& method() const noexcept { return method_; }
  const std::string& path() const noexcept { return path_; }  ///< without the query
  const SocketAddress& peer() const noexcept { return peer_; }

 private:
  std::string method_;
  std::string path_;
  SocketAddress peer_;
};

class Response {
 public:
  Response(int s, std::string type, std::string b)
      : status(s), content_type(std::move(type)), body(std::move(b)) {}
  int status;
  std::string content_type;
  std::string body;
};

using Handler = std::function<Response(const Request&)>;

/// Serves one connection: one request, one answer, `Connection: close`. GET and HEAD only; a head over 8 KiB,
/// a body, or anything else that is not such a request is answered 4xx (another version of HTTP: 505). A peer
/// that has not sent its request within 5 seconds, takes nothing for 5 seconds, or has not taken the answer
/// within 30, is dropped. The handler runs on the loop and must not wait. Ends at once when `scope` is
/// cancelled. What it refers to outlives the task.
coro::Task<void> serve(coro::Scheduler& scheduler, coro::CancelSource& scope, net::ChunkPool& pool,
                       net::Accepted accepted, const Handler& handler);

}  // namespace postern::http
