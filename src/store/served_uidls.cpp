#include "store/served_uidls.hpp"

#include <string_view>
#include <utility>

namespace postern::store {
namespace {

using sqlite::Database;
using sqlite::Rewind;

constexpr std::string_view kFind = "SELECT template FROM served_uidls WHERE backend = ?1";
constexpr std::string_view kReplace =
    "INSERT INTO served_uidls (backend, template) VALUES (?1, ?2)"
    " ON CONFLICT (backend) DO UPDATE SET template = excluded.template";

}  // namespace

Result<config::ServedUidls, Trouble> read_served_uidls(Database& database, const config::ServedUidls& asked) {
  auto find = database.prepare(kFind);
  if (!find) return std::move(find).error();
  config::ServedUidls served;
  for (const auto& [backend, ignored] : asked) {
    const Rewind rewind(*find);
    const auto row = find->bind(1, backend).step();
    if (!row) return row.error();
    if (*row) served.emplace(backend, find->blob(0));
  }
  return served;
}

Result<void, Trouble> write_served_uidls(Database& database, const config::ServedUidls& served) {
  auto replace = database.prepare(kReplace);
  if (!replace) return std::move(replace).error();
  for (const auto& [backend, text] : served) {
    const Rewind rewind(*replace);
    const auto step = replace->bind(1, backend).bind(2, text).step();
    if (!step) return step.error();
  }
  return {};
}

}  // namespace postern::store
