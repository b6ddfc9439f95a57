#include <array>
#include <string>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "postern/pop3/dot.hpp"
#include "postern/pop3/dot_stuffer.hpp"
#include "unit/pop3/dot_stuffer_reference.hpp"

namespace {

using namespace postern;
namespace reference = pop3::reference;
using pop3::DotStuffer;

constexpr std::size_t kMostRoom = 64;

struct Stuffed {
  std::string wire;
  std::size_t consumed;
};

Stuffed stuffed(DotStuffer stuffer, std::string_view message, std::size_t chunk, std::size_t room) {
  std::array<char, kMostRoom> out;
  std::string wire;
  std::size_t consumed = 0;
  while (consumed < message.size() && !stuffer.is_complete()) {
    const auto fed = stuffer.feed(message.substr(consumed, chunk), std::span(out).first(room));
    POSTERN_ASSERT(fed.produced <= room && fed.consumed <= chunk);
    POSTERN_ASSERT(fed.consumed > 0);
    wire.append(out.data(), fed.produced);
    consumed += fed.consumed;
  }
  wire += stuffer.tail();
  return {wire, consumed};
}

}  // namespace

/// Three octets choose the chunks, the room for the output and the lines of TOP; the rest is the message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t chunk = 1 + input.choice();
  const std::size_t room = DotStuffer::kLeastRoom + input.choice() % (kMostRoom - DotStuffer::kLeastRoom);
  const std::uint64_t lines = input.choice() % 8;
  const auto message = input.rest();
  const auto retr = stuffed(DotStuffer(DotStuffer::Nul::replace), message, chunk, room);
  POSTERN_ASSERT(retr.wire == reference::retr(message, true));
  POSTERN_ASSERT(retr.consumed == message.size());
  POSTERN_ASSERT(("\r\n" + retr.wire).find(pop3::kTerminator) == std::string::npos);
  const auto top = stuffed(DotStuffer(DotStuffer::Nul::pass, lines), message, chunk, room);
  POSTERN_ASSERT(top.wire == reference::top(message, lines, false));
  POSTERN_ASSERT(top.consumed == reference::top_length(message, lines).value_or(message.size()));
  return 0;
}
