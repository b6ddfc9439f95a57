#pragma once

#include <map>
#include <string>
#include <vector>

#include "postern/config/config.hpp"
#include "postern/config/loader.hpp"

/// Unique-ids are a contract with every mail program that keeps mail on the server: by another template it
/// fetches everything again. So what was served is compared with what is to be served.
namespace postern::config {

/// Canonical texts of templates, by the names of the IMAP backends that serve them.
using ServedUidls = std::map<std::string, std::string>;

/// What this configuration serves.
ServedUidls served_by(const Config& config);

/// A backend that would break the contract.
class UidlChange {
 public:
  UidlChange(const Backend& backend, std::string before);

  /// How the operator is told; the place is the template's, or the backend's where the default was taken.
  Problem to_problem() const;

  Mark mark;
  std::string backend;
  std::string was;  ///< canonical
  std::string is;   ///< as the file has it
};

/// The backends that served other templates before, in the order of the configuration.
std::vector<UidlChange> uidl_changes(const Config& config, const ServedUidls& before);

}  // namespace postern::config
