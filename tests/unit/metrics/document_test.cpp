#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "postern/metrics/metrics.hpp"
#include "unit/metrics/exposition.hpp"

// docs/metrics.md and the exposition name the same families, with the same type and labels.
namespace postern::metrics {
namespace {

struct Documented {
  std::string type;
  std::set<std::string> labels;
  bool operator==(const Documented&) const = default;
};

void PrintTo(const Documented& row, std::ostream* out) {
  *out << row.type;
  for (const std::string& label : row.labels) *out << ' ' << label;
}

/// Rows: | `name` | type | `label`, `label` | meaning | when to look |
std::map<std::string, Documented> read_document() {
  std::map<std::string, Documented> result;
  std::ifstream file(POSTERN_SOURCE_DIR "/docs/metrics.md");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    std::istringstream in(line.substr(2));
    for (std::string cell; std::getline(in, cell, '|');) cells.push_back(cell);
    if (cells.size() != 5) throw std::runtime_error("not five cells: " + line);
    Documented row;
    std::istringstream(cells[1]) >> row.type;
    std::istringstream labels(cells[2]);
    for (std::string text; std::getline(labels, text, '`');) {
      if (text.find_first_not_of(" ,–") != std::string::npos) row.labels.insert(text);
    }
    const std::string name = cells[0].substr(1, cells[0].rfind('`') - 1);
    for (const std::string& explained : {cells[3], cells[4]}) {
      if (explained.size() < 10) throw std::runtime_error("nothing explained: " + line);
    }
    if (!result.emplace(name, row).second) throw std::runtime_error("twice: " + name);
  }
  return result;
}

std::map<std::string, Documented> read_exposition() {
  Registry registry(1, {"1", "3", "1"});
  registry.set_current({"l"}, {"b"});
  registry.set_certificates({{"p", "n", WallTime()}});
  std::map<std::string, Documented> result;
  for (const ParsedFamily& family : parse_exposition(registry.text()))
    result[family.name] = {family.type, family.labels};
  return result;
}

TEST(MetricsDocument, DescribesEachFamilyAndNoOther) {
  const auto documented = read_document();
  const auto exposed = read_exposition();
  ASSERT_FALSE(exposed.empty());
  for (const auto& [name, row] : exposed) {
    ASSERT_TRUE(documented.contains(name)) << name << " is not in docs/metrics.md";
    EXPECT_EQ(documented.at(name), row) << name;
  }
  for (const auto& [name, row] : documented) EXPECT_TRUE(exposed.contains(name)) << name << " does not exist";
}

}  // namespace
}  // namespace postern::metrics
