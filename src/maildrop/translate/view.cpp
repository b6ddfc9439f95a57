#include "maildrop/translate/view.hpp"

#include <array>
#include <chrono>
#include <string_view>

#include "postern/base/ascii.hpp"

namespace postern::maildrop {
namespace {

using config::DeletePolicy;

constexpr const char* kFlagKeyword = "$postern-deleted";
constexpr const char* kKeepKeyword = "$postern-kept-";

/// The name of a view as part of a keyword: an atom, and keywords know no case.
std::string atom(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : name) {
    const auto octet = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || ascii::is_digit(c) || c == '-' || c == '_') {
      out += c;
    } else {
      out += '+';
      out += kDigits[octet >> 4];
      out += kDigits[octet & 15];
    }
  }
  return out;
}

DeletePolicy policy_of(const config::View& settings, const backend::ImapQuirks& quirks) noexcept {
  return settings.remove.value_or(quirks.delete_moves ? DeletePolicy::move : DeletePolicy::expunge);
}

}  // namespace

View::View(const config::View& settings, const config::Imap& imap, const backend::ImapQuirks& quirks,
           const imap::Capabilities& capabilities)
    : settings_(settings), policy_(policy_of(settings, quirks)), has_uidplus_(capabilities.uidplus) {
  const bool only_flags = policy_ == DeletePolicy::expunge && !has_uidplus_ &&
                          settings.without_uidplus == config::WithoutUidplus::flag_only;
  hides_deleted_ = imap.deleted_messages == config::DeletedMessages::hide || only_flags;
  if (policy_ == DeletePolicy::flag) keyword_ = kFlagKeyword;
  if (policy_ == DeletePolicy::keep) keyword_ = kKeepKeyword + atom(settings.name);
}

/// One search for everything: the untagged answers of two would be told apart by nothing.
std::string View::criteria(WallTime now) const {
  std::string words;
  if (search_finds_shown()) {
    if (hides_deleted_) words += "UNDELETED ";
    if (!keyword_.empty()) words += "UNKEYWORD " + keyword_ + " ";
    return words + "SINCE " + search_date(now - std::chrono::days(settings_.days));
  }
  if (hides_deleted_ && !keyword_.empty()) return "OR DELETED KEYWORD " + keyword_;
  if (hides_deleted_) return "DELETED";
  if (!keyword_.empty()) return "KEYWORD " + keyword_;
  return {};
}

std::string search_date(WallTime when) {
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(when));
  return std::to_string(static_cast<unsigned>(day.day())) + "-" +
         kMonths[static_cast<unsigned>(day.month()) - 1] + "-" + std::to_string(static_cast<int>(day.year()));
}

}  // namespace postern::maildrop
