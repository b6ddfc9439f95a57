#include "store/snapshot_codec.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "unit/store/examples.hpp"

namespace postern::store {
namespace {

const MailboxKey kKey("main", "alice", "INBOX");

/// What is wrong with a record; empty if nothing is.
std::string damage(std::string_view record, const MailboxKey& key = kKey) {
  const auto decoded = decode_record(record, key);
  return decoded ? std::string() : std::string(label(decoded.error()));
}

/// Small and large numbers alike.
std::uint64_t some_number(std::mt19937_64& random, unsigned bits) {
  return random() >> (64 - bits + random() % bits);
}

std::string some_text(std::mt19937_64& random, std::size_t most) {
  std::string text(random() % (most + 1), '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

Snapshot some_snapshot(std::mt19937_64& random) {
  Snapshot snapshot;
  snapshot.uidvalidity = static_cast<std::uint32_t>(some_number(random, 32));
  snapshot.uidnext = static_cast<std::uint32_t>(some_number(random, 32));
  const std::size_t messages = random() % 40;
  const bool has_ids = random() % 2 == 0;
  if (has_ids) snapshot.id_template = some_text(random, 30);
  std::uint64_t uid = 0;
  for (std::size_t i = 0; i < messages; ++i) {
    uid += 1 + some_number(random, 28);
    if (uid > UINT32_MAX) break;
    snapshot.append(static_cast<std::uint32_t>(uid), some_number(random, random() % 10 == 0 ? 64 : 24));
    if (has_ids) snapshot.ids().append(some_text(random, 70));
  }
  return snapshot;
}

TEST(SnapshotCodec, GivesBackExactlyWhatWasEncoded) {
  std::mt19937_64 random(20240101);
  for (int i = 0; i < 3000; ++i) {
    const Snapshot snapshot = some_snapshot(random);
    const MailboxKey key(some_text(random, 20), some_text(random, 300), some_text(random, 20));
    const std::string record = encode_record(key, snapshot);
    auto decoded = decode_record(record, key);
    ASSERT_TRUE(decoded.has_value()) << i << ": " << label(decoded.error());
    ASSERT_EQ(*decoded, snapshot) << i;
    ASSERT_EQ(encode_record(key, *decoded), record) << i;
  }
}

TEST(SnapshotCodec, GivesBackTheLargestUids) {
  Snapshot snapshot;
  snapshot.uidvalidity = snapshot.uidnext = UINT32_MAX;
  snapshot.append(UINT32_MAX, UINT64_MAX);
  auto decoded = decode_record(encode_record(kKey, snapshot), kKey);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, snapshot);
}

class DamagedRecord : public testing::Test {
 protected:
  DamagedRecord() : snapshot_(snapshot_of(20)) {
    snapshot_.set_size(3, UINT64_MAX);
    snapshot_.id_template = "%{guid}";
    for (int i = 0; i < 20; ++i) snapshot_.ids().append("id" + std::to_string(i));
    record_ = encode_record(kKey, snapshot_);
  }
  Snapshot snapshot_;
  std::string record_;
};

TEST_F(DamagedRecord, IsRefusedAtEveryLength) {
  ASSERT_EQ(damage(record_), "");
  for (std::size_t size = 0; size < record_.size(); ++size) {
    EXPECT_NE(damage(record_.substr(0, size)), "") << size;
    EXPECT_NE(damage(record_.substr(record_.size() - size)), "") << size;
  }
  EXPECT_NE(damage(record_ + '\0'), "");
  EXPECT_NE(damage(record_ + record_), "");
}

TEST_F(DamagedRecord, IsRefusedWithAnyBitFlipped) {
  for (std::size_t bit = 0; bit < record_.size() * 8; ++bit) {
    std::string flipped = record_;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(damage(flipped), "") << bit;
  }
}

TEST_F(DamagedRecord, IsRefusedUnderAnotherKey) {
  for (const MailboxKey& key :
       {MailboxKey("other", "alice", "INBOX"), MailboxKey("main", "alic", "INBOX"),
        MailboxKey("main", "alice", "INBOX2"), MailboxKey("mainalice", "", "INBOX")}) {
    EXPECT_EQ(damage(record_, key), "another mailbox's");
  }
}

TEST_F(DamagedRecord, IsRefusedFromAnotherVersion) {
  std::string other = record_.substr(0, record_.size() - 16);
  other[0] = 2;
  seal_record(other);
  EXPECT_EQ(damage(other), "another version");
}

TEST_F(DamagedRecord, IsRefusedWhenItIsTooLarge) {
  EXPECT_EQ(damage(std::string(kMaxRecord + 1, '\1')), "too large");
  EXPECT_EQ(damage(std::string(kMaxRecord, '\1')), "wrong checksum");
}

/// Bodies behind the key, with a checksum that is right.
TEST(SnapshotCodec, RefusesWhatIsWholeAndNoSnapshot) {
  using namespace std::string_literals;
  const struct {
    const char* what;
    std::string body;
    bool is_snapshot;
  } cases[] = {
      {"an empty mailbox", "\x07\x01\x00\x00\x00"s, true},
      {"one message", "\x07\x09\x00\x01\x00\x08\x05"s, true},
      {"one with an id", "\x07\x09\x00\x01\x01\x08\x05\x02xy"s, true},
      {"nothing", ""s, false},
      {"uidvalidity above 32 bits", "\x80\x80\x80\x80\x10\x01\x00\x00\x00"s, false},
      {"zeros in front of a number", "\x87\x00\x01\x00\x00\x00"s, false},
      {"more than 64 bits", "\x07\x09\x00\x01\x00\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"s, false},
      {"a number without end", "\x07\x09\x00\x01\x00\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s,
       false},
      {"a template longer than the record", "\x07\x09\x7F\x00\x00"s, false},
      {"more messages than can be there", "\x07\x09\x00\x02\x00\x08\x05"s, false},
      {"messages without end", "\x07\x09\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x00\x08\x05"s, false},
      {"a UID of 0", "\x07\x09\x00\x01\x00\x00\x05"s, false},
      {"a UID twice", "\x07\x09\x00\x02\x00\x08\x05\x00\x05"s, false},
      {"a UID above 32 bits", "\x07\x09\x00\x02\x00\xFF\xFF\xFF\xFF\x0F\x05\x01\x05"s, false},
      {"other ids than messages", "\x07\x09\x00\x01\x02\x08\x05\x01x\x01y"s, false},
      {"ids without messages", "\x07\x09\x00\x00\x01\x01x"s, false},
      {"an id longer than the record", "\x07\x09\x00\x01\x01\x08\x05\x7Fxy"s, false},
      {"something behind the end", "\x07\x09\x00\x01\x00\x08\x05\x00"s, false},
  };
  for (const auto& row : cases) {
    std::string record = "\x01\x04main\x05"s + "alice\x05INBOX"s + row.body;
    seal_record(record);
    EXPECT_EQ(damage(record), row.is_snapshot ? "" : "malformed") << row.what;
  }
}

TEST(SnapshotCodec, AMillionMessagesFitFourMegabytes) {
  Snapshot snapshot;
  snapshot.reserve(1'000'000);
  for (std::uint32_t i = 0; i < 1'000'000; ++i) snapshot.append(3 * i + 1, 2'000 + i * 7919u % 90'000);
  const std::string record = encode_record(kKey, snapshot);
  EXPECT_LT(record.size(), 4'200'000u);
  auto decoded = decode_record(record, kKey);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, snapshot);
}

}  // namespace
}  // namespace postern::store
