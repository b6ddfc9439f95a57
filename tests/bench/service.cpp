#include "bench/service.hpp"

#include <openssl/evp.h>

namespace postern::bench {

void Service::on_data(std::string_view octets) {
  answer_now();
  for (std::size_t end = octets.find('\n'); end != std::string_view::npos; end = octets.find('\n')) {
    line_ += octets.substr(0, end);
    octets.remove_prefix(end + 1);
    if (line_.ends_with('\r')) line_.pop_back();
    on_line(line_);
    line_.clear();
  }
  line_ += octets;
}

std::string user_of_plain(std::string_view base64) {
  std::string plain(base64.size(), '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(plain.data()),
                      reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
  if (size < 0) return {};
  const std::size_t user = plain.find('\0') + 1;  // after the authorization identity
  return plain.substr(user, plain.find('\0', user) - user);
}

}  // namespace postern::bench
