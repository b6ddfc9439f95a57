#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <tuple>

#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

constexpr int kMutants = 2000;
constexpr std::size_t kMostChanges = 6;

std::size_t below(std::mt19937& random, std::size_t bound) {
  return random() % bound;
}

/// Changes a text as a careless editor would: octets, lines and pieces change, go, come twice or trade
/// places.
std::string mutate(std::string text, std::mt19937& random) {
  constexpr std::string_view kOctets = "[]{}:,-?&*!|>'\"%@`# \t\n\r\\~0aé\x80";
  for (std::size_t changes = 1 + below(random, kMostChanges); changes > 0 && !text.empty(); --changes) {
    const std::size_t at = below(random, text.size());
    const std::size_t length = 1 + below(random, 40);
    switch (below(random, 5)) {
      case 0:
        text[at] = kOctets[below(random, kOctets.size())];
        break;
      case 1:
        text.insert(at, 1, kOctets[below(random, kOctets.size())]);
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(below(random, text.size()), text.substr(at, length));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

/// Whatever is done to a good file, it loads or has problems with places that are inside of it.
void expect_sane(const Workspace& workspace, const std::string& text) {
  const auto result = workspace.load(text);
  if (result) return;
  const auto lines = static_cast<unsigned>(std::count(text.begin(), text.end(), '\n')) + 1;
  ASSERT_FALSE(result.error().empty());
  Mark last;
  for (const Problem& problem : result.error()) {
    ASSERT_GE(problem.mark.line, 1U);
    ASSERT_LE(problem.mark.line, lines + 1) << text;
    ASSERT_GE(problem.mark.column, 1U);
    ASSERT_FALSE(problem.message.empty());
    ASSERT_LE(std::tie(last.line, last.column), std::tie(problem.mark.line, problem.mark.column)) << text;
    last = problem.mark;
  }
}

class Mutation : public ::testing::TestWithParam<const char*> {};

TEST_P(Mutation, NeverCrashes) {
  const Workspace workspace;
  const std::string good = read_whole_file(std::string(POSTERN_SOURCE_DIR) + "/conf/" + GetParam());
  ASSERT_FALSE(good.empty());
  std::mt19937 random(20240229);
  for (int i = 0; i < kMutants; ++i) {
    const std::string mutant = mutate(good, random);
    ASSERT_NO_FATAL_FAILURE(expect_sane(workspace, mutant)) << mutant;
  }
}

INSTANTIATE_TEST_SUITE_P(ShippedFiles, Mutation,
                         ::testing::Values("postern.yaml", "examples/two-stores.yaml",
                                           "examples/legacy-plaintext.yaml", "examples/imap-stores.yaml"));

TEST(Noise, NeverCrashes) {
  constexpr std::string_view kOctets = "[]{}:,-?&*!|>'\"%@`# \n\r\\~0ab";
  const Workspace workspace;
  std::mt19937 random(7);
  for (int i = 0; i < kMutants; ++i) {
    std::string noise(1 + below(random, 200), ' ');
    for (char& octet : noise) octet = kOctets[below(random, kOctets.size())];
    ASSERT_NO_FATAL_FAILURE(expect_sane(workspace, noise)) << noise;
  }
}

}  // namespace
}  // namespace postern::config
