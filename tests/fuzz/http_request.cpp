#include "http/request_parser.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"

namespace {

using namespace postern;

constexpr std::array kStatus = {200, 400, 405, 411, 413, 414, 417, 431, 501, 505};

struct Outcome {
  int status;
  std::string path;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome(std::string_view request, std::size_t chunk) {
  http::RequestParser parser;
  for (std::size_t at = 0; at < request.size() && !parser.is_done(); at += chunk) {
    parser.feed(request.substr(at, chunk));
  }
  return {parser.status(), parser.status() == 200 ? parser.path() : std::string()};
}

}  // namespace

/// The first octet is the size of the chunks, the rest a request: it means the same in any pieces, has an end
/// within the limit, and its path is one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t chunk = std::max<std::size_t>(input.choice(), 1);
  const Outcome whole = outcome(input.rest(), std::max<std::size_t>(size, 1));
  POSTERN_ASSERT(outcome(input.rest(), chunk) == whole);
  POSTERN_ASSERT(outcome(input.rest(), 1) == whole);
  POSTERN_ASSERT(whole.status != 0 || input.rest().size() <= http::RequestParser::kMaxHead);
  POSTERN_ASSERT(whole.status == 0 ||
                 std::find(kStatus.begin(), kStatus.end(), whole.status) != kStatus.end());
  if (whole.status != 200) return 0;
  POSTERN_ASSERT(whole.path.starts_with('/'));
  for (const char c : whole.path) POSTERN_ASSERT(c != '?' && c != '\r' && c != '\n' && c != ' ' && c != '\0');
  return 0;
}
