#include "store/snapshot_codec.hpp"

#include <openssl/evp.h>

#include <array>
#include <limits>
#include <optional>

#include "postern/base/assert.hpp"

namespace postern::store {
namespace {

constexpr char kVersion = 1;
/// Against accidents, not against forgers: half of SHA-256 is plenty.
constexpr std::size_t kChecksum = 16;
/// What a message takes at the least: a distance and a size. What a record claims beyond that is not there.
constexpr std::size_t kLeastMessage = 2;

void put_number(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out += static_cast<char>(0x80 | (number & 0x7F));
    number >>= 7;
  }
  out += static_cast<char>(number);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

/// Reads what a record has, and remembers that something was not there.
class Reader {
 public:
  explicit Reader(std::string_view rest) noexcept : rest_(rest) {}

  bool failed() const noexcept { return failed_; }
  bool at_end() const noexcept { return rest_.empty(); }
  std::size_t left() const noexcept { return rest_.size(); }

  std::uint64_t number(std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto octet = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && octet > 1) break;  // more than 64 bits
      value |= std::uint64_t{octet & 0x7Fu} << shift;
      if (octet >= 0x80) continue;
      if (value > most || (octet == 0 && shift > 0)) break;  // too large, or with zeros in front
      return value;
    }
    failed_ = true;
    return 0;
  }

  std::uint32_t number32() noexcept { return static_cast<std::uint32_t>(number(UINT32_MAX)); }

  std::string_view text() noexcept {
    const std::uint64_t size = number();
    if (size > rest_.size()) failed_ = true;
    if (failed_) return {};
    const std::string_view octets = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(octets.size());
    return octets;
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::string checksum(std::string_view octets) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  POSTERN_ASSERT(EVP_Digest(octets.data(), octets.size(), digest.data(), &length, EVP_sha256(), nullptr) ==
                 1);
  return {digest.begin(), digest.begin() + kChecksum};
}

bool read_messages(Reader& in, std::uint64_t count, Snapshot& snapshot) {
  snapshot.reserve(static_cast<std::size_t>(count));
  std::uint64_t uid = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint32_t distance = in.number32();
    const std::uint64_t size = in.number();
    uid += distance;
    if (in.failed() || distance == 0 || uid > UINT32_MAX) return false;
    snapshot.append(static_cast<std::uint32_t>(uid), size);
  }
  return true;
}

bool read_ids(Reader& in, std::uint64_t count, StoredIds& ids) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view id = in.text();
    if (in.failed()) return false;
    ids.append(id);
  }
  return true;
}

std::optional<Snapshot> read_snapshot(Reader& in) {
  Snapshot snapshot;
  snapshot.uidvalidity = in.number32();
  snapshot.uidnext = in.number32();
  snapshot.id_template = in.text();
  const std::uint64_t messages = in.number();
  const std::uint64_t ids = in.number();
  if (in.failed() || messages > in.left() / kLeastMessage || (ids != 0 && ids != messages)) {
    return std::nullopt;
  }
  if (!read_messages(in, messages, snapshot) || !read_ids(in, ids, snapshot.ids())) return std::nullopt;
  if (!in.at_end()) return std::nullopt;
  return snapshot;
}

}  // namespace

std::string_view label(Damage damage) noexcept {
  switch (damage) {
    case Damage::too_large:
      return "too large";
    case Damage::checksum:
      return "wrong checksum";
    case Damage::version:
      return "another version";
    case Damage::other_key:
      return "another mailbox's";
    case Damage::form:
      break;
  }
  return "malformed";
}

void seal_record(std::string& record) {
  record += checksum(record);
}

std::string encode_record(const MailboxKey& key, const Snapshot& snapshot) {
  std::string record;
  record.reserve(key.backend.size() + key.user.size() + key.mailbox.size() + 4 * snapshot.count() + 64);
  record += kVersion;
  for (const std::string* part : {&key.backend, &key.user, &key.mailbox}) put_text(record, *part);
  put_number(record, snapshot.uidvalidity);
  put_number(record, snapshot.uidnext);
  put_text(record, snapshot.id_template);
  put_number(record, snapshot.count());
  put_number(record, snapshot.ids().size());
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < snapshot.count(); ++i) {
    put_number(record, snapshot.uids()[i] - before);
    put_number(record, snapshot.size(i));
    before = snapshot.uids()[i];
  }
  for (std::size_t i = 0; i < snapshot.ids().size(); ++i) put_text(record, snapshot.ids()[i]);
  seal_record(record);
  return record;
}

Result<Snapshot, Damage> decode_record(std::string_view record, const MailboxKey& key) {
  if (record.size() > kMaxRecord) return Damage::too_large;
  if (record.size() <= kChecksum) return Damage::checksum;
  if (record.front() != kVersion) return Damage::version;  // first: it may have another checksum
  const std::string_view body = record.substr(0, record.size() - kChecksum);
  if (checksum(body) != record.substr(body.size())) return Damage::checksum;
  Reader in(body.substr(1));
  for (const std::string* part : {&key.backend, &key.user, &key.mailbox}) {
    const std::string_view stored = in.text();
    if (in.failed()) return Damage::form;
    if (stored != *part) return Damage::other_key;
  }
  auto snapshot = read_snapshot(in);
  if (!snapshot) return Damage::form;
  return std::move(*snapshot);
}

}  // namespace postern::store
