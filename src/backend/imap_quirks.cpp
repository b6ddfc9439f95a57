#include "postern/backend/imap_quirks.hpp"

#include <array>
#include <utility>

namespace postern::backend {
namespace {

using config::ImapProfile;

// Courier says NO where others say BAD: a quoting bug would look like a wrong password. And its MAXPERIP.
constexpr std::array<std::string_view, 2> kCourierTexts = {"Error in IMAP command", "Maximum connection"};
constexpr std::array<std::string_view, 2> kExchangeTexts = {"not connected", "Server Busy"};

// In the order to look for them: what is more telling first.
constexpr std::array<std::pair<std::string_view, ImapProfile>, 7> kGreetings = {{
    {"Gimap", ImapProfile::gmail},
    {"Microsoft Exchange", ImapProfile::exchange},
    {"Courier-IMAP", ImapProfile::courier},
    {"Dovecot", ImapProfile::dovecot},
    {" Cyrus IMAP ", ImapProfile::cyrus},
    {"Yandex", ImapProfile::yandex},
    {"IMAPrev1", ImapProfile::hmailserver},
}};

}  // namespace

ImapQuirks quirks_of(ImapProfile profile) noexcept {
  ImapQuirks quirks;
  switch (profile) {
    case ImapProfile::courier:
      quirks.uidnext_by_status = true;
      quirks.gone_is_placeholder = true;
      quirks.not_credentials = kCourierTexts;
      break;
    case ImapProfile::exchange:
      quirks.partial = false;
      quirks.prefetch = false;
      quirks.sizes_are_estimates = true;
      quirks.not_credentials = kExchangeTexts;
      break;
    case ImapProfile::gmail:
      quirks.prefetch = false;
      quirks.delete_moves = true;
      break;
    case ImapProfile::hmailserver:
      quirks.partial = false;
      quirks.sizes_are_estimates = true;
      break;
    case ImapProfile::yandex:
      quirks.prefetch = false;
      break;
    case ImapProfile::old:
      quirks.short_lines = true;
      quirks.one_at_a_time = true;
      quirks.partial = false;
      quirks.prefetch = false;
      break;
    case ImapProfile::automatic:
    case ImapProfile::standard:
    case ImapProfile::dovecot:
    case ImapProfile::cyrus:
    case ImapProfile::zimbra:
      break;
  }
  return quirks;
}

ImapProfile detect_profile(std::string_view greeting, const imap::Capabilities& capabilities) noexcept {
  if (capabilities.gmail) return ImapProfile::gmail;
  for (const auto& [word, profile] : kGreetings) {
    if (greeting.find(word) != std::string_view::npos) return profile;
  }
  return ImapProfile::standard;
}

}  // namespace postern::backend
