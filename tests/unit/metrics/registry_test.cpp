#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "postern/metrics/metrics.hpp"
#include "unit/metrics/exposition.hpp"

namespace postern::metrics {
namespace {

constexpr std::size_t index(FailureKind kind) {
  return static_cast<std::size_t>(kind);
}

class RegistryTest : public testing::Test {
 protected:
  double value(const std::string& series) const { return value_of(registry_.text(), series); }
  bool has(const std::string& series) const { return has_series(registry_.text(), series); }

  const std::string ok_ = R"(postern_backend_connections_total{backend="b",result="ok"})";
  Registry registry_{2, {"1.2.3", "3.0.13", "1.44.2"}};
};

TEST_F(RegistryTest, SumsTheBlocksOfAllLoops) {
  registry_.backend(0, "b")->connections_ok.add(3);
  registry_.backend(1, "b")->connections_ok.add(4);
  registry_.set_current({}, {"b"});
  EXPECT_EQ(value(ok_), 7);
}

TEST_F(RegistryTest, SumsHistogramsAndGauges) {
  registry_.set_current({"l"}, {});
  for (unsigned loop = 0; loop < 2; ++loop) {
    registry_.listener(loop, "l")->tls_handshake_duration.observe(0.002);
    registry_.listener(loop, "l")->tls_handshake_duration.observe(60.0);
    registry_.listener(loop, "l")->transaction.add(5);
  }
  EXPECT_EQ(value(R"(postern_client_sessions{listener="l",state="transaction"})"), 10);
  const std::string duration = "postern_tls_handshake_duration_seconds";
  EXPECT_EQ(value(duration + R"(_bucket{listener="l",le="0.001"})"), 0);
  EXPECT_EQ(value(duration + R"(_bucket{listener="l",le="0.0025"})"), 2);
  EXPECT_EQ(value(duration + R"(_bucket{listener="l",le="30"})"), 2);
  EXPECT_EQ(value(duration + R"(_bucket{listener="l",le="+Inf"})"), 4);
  EXPECT_EQ(value(duration + R"(_count{listener="l"})"), 4);
  EXPECT_DOUBLE_EQ(value(duration + R"(_sum{listener="l"})"), 120.004);
}

TEST_F(RegistryTest, GivesTheSameBlockForTheSameLoopAndName) {
  EXPECT_EQ(registry_.backend(0, "b"), registry_.backend(0, "b"));
  EXPECT_NE(registry_.backend(0, "b"), registry_.backend(1, "b"));
  EXPECT_NE(registry_.backend(0, "b"), registry_.backend(0, "c"));
  EXPECT_NE(static_cast<void*>(registry_.backend(0, "b").get()), registry_.listener(0, "b").get());
}

TEST_F(RegistryTest, ShowsSeriesOfTheConfigurationFromTheStart) {
  registry_.set_current({"pop3s"}, {"b"});
  EXPECT_EQ(value(ok_), 0);
  for (const char* series : {
           R"(postern_backend_connections_total{backend="b",result="backend_tls"})",
           R"(postern_backend_logins_total{backend="b",result="auth_failed"})",
           R"(postern_commands_total{backend="b",command="retr",result="err"})",
           R"(postern_command_duration_seconds_count{backend="b",command="uidl"})",
           R"(postern_sessions_closed_total{backend="b",reason="quit"})",
           R"(postern_sessions_closed_total{backend="b",reason="backend_lost"})",
           R"(postern_listener_rejected_total{listener="pop3s",reason="client_tls"})",
           R"(postern_tls_handshakes_total{listener="pop3s",version="TLSv1.3",resumed="true",result="ok"})",
           R"(postern_tls_handshakes_total{listener="pop3s",version="none",resumed="false",result="failed"})",
           R"(postern_auth_attempts_total{listener="pop3s",mech="plain",result="throttled"})",
           R"(postern_loop_lag_seconds_count{loop="1"})",
       }) {
    EXPECT_TRUE(has(series)) << series;
  }
}

TEST_F(RegistryTest, ShowsWhatWasNotExpectedOnceItWasCounted) {
  registry_.set_current({"l"}, {"b"});
  const std::string end = R"(postern_sessions_closed_total{backend="b",reason="login_delay"})";
  const std::string connection = R"(postern_backend_connections_total{backend="b",result="kicked"})";
  const std::string login = R"(postern_backend_logins_total{backend="b",result="refused"})";
  const std::string command = R"(postern_commands_total{backend="b",command="pass",result="err"})";
  const std::string rejected = R"(postern_listener_rejected_total{listener="l",reason="dns"})";
  const std::string tls =
      R"(postern_tls_handshakes_total{listener="l",version="none",resumed="true",result="ok"})";
  for (const std::string& series : {end, connection, login, command, rejected, tls})
    EXPECT_FALSE(has(series)) << series;
  const auto backend = registry_.backend(1, "b");
  backend->sessions_closed[index(FailureKind::login_delay)].add();
  backend->connection_failures[index(FailureKind::kicked)].add();
  backend->logins[static_cast<std::size_t>(LoginResult::refused)].add();
  backend->commands_failed[4].add();
  const auto listener = registry_.listener(0, "l");
  listener->rejected[index(FailureKind::dns)].add();
  listener->tls.resumed[0].add();
  for (const std::string& series : {end, connection, login, command, rejected, tls})
    EXPECT_EQ(value(series), 1) << series;
}

TEST_F(RegistryTest, ARemovedBackendGoesWithItsLastHolder) {
  registry_.set_current({}, {"b"});
  auto held = registry_.backend(0, "b");
  registry_.set_current({}, {});
  held->connections_ok.add();
  EXPECT_EQ(value(ok_), 1);
  held.reset();
  EXPECT_FALSE(has(ok_));
}

TEST_F(RegistryTest, ARemovedListenerGoesWithItsLastHolder) {
  const std::string series = R"(postern_listener_connections_total{listener="l"})";
  registry_.set_current({"l"}, {});
  auto held = registry_.listener(1, "l");
  registry_.set_current({}, {});
  EXPECT_TRUE(has(series));
  held.reset();
  EXPECT_FALSE(has(series));
}

TEST_F(RegistryTest, ARemovedBackendIsNotForgottenByHalves) {
  registry_.set_current({}, {"b"});
  auto first = registry_.backend(0, "b");
  auto second = registry_.backend(1, "b");
  first->connections_ok.add(5);
  second->connections_ok.add(7);
  registry_.set_current({}, {});
  first.reset();
  EXPECT_EQ(value(ok_), 12);  // 7 would be a counter that went backwards
  second.reset();
  EXPECT_FALSE(has(ok_));
}

TEST_F(RegistryTest, ABackendThatComesBackInTimeGoesOnCounting) {
  registry_.set_current({}, {"b"});
  const auto held = registry_.backend(0, "b");
  held->connections_ok.add(5);
  registry_.set_current({}, {});
  registry_.set_current({}, {"b"});
  registry_.backend(1, "b")->connections_ok.add();
  EXPECT_EQ(value(ok_), 6);
}

TEST_F(RegistryTest, ABackendOfTheConfigurationStaysWithoutHolders) {
  registry_.set_current({}, {"b"});
  registry_.backend(0, "b")->connections_ok.add(5);
  registry_.set_current({}, {"b", "c"});
  EXPECT_EQ(value(ok_), 5);
}

TEST_F(RegistryTest, ShowsTheProcess) {
  registry_.process().draining.set(1);
  registry_.process().sessions_limit.set(20'000);
  registry_.process().config_last_reload_success_timestamp_seconds.set(1'709'210'096);
  registry_.set_log_dropped([] { return std::uint64_t{42}; });
  EXPECT_EQ(value("postern_draining"), 1);
  EXPECT_EQ(value("postern_client_sessions_limit"), 20'000);
  EXPECT_EQ(value("postern_config_last_reload_success_timestamp_seconds"), 1'709'210'096);
  EXPECT_EQ(value("postern_log_dropped_total"), 42);
  EXPECT_EQ(value(R"(postern_build_info{version="1.2.3",openssl="3.0.13",libuv="1.44.2"})"), 1);
}

TEST_F(RegistryTest, ReadsProcessValuesFromTheSystem) {
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(value("process_start_time_seconds"), now, 600);
  EXPECT_GT(value("process_cpu_seconds_total"), 0);
  EXPECT_GT(value("process_resident_memory_bytes"), 1e6);
  EXPECT_GE(value("process_open_fds"), 3);
  EXPECT_LT(value("process_open_fds"), value("process_max_fds"));
}

TEST_F(RegistryTest, ShowsCertificatesInUse) {
  const WallTime early(std::chrono::seconds(1'800'000'000));
  const std::string series =
      R"(postern_tls_certificate_not_after_timestamp_seconds{profile="default",name="mail.example.net"})";
  // An RSA and an ECDSA certificate of one name are one series: whichever expires first.
  registry_.set_certificates({{"default", "mail.example.net", early + std::chrono::hours(1)},
                              {"default", "mail.example.net", early},
                              {"other", "mail.example.net", early + std::chrono::hours(2)}});
  EXPECT_EQ(value(series), 1'800'000'000);
  registry_.set_certificates({});
  EXPECT_FALSE(has(series));
}

TEST_F(RegistryTest, EscapesNames) {
  registry_.set_current({"a\"b\\c\nd"}, {});
  EXPECT_TRUE(has(R"(postern_listener_connections_total{listener="a\"b\\c\nd"})"));
}

TEST_F(RegistryTest, LoopsHaveSeriesOfTheirOwn) {
  registry_.loop(0).accept_errors.add(2);
  registry_.loop(1).buffered_bytes.set(65536);
  EXPECT_EQ(registry_.loops(), 2u);
  EXPECT_EQ(value(R"(postern_accept_errors_total{loop="0"})"), 2);
  EXPECT_EQ(value(R"(postern_accept_errors_total{loop="1"})"), 0);
  EXPECT_EQ(value(R"(postern_buffered_bytes{loop="1"})"), 65536);
}

// Two loops count and come and go while another thread scrapes and a third reloads; made for ThreadSanitizer,
// and true everywhere: no value goes backwards while its series is seen.
TEST_F(RegistryTest, ScrapesWhileLoopsWrite) {
  registry_.set_current({"l"}, {"b", "gone"});
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (unsigned loop = 0; loop < 2; ++loop) {
    threads.emplace_back([this, loop, &stop] {
      const auto listener = registry_.listener(loop, "l");
      while (!stop.load()) {
        const auto backend = registry_.backend(loop, "b");
        const Held<BackendMetrics> session(registry_.backend(loop, "gone"), &BackendMetrics::sessions);
        listener->connections.add();
        backend->connections_ok.add();
        backend->command_duration[9].observe(0.01);
        registry_.loop(loop).lag.observe(0.0001);
      }
    });
  }
  threads.emplace_back([this, &stop] {
    for (bool with = false; !stop.load(); with = !with) {
      registry_.set_current({"l"},
                            with ? std::vector<std::string>{"b", "gone"} : std::vector<std::string>{"b"});
      registry_.set_certificates({{"p", "n", WallTime()}});
      std::this_thread::yield();
    }
  });
  double connections = -1;
  double commands = -1;
  for (int scrape = 0; scrape < 50; ++scrape) {
    const std::string text = registry_.text();
    const double new_connections = value_of(text, ok_);
    const double new_commands =
        value_of(text, R"(postern_command_duration_seconds_count{backend="b",command="retr"})");
    EXPECT_GE(new_connections, connections);
    EXPECT_GE(new_commands, commands);
    connections = new_connections;
    commands = new_commands;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value(ok_), value(R"(postern_listener_connections_total{listener="l"})"));
}

}  // namespace
}  // namespace postern::metrics
