#include "postern/admin/admin.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "postern/base/assert.hpp"

namespace postern::admin {
namespace {

constexpr int kOk = 200;
constexpr int kForbidden = 403;
constexpr int kNotFound = 404;
constexpr int kServiceUnavailable = 503;

constexpr const char* kIndex =
    "/metrics  metrics, Prometheus text format\n"
    "/healthz  200 while the loops tick\n"
    "/readyz   200 while connections are welcome\n";

http::Response text(int status, std::string body) {
  return http::Response(status, "text/plain; charset=utf-8", std::move(body));
}

bool is_allowed(const Sources& sources, const SocketAddress& peer) {
  return std::any_of(sources.allow_from.begin(), sources.allow_from.end(),
                     [&peer](const Network& network) { return network.contains(peer); });
}

http::Response check(const std::string& problem) {
  if (problem.empty()) return text(kOk, "ok\n");
  return text(kServiceUnavailable, problem + "\n");
}

http::Response answer(const Sources& sources, const http::Request& request) {
  if (!is_allowed(sources, request.peer())) return text(kForbidden, "forbidden\n");
  const std::string& path = request.path();
  if (path == "/metrics") {
    return http::Response(kOk, "text/plain; version=0.0.4; charset=utf-8", sources.metrics->text());
  }
  if (path == "/healthz") return check(sources.unhealthy());
  if (path == "/readyz") return check(sources.unready());
  if (path == "/") return text(kOk, kIndex);
  return text(kNotFound, "not found\n");
}

}  // namespace

http::Handler make_handler(const Sources& sources) {
  POSTERN_ASSERT(sources.metrics != nullptr && sources.unhealthy && sources.unready);
  return [&sources](const http::Request& request) { return answer(sources, request); };
}

}  // namespace postern::admin
