#include <gtest/gtest.h>

#include "unit/tls/ends.hpp"

namespace postern::tls {
namespace {

using test::Ending;
using test::Side;

constexpr std::size_t kCloseNotify = 24;  // an encrypted alert of TLS 1.3: 5 + 2 + 1 + 16 octets

class Closing : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(ends_.shake_hands()); }
  test::Direction& to_client() { return ends_.link.from(Side::b); }

  Ends ends_;
};

TEST_F(Closing, ShutdownSendsCloseNotifyThenFin) {
  write_all(*ends_.server, "+OK bye\r\n");
  const std::size_t before = to_client().sent().size();
  EXPECT_TRUE(ends_.server->try_shutdown().ok());
  EXPECT_EQ(to_client().sent().size() - before, kCloseNotify);
  EXPECT_EQ(to_client().ending(), Ending::eof);
  IoResult last;
  EXPECT_EQ(read_all(*ends_.client, &last), "+OK bye\r\n");
  EXPECT_EQ(last.status, IoStatus::eof);
}

TEST_F(Closing, ShutdownWaitsForWhatIsStaged) {
  to_client().rules.capacity = 3;
  ASSERT_EQ(ends_.server->try_write(std::string("+OK bye\r\n")).bytes, 9U);
  EXPECT_EQ(ends_.server->try_shutdown().want, Want::write);
  EXPECT_EQ(to_client().ending(), std::nullopt);
  to_client().rules.capacity = 1000;
  const IoResult done = ends_.server->try_shutdown();
  EXPECT_EQ(done.want, Want::none);
  IoResult last;
  EXPECT_EQ(read_all(*ends_.client, &last), "+OK bye\r\n");
  EXPECT_EQ(last.status, IoStatus::eof);
  EXPECT_TRUE(ends_.server->try_shutdown().ok());  // again is harmless
}

TEST_F(Closing, ReadingGoesOnAfterOurShutdown) {
  ASSERT_TRUE(ends_.server->try_shutdown().ok());
  write_all(*ends_.client, "QUIT\r\n");
  EXPECT_EQ(read_all(*ends_.server), "QUIT\r\n");
  EXPECT_EQ(ends_.server->try_write(std::string("late")).status, IoStatus::failed);
}

TEST_F(Closing, AbortSendsNeitherCloseNotifyNorWhatIsStaged) {
  to_client().rules.capacity = 0;
  ASSERT_EQ(ends_.server->try_write(std::string("half a message")).bytes, 14U);
  to_client().rules.capacity = 1000;
  const std::size_t before = to_client().sent().size();
  ends_.server->abort();
  EXPECT_EQ(to_client().sent().size(), before);
  EXPECT_EQ(ends_.server->unsent(), 0U);
  IoResult last;
  read_all(*ends_.client, &last);
  EXPECT_EQ(last.status, IoStatus::reset);
}

TEST_F(Closing, DestructionSendsNothing) {
  const std::size_t before = to_client().sent().size();
  ends_.server.reset();
  EXPECT_EQ(to_client().sent().size(), before);
  IoResult last;
  read_all(*ends_.client, &last);
  EXPECT_EQ(last.status, IoStatus::reset);
  EXPECT_EQ(ends_.client->failure(), "the connection ended without close_notify");
}

TEST_F(Closing, EndsAreFinal) {
  ends_.server->try_shutdown();
  std::array<char, 10> buffer;
  EXPECT_EQ(ends_.client->try_read(buffer).status, IoStatus::eof);
  EXPECT_EQ(ends_.client->try_read(buffer).status, IoStatus::eof);
}

TEST_F(Closing, AReplyMayStillBeWrittenAfterThePeersCloseNotify) {
  write_all(*ends_.client, "QUIT\r\n");
  ASSERT_TRUE(ends_.client->try_shutdown().ok());
  IoResult last;
  EXPECT_EQ(read_all(*ends_.server, &last), "QUIT\r\n");
  EXPECT_EQ(last.status, IoStatus::eof);
  EXPECT_EQ(ends_.server->try_write(std::string("+OK bye\r\n")).bytes, 9U);
  EXPECT_TRUE(ends_.server->try_shutdown().ok());
  EXPECT_EQ(read_all(*ends_.client, &last), "+OK bye\r\n");
  EXPECT_EQ(last.status, IoStatus::eof);
}

TEST_F(Closing, AReplyMayStillBeWrittenAfterFinWithoutCloseNotify) {
  write_all(*ends_.client, "QUIT\r\n");
  ends_.link.from(Side::a).cut_after(ends_.link.from(Side::a).sent().size(), Ending::eof);
  std::array<char, 100> buffer;
  EXPECT_EQ(ends_.server->try_read(buffer).bytes, 6U);
  EXPECT_EQ(ends_.server->try_read(buffer).status, IoStatus::reset);
  EXPECT_EQ(ends_.server->try_write(std::string("+OK bye\r\n")).bytes, 9U);
  EXPECT_EQ(read_all(*ends_.client), "+OK bye\r\n");
}

TEST_F(Closing, AWriteErrorDoesNotHideWhatCanStillBeRead) {
  write_all(*ends_.client, "QUIT\r\n");
  to_client().cut_after(to_client().sent().size(), Ending::reset);
  EXPECT_EQ(ends_.server->try_write(std::string("+OK\r\n")).status, IoStatus::reset);
  EXPECT_EQ(ends_.server->try_write(std::string("+OK\r\n")).status, IoStatus::reset);
  IoResult last;
  EXPECT_EQ(read_all(*ends_.server, &last), "QUIT\r\n");
  EXPECT_EQ(last.status, IoStatus::reset);
  EXPECT_EQ(ends_.server->failure(), "connection reset");
}

/// What the server sees of a client that says QUIT and ends in an orderly way, when the connection is cut
/// after so many octets of the client's.
struct Seen {
  std::string text;
  IoResult last;
  std::string failure;
  std::size_t octets = 0;  ///< of the client's
};

Seen run_short_session(ClientContext& client, ServerContext& server, std::optional<std::size_t> cut,
                       Ending ending) {
  Ends ends(client, server);
  if (cut) ends.link.from(Side::a).cut_after(*cut, ending);
  Seen seen;
  if (ends.shake_hands()) {
    write_all(*ends.client, "QUIT\r\n");
    ends.client->try_shutdown();
    seen.text = read_all(*ends.server, &seen.last);
  } else {
    seen.last = ends.server_result;
  }
  seen.failure = ends.server->failure();
  seen.octets = ends.link.from(Side::a).sent().size();
  return seen;
}

TEST(Truncation, AtEveryOctetIsAResetAndNeverAnOrderlyEnd) {
  const auto server = make_server();
  const auto client = make_client();
  const Seen whole = run_short_session(*client, *server, std::nullopt, Ending::eof);
  ASSERT_EQ(whole.text, "QUIT\r\n");
  ASSERT_EQ(whole.last.status, IoStatus::eof);
  for (const Ending ending : {Ending::eof, Ending::reset}) {
    for (std::size_t cut = 0; cut < whole.octets; ++cut) {
      const Seen seen = run_short_session(*client, *server, cut, ending);
      ASSERT_EQ(seen.last.status, IoStatus::reset) << "after octet " << cut << ": " << seen.failure;
      ASSERT_NE(seen.failure, "");
      ASSERT_EQ(seen.text, cut + kCloseNotify < whole.octets ? "" : "QUIT\r\n") << "after octet " << cut;
    }
  }
  EXPECT_EQ(run_short_session(*client, *server, whole.octets, Ending::eof).last.status, IoStatus::eof);
}

}  // namespace
}  // namespace postern::tls
