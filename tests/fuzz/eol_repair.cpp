#include <string>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "postern/pop3/dot.hpp"
#include "unit/pop3/dot_reference.hpp"

namespace {

using namespace postern;
namespace reference = pop3::reference;

void compare(std::string_view text, std::size_t chunk) {
  const auto answer = text.substr(0, reference::answer_length(text).value_or(text.size()));
  pop3::DotScanner scanner;
  pop3::EolRepair repair;
  std::string room;
  std::string sent;
  for (bool complete = false; !complete && !text.empty();) {
    const auto found = scanner.feed(text.substr(0, chunk));
    sent += repair.apply(text.substr(0, found.consumed), found.bare_lf, room);
    text.remove_prefix(found.consumed);
    complete = found.complete;
  }
  POSTERN_ASSERT(sent == reference::repaired(answer));
  POSTERN_ASSERT(repair.repaired() == reference::bare_lfs(answer, 0, answer.size()));
  POSTERN_ASSERT(reference::bare_lfs(sent, 0, sent.size()) == 0);
  POSTERN_ASSERT(reference::content(sent) == reference::with_crlf(reference::content(answer)));
  const auto length = reference::answer_length(sent);
  POSTERN_ASSERT(length.has_value() == reference::answer_length(answer).has_value());
  POSTERN_ASSERT(!length || *length == sent.size());
}

void check_stuffing(std::string_view text) {
  std::string out;
  pop3::append_stuffed(out, text);
  POSTERN_ASSERT(!reference::answer_length(out));
  POSTERN_ASSERT(reference::bare_lfs(out, 0, out.size()) == 0);
  POSTERN_ASSERT(out.empty() || out.ends_with("\r\n"));
}

}  // namespace

/// The first octet is the size of the chunks, the rest the answer and what follows it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t chunk = input.choice();
  compare(input.rest(), std::max<std::size_t>(chunk, 1));
  compare(input.rest(), std::max<std::size_t>(size, 1));
  check_stuffing(input.rest());
  return 0;
}
