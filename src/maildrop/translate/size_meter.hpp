#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "postern/backend/imap_client.hpp"

namespace postern::maildrop {

/// Counts whole messages as POP3 counts them (RFC 1939 §11): every line end as CRLF, a missing last one
/// added. A message that begins with `placeholder` is one that the server has invented, and does not count;
/// empty: it invents none.
class SizeMeter final : public backend::ImapListener {
 public:
  explicit SizeMeter(std::string_view placeholder = {}) noexcept : placeholder_(placeholder) {}

  void on_body(const imap::Body& body) override;
  void on_octets(std::string_view octets) override;
  void on_response(const imap::Response& response) override;

  /// The message that is read; if it is known before it ends.
  const std::optional<std::uint32_t>& reading() const noexcept { return reading_; }
  const std::unordered_map<std::uint32_t, Bytes>& sizes() const noexcept { return sizes_; }

 private:
  const std::string_view placeholder_;
  std::string_view unmatched_;  ///< what of it the message would have to go on with
  bool is_placeholder_ = false;
  bool counts_ = false;
  std::optional<std::uint32_t> reading_;
  Bytes octets_ = 0;
  char last_ = '\0';
  std::unordered_map<std::uint32_t, Bytes> sizes_;  ///< by UID
};

}  // namespace postern::maildrop
