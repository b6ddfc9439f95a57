#pragma once

#include <string_view>

#include "postern/imap/command.hpp"

namespace postern::imap {

/// What a server says it can do, as far as anything depends on it. An unknown server can do nothing of it.
/// IMAP4rev2 stands for itself alone: there are servers that claim it and lack what it includes.
struct Capabilities {
  bool imap4rev1 = false;
  bool imap4rev2 = false;
  bool starttls = false;
  bool login_disabled = false;  ///< to be ignored after login: Cyrus goes on listing it
  bool sasl_ir = false;         ///< RFC 4959
  bool auth_plain = false;
  bool auth_login = false;
  bool auth_xoauth2 = false;
  bool auth_oauthbearer = false;    ///< RFC 7628
  bool auth_scram_sha_256 = false;  ///< RFC 7677
  bool literal_plus = false;        ///< RFC 7888
  bool literal_minus = false;       ///< RFC 7888
  bool uidplus = false;             ///< RFC 4315
  bool move = false;                ///< RFC 6851
  bool esearch = false;             ///< RFC 4731
  bool condstore = false;           ///< RFC 7162
  bool qresync = false;             ///< RFC 7162
  bool enable = false;              ///< RFC 5161
  bool id = false;                  ///< RFC 2971
  bool unselect = false;            ///< RFC 3691
  bool special_use = false;         ///< RFC 6154
  bool object_id = false;           ///< RFC 8474
  bool gmail = false;               ///< X-GM-EXT-1

  bool operator==(const Capabilities&) const = default;

  NonSyncLiterals non_sync_literals() const noexcept;
};

/// The words of a CAPABILITY response or of the response code.
Capabilities parse_capabilities(std::string_view words) noexcept;

}  // namespace postern::imap
