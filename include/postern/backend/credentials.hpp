#pragma once

#include <optional>
#include <string>

#include "postern/base/address.hpp"
#include "postern/base/secret.hpp"

namespace postern::backend {

/// What the gateway shows to a backend.
class BackendCredentials {
 public:
  BackendCredentials(std::string u, Secret p) : user(std::move(u)), password(std::move(p)) {}
  std::string user;
  Secret password;
};

/// Whom a session is for: what a trusted backend is told, so that its limits and logs see the client.
class Origin {
 public:
  Origin(SocketAddress c, SocketAddress l, std::string s) : client(c), local(l), session(std::move(s)) {}
  SocketAddress client;
  SocketAddress local;  ///< the address the client came to
  std::string session;
};

/// What an authenticator knows about where a user's mail is.
class RouteHints {
 public:
  std::optional<std::string> backend;  ///< a name of the configuration
};

/// A user who may go on.
class Grant {
 public:
  /// Who has checked the password, or will.
  enum class Proof : std::uint8_t {
    done,        ///< the authenticator: a backend that refuses the credentials refuses the gateway's
    by_backend,  ///< the backend will, at its login: its refusal is the user's
  };

  Grant(std::string u, BackendCredentials c, Proof p, RouteHints h)
      : user(std::move(u)), credentials(std::move(c)), proof(p), hints(std::move(h)) {}
  std::string user;
  BackendCredentials credentials;
  Proof proof;
  RouteHints hints;
};

}  // namespace postern::backend
