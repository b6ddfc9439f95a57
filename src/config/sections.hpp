#pragma once

#include "config/mapping_reader.hpp"
#include "postern/config/config.hpp"

/// One reader for each section of the file. `file` is the mapping at its top. Order matters where names are
/// referred to: profiles before listeners, views before listeners and backends,
/// backends before routes.
namespace postern::config {

void read_runtime(const MappingReader& file, Config& config);
void read_log(const MappingReader& file, Config& config);
void read_admin(const MappingReader& file, Config& config);
void read_limits(const MappingReader& file, Config& config);
void read_tls_profiles(const MappingReader& file, Config& config);
void read_views(const MappingReader& file, Config& config);
void read_listeners(const MappingReader& file, Config& config);
void read_backends(const MappingReader& file, Config& config);
void read_routes(const MappingReader& file, Config& config);
void read_store(const MappingReader& file, Config& config);

/// The keys of a map of names, for suggestions.
std::vector<std::string_view> names_of(const std::map<std::string, Position, std::less<>>& names);

/// Reads `name` and reports it when another item has it; the name goes into `taken`.
void read_unique_name(const MappingReader& reader, std::map<std::string, Position, std::less<>>& taken,
                      std::string& out);

/// Reads `view` and reports it when no view has that name.
void read_view_name(const MappingReader& reader, std::string& out);

}  // namespace postern::config
