#pragma once

#include <string>

#include "postern/tls/tls.hpp"
#include "tls/openssl.hpp"

namespace postern::tls {

/// Rules that hold for every connection in either role: versions, modes, what is never negotiated. False when
/// this OpenSSL does not know the versions.
[[nodiscard]] bool apply_rules(SSL_CTX* context, Version min, Version max);

/// The ALPN protocol list with this one name in it (RFC 7301 §3.1); empty when the name cannot be one.
std::string alpn_list(const std::string& name);

}  // namespace postern::tls
