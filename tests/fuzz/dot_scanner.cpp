#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "postern/pop3/dot.hpp"
#include "unit/pop3/dot_reference.hpp"

namespace {

using namespace postern;
namespace reference = pop3::reference;

void compare(std::string_view text, std::size_t chunk) {
  const auto length = reference::answer_length(text);
  pop3::DotScanner scanner;
  for (std::size_t begin = 0; begin < text.size(); begin += chunk) {
    const auto end = std::min(begin + chunk, text.size());
    const auto found = scanner.feed(text.substr(begin, end - begin));
    const bool completes = length && *length <= end;
    POSTERN_ASSERT(found.complete == completes);
    POSTERN_ASSERT(begin + found.consumed == (completes ? *length : end));
    POSTERN_ASSERT(found.bare_lf == (reference::bare_lfs(text, begin, begin + found.consumed) > 0));
    POSTERN_ASSERT(scanner.held() == (completes ? 0 : reference::held(text.substr(0, end))));
    if (completes) return;
  }
}

}  // namespace

/// The first octet is the size of the chunks, the rest the answer and what follows it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t chunk = input.choice();
  compare(input.rest(), std::max<std::size_t>(chunk, 1));
  compare(input.rest(), std::max<std::size_t>(size, 1));
  return 0;
}
