#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern::imap {

/// What servers say, and what is to be made of it.
struct Example {
  std::string_view said;
  std::string_view transcript;
};

const std::vector<Example>& good_examples();
/// Each ends in an error.
const std::vector<Example>& bad_examples();

}  // namespace postern::imap
