#pragma once

#include <memory>
#include <string>

#include "postern/backend/credentials.hpp"
#include "postern/base/address.hpp"
#include "postern/base/result.hpp"
#include "postern/base/secret.hpp"
#include "postern/coro/task.hpp"

namespace postern::auth {

/// A user name and a password that a client gave, and where they came from.
class Attempt {
 public:
  Attempt(std::string u, Secret p, SocketAddress c) : user(std::move(u)), password(std::move(p)), client(c) {}
  std::string user;
  Secret password;
  SocketAddress client;
};

/// Who may log in. Never blocks the loop.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// A grant, or why not: `auth_refused`, `unknown_user`, `auth_unavailable`.
  virtual coro::Task<Result<backend::Grant>> check(Attempt attempt) = 0;
};

/// Lets everybody pass with his own credentials: the backend decides.
std::unique_ptr<Authenticator> make_pass_through();

}  // namespace postern::auth
