#include "config/suggest.hpp"

#include <algorithm>

#include "postern/base/ascii.hpp"

namespace postern::config {
namespace {

// Longer words are no typing mistakes of ours, and the cost is the product of both lengths.
constexpr std::size_t kLongestWord = 64;
// One letter in three may be wrong: "lisenters" is near, "ssl" and "tls" are not.
constexpr std::size_t kLettersPerMistake = 3;
// With fewer letters the end of a word says nothing.
constexpr std::size_t kShortestEnd = 3;
// More names than this help nobody in a message.
constexpr std::size_t kMostListed = 24;

}  // namespace

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = ascii::equal_letters(a[i - 1], b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && ascii::equal_letters(a[i - 1], b[j - 2]) &&
                           ascii::equal_letters(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.empty() || word.size() > kLongestWord) return {};
  std::string_view nearest;
  std::size_t least = std::max<std::size_t>(1, word.size() / kLettersPerMistake) + 1;
  for (const std::string_view candidate : candidates) {
    // The version alone instead of "TLS1.2".
    if (word.size() >= kShortestEnd && candidate.ends_with(word))
      return "; did you mean '" + std::string(candidate) + "'?";
    const std::size_t longer = std::max(candidate.size(), word.size());
    if (longer - std::min(candidate.size(), word.size()) >= least) continue;
    const std::size_t mistakes = distance(word, candidate);
    if (mistakes >= least || mistakes >= candidate.size()) continue;
    least = mistakes;
    nearest = candidate;
  }
  return nearest.empty() ? std::string() : "; did you mean '" + std::string(nearest) + "'?";
}

std::string enumerate(const std::vector<std::string_view>& words, std::string_view last) {
  const std::size_t shown = std::min(words.size(), kMostListed);
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) {
    const bool is_last = i + 1 == words.size();
    if (i > 0) out += is_last ? " " + std::string(last) + " " : ", ";
    out += words[i];
  }
  return shown < words.size() ? out + ", ..." : out;
}

}  // namespace postern::config
