#include "tls/openssl.hpp"

#include <openssl/err.h>

#include <system_error>

namespace postern::tls {

std::string take_error() {
  const unsigned long oldest = ERR_get_error();
  ERR_clear_error();
  if (oldest == 0) return "no reason given";
  if (ERR_SYSTEM_ERROR(oldest)) return std::generic_category().message(ERR_GET_REASON(oldest));
  const char* reason = ERR_reason_error_string(oldest);
  return reason != nullptr ? reason : "error " + std::to_string(oldest);
}

}  // namespace postern::tls
