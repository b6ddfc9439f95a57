#include "postern/backend/dialer.hpp"

#include "unit/backend/backend_fixture.hpp"

namespace postern::backend {
namespace {

class DialerTest : public BackendTest {
 protected:
  DialerTest() { add_server(11); }
};

TEST_F(DialerTest, TriesTheNextServerUntilOneHasGreeted) {
  const std::pair<const char*, FailureKind> rows[] = {
      {"refuses", FailureKind::connect}, {"silent", FailureKind::connect}, {"busy", FailureKind::greeting}};
  for (const auto& [what, kind] : rows) {
    scheduler.advance(1min);  // what failed before is tried again
    const std::uint64_t before = failures(kind);
    host().way = std::string(what) == "refuses" ? Host::Way::refuses : Host::Way::accepts;
    if (std::string(what) == "silent") host().way = Host::Way::silent;
    script({step::send("-ERR busy\r\n")});
    while (failures(kind) == before) ASSERT_EQ(dial(), "") << what;
    EXPECT_EQ(client->server(), "192.0.2.11:110") << what;
    EXPECT_EQ(progress.server, "192.0.2.11:110");
  }
}

TEST_F(DialerTest, FailureOfTlsIsOneOfTheServer) {
  settings.tls.mode = config::BackendTlsMode::starttls;
  settings.tls.server_name = "mail.example";
  script({step::send("+OK\r\n"), step::expect("STLS\r\n"), step::send("-ERR\r\n")});
  store.tls = test::server_tls();
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(failures(FailureKind::backend_tls), 1U);
  EXPECT_EQ(cells->connections_ok.value(), 1U);
}

TEST_F(DialerTest, TellsOfTheLastServerWhenAllFail) {
  host().way = Host::Way::refuses;
  script({step::close()}, 11);
  EXPECT_EQ(dial(), "greeting");
  EXPECT_EQ(lines.of("backend_error").size(), 2U);
  EXPECT_EQ(test::LogLines::field(lines.of("backend_error")[0], "server"), "192.0.2.10:110");
  EXPECT_EQ(test::LogLines::field(lines.of("backend_error")[0], "reason"), "connect");
}

TEST_F(DialerTest, ServerThatFailedIsAvoided) {
  host().way = Host::Way::refuses;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(dial(), "");
  EXPECT_EQ(failures(FailureKind::connect), 1U);
}

TEST_F(DialerTest, UnknownNameIsAFailureOfTheServer) {
  settings.servers[0].host = "nowhere.example";
  EXPECT_EQ(dial(), "");
  EXPECT_EQ(failures(FailureKind::dns), 1U);
}

TEST_F(DialerTest, AddressesOfAServerShareItsTime) {
  settings.servers = {config::Server{"mail.example", 110, {}}};
  network.name("mail.example", {"192.0.2.20", "192.0.2.21", "192.0.2.11"});
  for (const int dead : {20, 21}) host(dead).way = Host::Way::silent;
  const TimePoint begun = scheduler.now();
  EXPECT_EQ(dial(), "");
  EXPECT_LT(scheduler.now() - begun, 5s);
  host(11).way = Host::Way::silent;
  const TimePoint again = scheduler.now();
  EXPECT_EQ(dial(), "connect");
  EXPECT_EQ(scheduler.now() - again, 5s);
}

TEST_F(DialerTest, CancelledScopeTriesNoOther) {
  host().way = Host::Way::silent;
  Running<Result<Client>> dialling(scheduler, dialer.dial_pop3(backend(), turn, scope, progress));
  scheduler.run_until_idle();
  scope.cancel(FailureKind::login_timeout);
  scheduler.run_until_idle();
  ASSERT_TRUE(dialling.done());
  EXPECT_EQ(word(dialling.take().error()), "login_timeout");
  EXPECT_TRUE(host(11).connections.empty());
  EXPECT_EQ(lines.of("backend_error").size(), 0U);  // not the server's fault
}

TEST_F(DialerTest, CancelledInsideTheGreetingTriesNoOther) {
  script({step::pause(5s)});
  Running<Result<Client>> dialling(scheduler, dialer.dial_pop3(backend(), turn, scope, progress));
  scheduler.run_until_idle();
  EXPECT_EQ(progress.phase, Phase::greeting);
  scope.cancel(FailureKind::kicked);
  scheduler.run_until_idle();
  ASSERT_TRUE(dialling.done());
  EXPECT_EQ(word(dialling.take().error()), "kicked");
  EXPECT_TRUE(host(11).connections.empty());
}

TEST_F(DialerTest, ObservesHowLongItTook) {
  script({step::pause(2s), step::send("+OK\r\n"), step::expect("CAPA\r\n"), step::send("-ERR\r\n")});
  EXPECT_EQ(dial(), "");
  EXPECT_DOUBLE_EQ(cells->greeting_duration.sum(), 2.0);
  EXPECT_DOUBLE_EQ(cells->connect_duration.sum(), 0.0);
}

}  // namespace
}  // namespace postern::backend
