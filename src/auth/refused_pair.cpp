#include "postern/auth/refused_pair.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>

#include "postern/base/assert.hpp"
#include "postern/base/secret.hpp"

namespace postern::auth {
namespace {

/// Made once a process: the hashes mean nothing outside it.
const std::array<unsigned char, 32>& process_key() {
  static const auto key = [] {
    std::array<unsigned char, 32> made{};
    system_random().fill(std::as_writable_bytes(std::span(made)));
    return made;
  }();
  return key;
}

}  // namespace

void RefusedPair::remember(std::string_view user, std::string_view password) {
  last_ = digest(user, password);
}

bool RefusedPair::matches(std::string_view user, std::string_view password) const {
  if (!last_) return false;
  const Digest now = digest(user, password);
  return CRYPTO_memcmp(now.data(), last_->data(), now.size()) == 0;
}

RefusedPair::Digest RefusedPair::digest(std::string_view user, std::string_view password) {
  // NUL stands in neither of them, so the join says where one ends.
  std::string joined;
  joined.reserve(user.size() + 1 + password.size());
  joined.append(user).append(1, '\0').append(password);
  Digest result{};
  unsigned length = 0;
  const auto* octets = reinterpret_cast<const unsigned char*>(joined.data());
  const auto& key = process_key();
  POSTERN_ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets, joined.size(),
                      result.data(), &length) != nullptr);
  wipe(joined);
  return result;
}

}  // namespace postern::auth
