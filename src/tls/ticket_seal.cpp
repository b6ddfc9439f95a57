#include "tls/ticket_seal.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

#include "postern/base/assert.hpp"

namespace postern::tls {
namespace {

bool key_mac(EVP_MAC_CTX* mac, TicketKeys::Key& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.hmac.data(), key.hmac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

}  // namespace

TicketSeal::TicketSeal(std::shared_ptr<TicketKeys> keys)
    : keys_(std::move(keys)), cipher_(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)) {
  POSTERN_ASSERT(cipher_ != nullptr);
}

int TicketSeal::seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const {
  TicketKeys::Key key = keys_->current();
  std::copy(key.name.begin(), key.name.end(), name);
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(cipher_.get())) != 1) return -1;
  if (EVP_EncryptInit_ex2(cipher, cipher_.get(), key.aes.data(), iv, nullptr) != 1) return -1;
  return key_mac(mac, key) ? 1 : -1;
}

int TicketSeal::open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                     EVP_MAC_CTX* mac) const {
  std::optional<TicketKeys::Found> found = keys_->find(name);
  if (!found) return 0;
  if (EVP_DecryptInit_ex2(cipher, cipher_.get(), found->key.aes.data(), iv, nullptr) != 1) return -1;
  if (!key_mac(mac, found->key)) return -1;
  return found->is_current ? 1 : 2;
}

}  // namespace postern::tls
