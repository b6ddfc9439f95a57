#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "postern/sasl/sasl.hpp"

namespace {

using namespace postern;
using Step = sasl::Exchange::Step;

constexpr std::uint8_t kLogin = 1;    // bit of the choice: LOGIN, not PLAIN
constexpr std::uint8_t kInitial = 2;  // the first line is an initial response
constexpr int kMostChallenges = 2;

void check_base64(std::string_view text) {
  const auto octets = sasl::decode_base64(text);
  if (!octets) return;
  POSTERN_ASSERT(sasl::encode_base64(octets->view()).view() == text);
}

}  // namespace

/// A choice of the mechanism, then the client's lines, each ended by LF.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto choice = input.choice();
  check_base64(input.rest());
  sasl::Exchange exchange((choice & kLogin) != 0 ? sasl::Mechanism::login : sasl::Mechanism::plain);
  std::optional<std::string_view> initial;
  if ((choice & kInitial) != 0) initial = input.line();
  auto step = exchange.begin(initial);
  int challenges = 0;
  while (step == Step::challenge) {
    ++challenges;
    POSTERN_ASSERT(challenges <= kMostChallenges);
    POSTERN_ASSERT(sasl::decode_base64(exchange.challenge()).has_value());
    if (input.empty()) return 0;
    const auto line = input.line();
    check_base64(line);
    step = exchange.feed(line);
  }
  if (step != Step::done) return 0;
  const auto credentials = exchange.take_credentials();
  POSTERN_ASSERT(sasl::is_acceptable(credentials.user, credentials.password.view()));
  sasl::Exchange again(sasl::Mechanism::plain);
  const auto response = sasl::plain_initial_response(credentials.user, credentials.password.view());
  POSTERN_ASSERT(again.begin(response.view()) == Step::done);
  const auto same = again.take_credentials();
  POSTERN_ASSERT(same.user == credentials.user && same.password.view() == credentials.password.view());
  return 0;
}
