#pragma once

#include "postern/base/result.hpp"
#include "postern/config/served_uidls.hpp"
#include "store/sqlite.hpp"
#include "store/trouble.hpp"

/// The table of templates by which unique-ids were made last: a row for each backend. Rows of backends that
/// are gone stay: one that comes back has the same customers, and another template would be as wrong as if it
/// had never been away.
namespace postern::store {

inline constexpr const char* kCreateServedUidls =
    "CREATE TABLE IF NOT EXISTS served_uidls (backend TEXT PRIMARY KEY, template TEXT NOT NULL) STRICT;";

/// The rows of the backends in `asked`. A text that is no template any more is given as it is: it is another
/// one than any that can be served, and a person decides.
Result<config::ServedUidls, Trouble> read_served_uidls(sqlite::Database& database,
                                                       const config::ServedUidls& asked);

/// Inside of a transaction.
Result<void, Trouble> write_served_uidls(sqlite::Database& database, const config::ServedUidls& served);

}  // namespace postern::store
