#pragma once

#include <string>
#include <string_view>

#include "postern/backend/backend.hpp"
#include "postern/base/result.hpp"
#include "postern/coro/deadline.hpp"
#include "postern/coro/task.hpp"
#include "postern/net/io_error.hpp"
#include "postern/net/stream.hpp"

/// What the clients of POP3 and IMAP servers have in common.
namespace postern::backend {

/// The name of a server in the CapabilityTable.
std::string table_key(const Server& server, const Backend& backend);

/// The TLS handshake of the gateway as a client: with the backend's context, and the name to be verified.
coro::Task<Result<void>> shake_hands(net::Stream& stream, Backend& backend, Server& server,
                                     coro::Deadline deadline);

/// What an error of the server's stream means once something was asked.
FailureKind lost_or_late(const net::IoError& error) noexcept;

/// Before a credential was sent every trouble is one of reaching the server, so that another one is tried.
Error before_login(Error error);

/// Whether a server repeats what it was shown as a secret, as some do with commands that they do not know. A
/// secret that was cut on its way into their answer shows by its beginning.
bool repeats(std::string_view text, std::string_view secret) noexcept;

}  // namespace postern::backend
