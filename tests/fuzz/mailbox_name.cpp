#include "postern/imap/mailbox_name.hpp"

#include <string>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"

using namespace postern;

/// A name, taken for one of ours and for one of a server: it is printable ASCII on the wire, and there and
/// back it is what it was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view name = fuzz::Input(data, size).rest();
  if (const auto wire = imap::encode_mailbox_name(name)) {
    for (const char c : *wire) POSTERN_ASSERT(c >= ' ' && c <= '~');
    POSTERN_ASSERT(imap::decode_mailbox_name(*wire) == name);
  }
  if (const auto utf8 = imap::decode_mailbox_name(name)) {
    POSTERN_ASSERT(imap::encode_mailbox_name(*utf8) == name);
  }
  return 0;
}
