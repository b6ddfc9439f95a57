#pragma once

#include "postern/tls/tls.hpp"
#include "tls/openssl.hpp"

namespace postern::tls {

/// What OpenSSL's ticket key callback does (SSL_CTX_set_tlsext_ticket_key_evp_cb): tickets are encrypted with
/// AES-256-CBC and authenticated with HMAC-SHA-256, as RFC 5077 §4 recommends.
class TicketSeal {
 public:
  explicit TicketSeal(std::shared_ptr<TicketKeys> keys);

  /// Prepares the contexts to make a ticket; its values are OpenSSL's: 1 done, -1 failed.
  int seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const;
  /// Prepares them to open one: 1 done, 2 done and a new ticket is due, 0 not a ticket of ours, -1 failed.
  int open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
           EVP_MAC_CTX* mac) const;

 private:
  std::shared_ptr<TicketKeys> keys_;
  CipherPtr cipher_;  // fetched once: OpenSSL 3 looks an algorithm up on every use otherwise
};

}  // namespace postern::tls
