#include "postern/config/loader.hpp"

#include <filesystem>
#include <utility>

#include "config/document.hpp"
#include "config/files.hpp"
#include "config/sections.hpp"
#include "postern/base/units.hpp"

namespace postern::config {
namespace {

// A route for each of 100,000 users takes 7 MB. More is no configuration but the wrong file.
constexpr std::size_t kLargestFile = 16_MiB;

void read_sections(const Node& root, Context& context, Config& config) {
  const MappingReader file(context, root, "");
  std::uint32_t version = 0;
  file.count("version", version);
  read_runtime(file, config);
  read_log(file, config);
  read_admin(file, config);
  read_tls_profiles(file, config);
  read_views(file, config);
  read_listeners(file, config);
  read_backends(file, config);
  read_routes(file, config);
  read_store(file, config);
  read_limits(file, config);
}

}  // namespace

std::vector<std::string_view> names_of(const std::map<std::string, Position, std::less<>>& names) {
  std::vector<std::string_view> out;
  out.reserve(names.size());
  for (const auto& [name, position] : names) out.push_back(name);
  return out;
}

void read_unique_name(const MappingReader& reader, std::map<std::string, Position, std::less<>>& taken,
                      std::string& out) {
  const Node* node = reader.text("name", out);
  if (node == nullptr) return;
  const auto [first, is_new] = taken.emplace(out, node->position);
  if (!is_new)
    reader.problem(node->position, reader.path() + ".name: found " + in_quotes(out) +
                                       ", expected a name that is not taken; line " +
                                       std::to_string(first->second.line) + " has it");
}

std::string Problem::to_string() const {
  if (mark.line == 0) return mark.file + ": " + message;
  return mark.file + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column) + ": " + message;
}

Result<Config, Problems> load_text(std::string_view text, const std::string& name,
                                   const std::string& folder) {
  Report report(name);
  Config config;
  config.file = name;
  if (text.size() > kLargestFile) {
    report.add({1, 1}, "found more than 16 MiB, expected a configuration file");
    return report.take();
  }
  const auto root = parse_document(text, report);
  if (root) {
    Context context{report, folder, {}, {}, {}, {}, {}};
    read_sections(*root, context, config);
  }
  if (report.size() > 0) return report.take();
  return config;
}

Result<Config, Problems> load_file(const std::string& path) {
  const auto text = read_file(path, kLargestFile);
  if (!text) return Problems{{{path, 0, 0}, "cannot read the file: " + text.error().message}};
  return load_text(*text, path, std::filesystem::path(path).parent_path().string());
}

}  // namespace postern::config
