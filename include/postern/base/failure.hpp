#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern {

/// Why something did not work, or why a session ended: one word, the same in the code, the log (`reason=`),
/// the metrics (label `reason`) and on the status page.
enum class FailureKind : std::uint8_t {
  dns,
  connect,
  backend_tls,
  greeting,
  no_server,
  saturated,
  route_failed,
  no_route,
  unknown_user,
  auth_refused,
  gateway_credentials,
  auth_unavailable,
  backend_policy,
  in_use,
  backend_limit,
  login_delay,
  throttled,
  session_limit,
  overload,
  draining,
  backend_timeout,
  backend_protocol,
  mailbox,
  mailbox_too_large,
  backend_lost,
  no_message,
  command_refused,
  message_gone,
  message_unreadable,
  update_failed,
  message_unavailable,
  read_only,
  no_folder,
  client_tls,
  proxy_header,
  wrong_protocol,
  client_stalled,
  plaintext_forbidden,
  client_protocol,
  login_timeout,
  idle_timeout,
  client_eof,
  client_reset,
  kicked,
  internal,
};

inline constexpr std::size_t kFailureKinds = static_cast<std::size_t>(FailureKind::internal) + 1;

enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// How a login ended, as a metric label.
enum class LoginResult : std::uint8_t {
  ok,
  unavailable,
  temp,
  auth_failed,
  in_use,
  login_delay,
  throttled,
  timeout,
  protocol,
  refused,
};

inline constexpr std::size_t kLoginResults = static_cast<std::size_t>(LoginResult::refused) + 1;

/// How far a session had come.
enum class Phase : std::uint8_t {
  accept,
  proxy,
  tls,
  auth,
  route,
  queue,
  connect,
  backend_tls,
  greeting,
  backend_login,
  open,
  transaction,
  update,
};

/// What follows from a failure. The only place where postern answers a failure; see docs/failures.md.
///
/// The texts stand behind `-ERR ` and begin with their response code (RFC 2449 §8, RFC 3206). An empty text
/// means that nothing is said: the connection closes, or the failure cannot happen there.
struct FailureRow {
  FailureKind kind;
  std::string_view label;
  std::string_view at_login;        ///< text of the `-ERR` that answers PASS, AUTH or the connection itself
  std::string_view in_transaction;  ///< text of the `-ERR` that answers a command of the TRANSACTION state
  bool closes_login;                ///< the connection is closed after it was told at login
  bool closes_transaction;          ///< the connection is closed after it was told in TRANSACTION
  bool try_other_server;  ///< another server of the backend may be tried (while no credential was sent)
  LogLevel level;
  bool rate_limited;         ///< its log line is limited to one a second per kind
  LoginResult login_result;  ///< meaningless where a login cannot end with it
};

const FailureRow& failure_row(FailureKind kind) noexcept;
std::string_view label(FailureKind kind) noexcept;
std::string_view label(LoginResult result) noexcept;
std::string_view label(Phase phase) noexcept;
std::string_view label(LogLevel level) noexcept;

}  // namespace postern
