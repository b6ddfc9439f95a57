#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::config {

/// How many letters have to be changed, added, removed or swapped with their neighbour to make one word of
/// the other (Levenshtein with transpositions); capital letters count as small ones.
std::size_t distance(std::string_view a, std::string_view b);

/// "; did you mean 'x'?" with the candidate that is next to `word` or ends in it, or nothing when none is
/// near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

/// "a, b and c" (`last` = "and"); of many, the first few.
std::string enumerate(const std::vector<std::string_view>& words, std::string_view last);

}  // namespace postern::config
