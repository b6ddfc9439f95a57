#pragma once

#include <string>

/// What the table of settings says, for others than the loader. Both texts stand in the repository as well,
/// and a test compares: conf/postern.schema.json, and the reference in docs/configuration.md.
namespace postern::config {

/// JSON schema (draft 2020-12) of the configuration file, for editors and for checks without postern.
std::string json_schema();

/// The reference of all settings as Markdown: one table for each section.
std::string reference_markdown();

}  // namespace postern::config
