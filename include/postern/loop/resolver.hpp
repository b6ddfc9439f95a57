#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "postern/base/address.hpp"
#include "postern/base/result.hpp"
#include "postern/coro/cancel.hpp"
#include "postern/coro/deadline.hpp"
#include "postern/coro/task.hpp"

namespace postern::loop {

class Loop;

/// Names to addresses, on one loop. An address stands for itself and asks nobody.
class Resolver {
 public:
  virtual ~Resolver() = default;
  /// At least one address, in the order to try them (RFC 6724 as the library sorts); or `dns` with the
  /// reason, also when the deadline passed first, or the reason that `scope` was cancelled with.
  virtual coro::Task<Result<std::vector<SocketAddress>>> resolve(const std::string& host, std::uint16_t port,
                                                                 coro::Deadline deadline,
                                                                 coro::CancelSource& scope) = 0;
};

/// c-ares on the loop, with the system's resolv.conf as it was when it was made and the hosts file as it is.
/// `loop` outlives it.
std::unique_ptr<Resolver> make_resolver(Loop& loop);

}  // namespace postern::loop
