#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace postern::tls {

/// OpenSSL's objects, wrapped where they are born.
template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};

using SslPtr = std::unique_ptr<SSL, Freer<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, Freer<EVP_CIPHER_free>>;

/// The reason of the oldest error in this thread's queue, which is the root of the others; empties the queue.
/// Reasons are constants of OpenSSL: nothing in them was chosen by a peer.
std::string take_error();

}  // namespace postern::tls
