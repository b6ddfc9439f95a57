// What the loops over octets cost by themselves. --benchmark_filter=NAME for one of them.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bench/mailbox.hpp"
#include "postern/imap/response_parser.hpp"
#include "postern/pop3/dot.hpp"
#include "postern/pop3/dot_stuffer.hpp"
#include "store/snapshot_codec.hpp"

namespace postern::bench {
namespace {

constexpr std::uint32_t kMessage = 64 * 1024;
constexpr std::size_t kRead = 16 * 1024;  // what a TLS record holds, and a relay scans at once
constexpr std::uint32_t kMailbox = 50'000;

void count_octets(benchmark::State& state, std::size_t octets) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets));
}

void scan_dots(benchmark::State& state) {
  const std::string& message = body_of(kMessage).stuffed;
  for (auto _ : state) {
    pop3::DotScanner scanner;
    bool complete = false;
    for (std::size_t at = 0; at < message.size(); at += kRead) {
      complete = scanner.feed(std::string_view(message).substr(at, kRead)).complete;
    }
    if (!complete) std::abort();
  }
  count_octets(state, message.size());
}
BENCHMARK(scan_dots);

/// `bare`: as a store sends it that keeps bare line ends; each of them is repaired.
void stuff_dots(benchmark::State& state, bool bare) {
  std::string message = body_of(kMessage).plain;
  if (bare) std::erase(message, '\r');
  std::array<char, kRead> out;
  for (auto _ : state) {
    pop3::DotStuffer stuffer(pop3::DotStuffer::Nul::replace);
    std::string_view rest = message;
    while (!rest.empty()) {
      const auto fed = stuffer.feed(rest, out);
      benchmark::DoNotOptimize(out.data());
      rest.remove_prefix(fed.consumed);
    }
  }
  count_octets(state, message.size());
}
BENCHMARK_CAPTURE(stuff_dots, crlf, false);
BENCHMARK_CAPTURE(stuff_dots, bare_lf, true);

std::string fetch_responses() {
  std::string responses;
  for (std::uint32_t number = 1; number <= kMailbox; ++number) {
    responses +=
        fmt::format("* {} FETCH (UID {} RFC822.SIZE {})\r\n", number, number * 3, 1000 + number % 9000);
  }
  return responses;
}

/// The list of a mailbox; a message each.
void parse_fetches(benchmark::State& state) {
  const std::string responses = fetch_responses();
  for (auto _ : state) {
    imap::ResponseParser parser(kMessage);
    std::uint32_t found = 0;
    for (std::string_view rest = responses; !rest.empty();) {
      const auto parsed = parser.parse(rest.substr(0, kRead));
      rest.remove_prefix(parsed.consumed);
      if (parsed.step == imap::ResponseParser::Step::response) ++found;
    }
    if (found != kMailbox) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kMailbox);
  count_octets(state, responses.size());
}
BENCHMARK(parse_fetches);

store::Snapshot snapshot() {
  store::Snapshot made;
  made.uidvalidity = 1;
  made.uidnext = kMailbox * 3 + 1;
  for (std::uint32_t number = 1; number <= kMailbox; ++number)
    made.append(number * 3, Bytes{1000} + number % 9000);
  return made;
}

const store::MailboxKey kKey("backend", "user@example.net", "INBOX");

void encode_snapshot(benchmark::State& state) {
  const store::Snapshot known = snapshot();
  for (auto _ : state) benchmark::DoNotOptimize(store::encode_record(kKey, known));
  state.SetItemsProcessed(state.iterations() * kMailbox);
}
BENCHMARK(encode_snapshot);

void decode_snapshot(benchmark::State& state) {
  const std::string record = store::encode_record(kKey, snapshot());
  for (auto _ : state) {
    if (!store::decode_record(record, kKey)) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kMailbox);
}
BENCHMARK(decode_snapshot);

}  // namespace
}  // namespace postern::bench

BENCHMARK_MAIN();
