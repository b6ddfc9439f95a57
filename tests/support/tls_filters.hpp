#pragma once

#include <memory>
#include <string>

#include "postern/tls/tls.hpp"
#include "support/peer.hpp"

namespace postern::test {

/// TLS for both sides of a connection in memory: a certificate for `kTlsName`, "mail.example" and
/// "imap.example", of an authority that is made once in a process.
inline constexpr const char* kTlsName = "pop.example";

std::unique_ptr<tls::ServerContext> make_tls_server();
std::unique_ptr<tls::ClientContext> make_tls_client();

/// The same for a peer.
Filter server_tls();
Filter client_tls(const std::string& name = kTlsName);

}  // namespace postern::test
