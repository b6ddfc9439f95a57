#pragma once

#include <memory>

#include "postern/backend/backend.hpp"
#include "postern/coro/cancel.hpp"
#include "postern/maildrop/maildrop.hpp"
#include "postern/net/stream.hpp"

namespace postern::session {

/// The backend's side of a session: everything that an UPDATE still needs when the client has gone. Destroyed
/// in the reverse order: the maildrop first.
struct BackendLeg {
  explicit BackendLeg(std::shared_ptr<net::Turn> t) : turn(std::move(t)) {}

  std::shared_ptr<net::Turn> turn;
  coro::CancelSource scope;
  std::shared_ptr<backend::Backend> backend;
  std::unique_ptr<maildrop::Maildrop> maildrop;
};

}  // namespace postern::session
