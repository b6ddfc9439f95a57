#include <string>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "store/snapshot_codec.hpp"

namespace {

using namespace postern;

/// What decodes has this one record, and takes memory in proportion to it.
void check(std::string_view record, const store::MailboxKey& key) {
  auto decoded = store::decode_record(record, key);
  if (!decoded) return;
  POSTERN_ASSERT(store::encode_record(key, *decoded) == record);
  POSTERN_ASSERT(decoded->memory() <= 4096 + 64 * record.size());
}

}  // namespace

/// The first octet says whether the rest is a record, or one that lacks its key and its checksum: they are
/// put around it, or nothing would get past them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const bool is_whole = input.choice() == 'w';
  const store::MailboxKey key("b", "u", "m");
  if (is_whole) {
    check(input.rest(), key);
    return 0;
  }
  std::string record("\x01\x01\x62\x01\x75\x01\x6D");
  record += input.rest();
  store::seal_record(record);
  check(record, key);
  return 0;
}
