#pragma once

#include <string>
#include <vector>

#include "postern/tls/tls.hpp"
#include "tls/openssl.hpp"

namespace postern::tls {

/// A certificate with its chain and its key, as read from an operator's files; the key fits.
struct Certificate {
  CertificateInfo info;
  X509Ptr leaf;
  std::vector<X509Ptr> chain;
  KeyPtr key;

  /// EVP_PKEY_RSA, EVP_PKEY_EC, ...
  int key_type() const noexcept { return EVP_PKEY_get_base_id(key.get()); }
};

Result<Certificate, SetupError> load_certificate(const CertificateFiles& files);

}  // namespace postern::tls
