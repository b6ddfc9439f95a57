#pragma once

#include <memory>

#include "postern/base/readiness.hpp"
#include "postern/base/transport.hpp"

namespace postern {

/// What a connector or a listener hands out. TLS wraps the transport; the readiness stays the descriptor's.
class Connection {
 public:
  Connection(std::unique_ptr<Transport> t, std::unique_ptr<Readiness> r)
      : transport(std::move(t)), readiness(std::move(r)) {}

  std::unique_ptr<Transport> transport;
  std::unique_ptr<Readiness> readiness;
};

}  // namespace postern
