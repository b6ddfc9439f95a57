#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include "config/settings_table.hpp"
#include "postern/config/settings.hpp"
#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

const std::string kSchemaFile = std::string(POSTERN_SOURCE_DIR) + "/conf/postern.schema.json";
const std::string kReferenceFile = std::string(POSTERN_SOURCE_DIR) + "/docs/configuration.md";
constexpr std::string_view kBegin = "<!-- reference: generated from the table of settings, do not edit -->\n";
constexpr std::string_view kEnd = "<!-- reference: end -->\n";

/// POSTERN_WRITE=1 writes the files anew instead of comparing them.
bool writes() {
  return std::getenv("POSTERN_WRITE") != nullptr;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  ASSERT_TRUE(file.good()) << path;
}

TEST(Generated, SchemaFileIsUpToDate) {
  if (writes()) write_file(kSchemaFile, json_schema());
  EXPECT_EQ(read_whole_file(kSchemaFile), json_schema()) << "POSTERN_WRITE=1 config_test writes it anew";
}

TEST(Generated, ReferenceIsUpToDate) {
  std::string page = read_whole_file(kReferenceFile);
  const std::size_t begin = page.find(kBegin);
  const std::size_t end = page.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && begin < end);
  const std::size_t from = begin + kBegin.size();
  const std::string wanted = "\n" + reference_markdown() + "\n";
  if (writes()) write_file(kReferenceFile, page.substr(0, from) + wanted + page.substr(end));
  if (writes()) page = read_whole_file(kReferenceFile);
  EXPECT_EQ(page.substr(from, page.find(kEnd) - from), wanted)
      << "POSTERN_WRITE=1 config_test writes it anew";
}

TEST(Table, HasEachPathOnceBelowItsSection) {
  std::set<std::string_view> paths{""};
  for (const Setting& setting : settings()) {
    const std::size_t dot = setting.path.rfind('.');
    EXPECT_TRUE(paths.contains(dot == std::string_view::npos ? "" : setting.path.substr(0, dot)))
        << setting.path;
    EXPECT_TRUE(paths.insert(setting.path).second) << setting.path;
  }
}

TEST(Table, DescribesEverySetting) {
  for (const Setting& setting : settings()) {
    EXPECT_FALSE(setting.description.empty()) << setting.path;
    EXPECT_TRUE(setting.description.ends_with('.')) << setting.path;
    EXPECT_FALSE(expectation(setting).empty()) << setting.path;
    EXPECT_FALSE(setting.required && !setting.fallback.empty()) << setting.path;
    const bool ranged = setting.type == Type::count || setting.type == Type::threads ||
                        setting.type == Type::duration || setting.type == Type::whole_seconds ||
                        setting.type == Type::size;
    EXPECT_EQ(setting.most > 0, ranged) << setting.path;
    EXPECT_EQ(!setting.choices.empty(), setting.type == Type::choice || setting.type == Type::match)
        << setting.path;
  }
}

}  // namespace
}  // namespace postern::config
