#include "postern/config/served_uidls.hpp"

#include <utility>

#include "config/report.hpp"
#include "postern/config/uidl_template.hpp"

namespace postern::config {

ServedUidls served_by(const Config& config) {
  ServedUidls served;
  for (const Backend& backend : config.backends) {
    if (backend.protocol == Protocol::imap) served.emplace(backend.name, canonical_text(backend.imap.uidl));
  }
  return served;
}

UidlChange::UidlChange(const Backend& b, std::string before)
    : mark(b.imap.uidl_mark), backend(b.name), was(std::move(before)), is(b.imap.uidl.text) {}

Problem UidlChange::to_problem() const {
  return {mark, "backends[].imap.uidl: found " + in_quotes(is) + " for " + in_quotes(backend) +
                    ", expected " + in_quotes(was) +
                    " as served before; start with --accept-uidl-change to change it"};
}

std::vector<UidlChange> uidl_changes(const Config& config, const ServedUidls& before) {
  std::vector<UidlChange> changes;
  for (const Backend& backend : config.backends) {
    const auto served = before.find(backend.name);
    if (backend.protocol != Protocol::imap || served == before.end()) continue;
    if (canonical_text(backend.imap.uidl) != served->second) changes.emplace_back(backend, served->second);
  }
  return changes;
}

}  // namespace postern::config
