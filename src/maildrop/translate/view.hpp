#pragma once

#include <string>
#include <string_view>

#include "postern/backend/imap_quirks.hpp"
#include "postern/base/clock.hpp"
#include "postern/config/config.hpp"
#include "postern/imap/capabilities.hpp"

namespace postern::maildrop {

/// A view's settings, as they come out at a server.
class View {
 public:
  View(const config::View& settings, const config::Imap& imap, const backend::ImapQuirks& quirks,
       const imap::Capabilities& capabilities);

  const config::View& settings() const noexcept { return settings_; }
  config::DeletePolicy policy() const noexcept { return policy_; }
  /// What is done when deleting for good, and the server cannot delete single messages.
  config::WithoutUidplus without_uidplus() const noexcept { return settings_.without_uidplus; }
  bool has_uidplus() const noexcept { return has_uidplus_; }
  /// What hides a message that was deleted; empty if nothing has to.
  const std::string& keyword() const noexcept { return keyword_; }

  /// The criteria of the search that tells what is shown; empty if nothing has to be asked.
  std::string criteria(WallTime now) const;
  /// Whether that search finds what is shown, or what is hidden.
  bool search_finds_shown() const noexcept { return settings_.days != 0; }

 private:
  const config::View& settings_;
  config::DeletePolicy policy_;
  bool has_uidplus_;
  bool hides_deleted_;
  std::string keyword_;
};

/// "7-Nov-2026", as SEARCH wants dates (RFC 3501 §9).
std::string search_date(WallTime when);

}  // namespace postern::maildrop
