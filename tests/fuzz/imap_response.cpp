#include <algorithm>
#include <string>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "unit/imap/transcript.hpp"

namespace {

using namespace postern;

/// Bodies up to here are taken, so that there are inputs on both sides of the limit.
constexpr Bytes kMaxBody = 4096;

std::string transcript(std::string_view said, std::size_t chunk) {
  imap::Transcript session(kMaxBody);
  for (std::size_t at = 0; at < said.size(); at += chunk) session.feed(said.substr(at, chunk));
  POSTERN_ASSERT(session.failed() || session.left() == 0);
  return session.text();
}

}  // namespace

/// The first octet is the size of the chunks, the rest what a server says: it means the same in any pieces,
/// and nothing is left lying but what follows an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t chunk = std::max<std::size_t>(input.choice(), 1);
  const auto whole = transcript(input.rest(), std::max<std::size_t>(size, 1));
  POSTERN_ASSERT(transcript(input.rest(), chunk) == whole);
  POSTERN_ASSERT(transcript(input.rest(), 1) == whole);
  return 0;
}
