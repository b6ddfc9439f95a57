#include "tls/ciphertext_channel.hpp"

#include <gtest/gtest.h>

#include <array>

#include "support/memory_transport.hpp"

namespace postern::tls {
namespace {

using test::Ending;
using test::Side;

class CiphertextChannelTest : public ::testing::Test {
 protected:
  int write(std::string_view octets) {
    return BIO_write(bio_.get(), octets.data(), static_cast<int>(octets.size()));
  }
  int read() {
    std::array<char, 100> buffer;
    return BIO_read(bio_.get(), buffer.data(), static_cast<int>(buffer.size()));
  }

  test::MemoryLink link_;
  std::unique_ptr<Transport> peer_ = link_.transport(Side::a);
  test::Direction& sent_ = link_.from(Side::b);
  CiphertextChannel channel_{link_.transport(Side::b)};
  BioPtr bio_ = channel_.make_bio();
};

TEST_F(CiphertextChannelTest, WritesAreStagedUntilFlushed) {
  EXPECT_EQ(write("one"), 3);
  EXPECT_EQ(write("two"), 3);
  EXPECT_EQ(sent_.sent(), "");
  EXPECT_EQ(channel_.unsent(), 6U);
  EXPECT_TRUE(channel_.flush().ok());
  EXPECT_EQ(sent_.sent(), "onetwo");
  EXPECT_EQ(sent_.write_calls(), 1U);
  EXPECT_EQ(channel_.stage().memory(), 0U);
}

TEST_F(CiphertextChannelTest, FlushTellsWhatItWaitsFor) {
  sent_.rules.capacity = 2;
  write("four");
  EXPECT_EQ(channel_.flush().want, Want::write);
  EXPECT_TRUE(channel_.is_blocked());
  EXPECT_EQ(channel_.unsent(), 2U);
  sent_.rules.capacity = 10;
  EXPECT_EQ(channel_.flush().want, Want::none);
  EXPECT_FALSE(channel_.is_blocked());
  EXPECT_EQ(sent_.sent(), "four");
}

TEST_F(CiphertextChannelTest, WriteBeyondTheLimitIsFatalAndNoRetry) {
  EXPECT_EQ(write(std::string(Stage::kLimit, 'x')), static_cast<int>(Stage::kLimit));
  EXPECT_FALSE(channel_.has_overflowed());
  EXPECT_LE(write("y"), 0);
  EXPECT_FALSE(BIO_should_retry(bio_.get()));
  EXPECT_TRUE(channel_.has_overflowed());
  EXPECT_EQ(channel_.unsent(), Stage::kLimit);
}

TEST_F(CiphertextChannelTest, ReadRetriesOnlyWhileMoreMayCome) {
  EXPECT_LE(read(), 0);
  EXPECT_TRUE(BIO_should_read(bio_.get()));
  peer_->try_write(std::string("abc"));
  EXPECT_EQ(read(), 3);
  peer_->try_shutdown();
  EXPECT_LE(read(), 0);
  EXPECT_FALSE(BIO_should_retry(bio_.get()));
  EXPECT_EQ(channel_.read_status(), IoStatus::eof);
}

TEST_F(CiphertextChannelTest, NothingIsReadAfterStop) {
  peer_->try_write(std::string("abc"));
  channel_.stop_reading();
  EXPECT_LE(read(), 0);
  EXPECT_FALSE(BIO_should_retry(bio_.get()));
}

TEST_F(CiphertextChannelTest, WritesVanishOnceTheTransportBelowIsBroken) {
  sent_.cut_after(0, Ending::reset);
  write("lost");
  EXPECT_EQ(channel_.flush().status, IoStatus::reset);
  EXPECT_EQ(channel_.write_status(), IoStatus::reset);
  EXPECT_EQ(write("also"), 4);
  EXPECT_EQ(channel_.unsent(), 0U);
  EXPECT_EQ(channel_.flush().status, IoStatus::reset);
}

}  // namespace
}  // namespace postern::tls
