#include "postern/imap/capabilities.hpp"

#include "postern/base/ascii.hpp"
#include "postern/imap/response.hpp"

namespace postern::imap {
namespace {

struct Word {
  std::string_view word;
  bool Capabilities::* member;
};

constexpr Word kWords[] = {
    {"IMAP4rev1", &Capabilities::imap4rev1},
    {"IMAP4rev2", &Capabilities::imap4rev2},
    {"STARTTLS", &Capabilities::starttls},
    {"LOGINDISABLED", &Capabilities::login_disabled},
    {"SASL-IR", &Capabilities::sasl_ir},
    {"AUTH=PLAIN", &Capabilities::auth_plain},
    {"AUTH=LOGIN", &Capabilities::auth_login},
    {"AUTH=XOAUTH2", &Capabilities::auth_xoauth2},
    {"AUTH=OAUTHBEARER", &Capabilities::auth_oauthbearer},
    {"AUTH=SCRAM-SHA-256", &Capabilities::auth_scram_sha_256},
    {"LITERAL+", &Capabilities::literal_plus},
    {"LITERAL-", &Capabilities::literal_minus},
    {"UIDPLUS", &Capabilities::uidplus},
    {"MOVE", &Capabilities::move},
    {"ESEARCH", &Capabilities::esearch},
    {"CONDSTORE", &Capabilities::condstore},
    {"QRESYNC", &Capabilities::qresync},
    {"ENABLE", &Capabilities::enable},
    {"ID", &Capabilities::id},
    {"UNSELECT", &Capabilities::unselect},
    {"SPECIAL-USE", &Capabilities::special_use},
    {"OBJECTID", &Capabilities::object_id},
    {"X-GM-EXT-1", &Capabilities::gmail},
};

}  // namespace

Capabilities parse_capabilities(std::string_view text) noexcept {
  Capabilities capabilities;
  Words words(text);
  for (auto word = words.next(); !word.empty(); word = words.next()) {
    for (const auto& known : kWords) {
      if (ascii::equal(word, known.word)) capabilities.*known.member = true;
    }
  }
  return capabilities;
}

NonSyncLiterals Capabilities::non_sync_literals() const noexcept {
  if (literal_plus) return NonSyncLiterals::all;
  return literal_minus ? NonSyncLiterals::small : NonSyncLiterals::none;
}

}  // namespace postern::imap
