#include "metrics/families.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace postern::metrics {
namespace {

using enum FailureKind;
constexpr auto kCounter = prometheus::MetricType::Counter;
constexpr auto kGauge = prometheus::MetricType::Gauge;
constexpr auto kHistogram = prometheus::MetricType::Histogram;

// What is shown from the start, so that rate() sees the first event. Whatever else was counted is shown as
// well: these lists bound the number of series, they never hide one.

constexpr std::array kRejections = {
    throttled,      session_limit,   overload,      draining,   client_tls,   proxy_header, wrong_protocol,
    client_stalled, client_protocol, login_timeout, client_eof, client_reset, kicked,       internal};
constexpr std::array kConnectionFailures = {
    dns, connect, backend_tls, greeting, backend_timeout, backend_protocol, internal};
constexpr std::array kSessionEnds = {overload,        draining,      backend_timeout, backend_protocol,
                                     backend_lost,    update_failed, client_tls,      client_stalled,
                                     client_protocol, idle_timeout,  client_eof,      client_reset,
                                     kicked,          internal};
constexpr std::array kBackendLogins = {
    LoginResult::ok,     LoginResult::unavailable, LoginResult::temp,    LoginResult::auth_failed,
    LoginResult::in_use, LoginResult::login_delay, LoginResult::timeout, LoginResult::protocol};

template <class Value, std::size_t N>
bool contains(const std::array<Value, N>& values, std::size_t index) {
  return std::ranges::find(values, static_cast<Value>(index)) != values.end();
}

std::string_view end_reason(std::size_t index) {
  return index == kQuitEnd ? "quit" : label(static_cast<FailureKind>(index));
}

/// QUIT and the commands of the TRANSACTION state: those that have a duration at a backend.
bool is_transaction(std::size_t command) {
  constexpr std::array<std::string_view, 9> kNames = {"quit", "stat", "list", "retr", "dele",
                                                      "noop", "rset", "top",  "uidl"};
  return std::ranges::find(kNames, kCommands[command]) != kNames.end();
}

/// What a client may say to a backend's maildrop: the above, CAPA, and what nobody knows.
bool is_after_login(std::size_t command) {
  return is_transaction(command) || kCommands[command] == "capa" || kCommands[command] == "other";
}

// How the rows below read their samples.

template <class Block>
const std::vector<Owner<Block>>& owners(const View& view) {
  if constexpr (std::is_same_v<Block, LoopMetrics>) return view.loops;
  if constexpr (std::is_same_v<Block, ListenerMetrics>) return view.listeners;
  if constexpr (std::is_same_v<Block, BackendMetrics>) return view.backends;
}

template <class Block, class Read>
auto each(Read read) {
  return [read](const View& view, Samples& out) {
    for (const Owner<Block>& owner : owners<Block>(view)) read(owner, out);
  };
}

/// One cell for each owner, its name the only label.
template <class Block, class Cell>
auto each_total(Cell Block::* cell) {
  return each<Block>(
      [cell](const Owner<Block>& owner, Samples& out) { out.add({owner.name}, owner.sum(cell)); });
}

/// A series for each cell of an array that is expected or was counted. `name` tells the second label's value.
template <class Block, std::size_t N, class Name, class Expected>
void add_array(const Owner<Block>& owner, std::array<Counter, N> Block::* cells, Name name, Expected expected,
               Samples& out) {
  for (std::size_t i = 0; i < N; ++i) {
    const double total = owner.sum([&](const Block& block) -> const Counter& { return (block.*cells)[i]; });
    if (total > 0 || expected(i)) out.add({owner.name, name(i)}, total);
  }
}

void add_rejections(const Owner<ListenerMetrics>& of, Samples& out) {
  add_array(
      of, &ListenerMetrics::rejected, end_reason, [](std::size_t i) { return contains(kRejections, i); },
      out);
}

void add_client_sessions(const Owner<ListenerMetrics>& of, Samples& out) {
  out.add({of.name, "handshake"}, of.sum(&ListenerMetrics::handshake));
  out.add({of.name, "authorization"}, of.sum(&ListenerMetrics::authorization));
  out.add({of.name, "transaction"}, of.sum(&ListenerMetrics::transaction));
  out.add({of.name, "update"}, of.sum(&ListenerMetrics::update));
}

void add_tls_handshakes(const Owner<ListenerMetrics>& of, Samples& out) {
  for (std::size_t i = 0; i < kTlsVersions.size(); ++i) {
    const double full = of.sum([i](const ListenerMetrics& m) -> const Counter& { return m.tls.full[i]; });
    const double resumed =
        of.sum([i](const ListenerMetrics& m) -> const Counter& { return m.tls.resumed[i]; });
    const bool expected = kTlsVersions[i] != "none";
    if (full > 0 || expected) out.add({of.name, kTlsVersions[i], "false", "ok"}, full);
    if (resumed > 0 || expected) out.add({of.name, kTlsVersions[i], "true", "ok"}, resumed);
  }
  const double failed = of.sum([](const ListenerMetrics& m) -> const Counter& { return m.tls.failed; });
  out.add({of.name, "none", "false", "failed"}, failed);
}

void add_auth_attempts(const Owner<ListenerMetrics>& of, Samples& out) {
  for (std::size_t m = 0; m < kMechanisms.size(); ++m) {
    for (std::size_t r = 0; r < kLoginResults; ++r) {
      const double total =
          of.sum([m, r](const ListenerMetrics& b) -> const Counter& { return b.logins[m][r]; });
      out.add({of.name, kMechanisms[m], label(static_cast<LoginResult>(r))}, total);
    }
  }
}

void add_connections(const Owner<BackendMetrics>& of, Samples& out) {
  out.add({of.name, "ok"}, of.sum(&BackendMetrics::connections_ok));
  add_array(
      of, &BackendMetrics::connection_failures, end_reason,
      [](std::size_t i) { return contains(kConnectionFailures, i); }, out);
}

void add_logins(const Owner<BackendMetrics>& of, Samples& out) {
  add_array(
      of, &BackendMetrics::logins, [](std::size_t i) { return label(static_cast<LoginResult>(i)); },
      [](std::size_t i) { return contains(kBackendLogins, i); }, out);
}

void add_commands(const Owner<BackendMetrics>& of, Samples& out) {
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    const double ok = of.sum([i](const BackendMetrics& m) -> const Counter& { return m.commands_ok[i]; });
    const double failed =
        of.sum([i](const BackendMetrics& m) -> const Counter& { return m.commands_failed[i]; });
    if (ok > 0 || is_after_login(i)) out.add({of.name, kCommands[i], "ok"}, ok);
    if (failed > 0 || is_after_login(i)) out.add({of.name, kCommands[i], "err"}, failed);
  }
}

void add_command_durations(const Owner<BackendMetrics>& of, Samples& out) {
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    if (!is_transaction(i)) continue;
    out.add({of.name, kCommands[i]},
            of.sum([i](const BackendMetrics& m) -> const Latency& { return m.command_duration[i]; }));
  }
}

void add_session_ends(const Owner<BackendMetrics>& of, Samples& out) {
  add_array(
      of, &BackendMetrics::sessions_closed, end_reason,
      [](std::size_t i) { return i == kQuitEnd || contains(kSessionEnds, i); }, out);
}

void add_bytes(const Owner<BackendMetrics>& of, Samples& out) {
  out.add({of.name, "to_client"}, of.sum(&BackendMetrics::bytes_to_client));
  out.add({of.name, "to_backend"}, of.sum(&BackendMetrics::bytes_to_backend));
}

void add_messages(const Owner<BackendMetrics>& of, Samples& out) {
  out.add({of.name, "retr"}, of.sum(&BackendMetrics::messages_retr));
  out.add({of.name, "top"}, of.sum(&BackendMetrics::messages_top));
  out.add({of.name, "dele"}, of.sum(&BackendMetrics::messages_dele));
}

void add_snapshots(const Owner<BackendMetrics>& of, Samples& out) {
  out.add({of.name, "unchanged"}, of.sum(&BackendMetrics::snapshots_unchanged));
  out.add({of.name, "updated"}, of.sum(&BackendMetrics::snapshots_updated));
  out.add({of.name, "full"}, of.sum(&BackendMetrics::snapshots_full));
}

/// Of the process: which loop asked the store tells nothing.
double store_total(const View& view, Counter StoreMetrics::* cell) {
  double total = 0;
  for (const Owner<LoopMetrics>& loop : view.loops) {
    total += loop.sum([cell](const LoopMetrics& m) -> const Counter& { return m.store.*cell; });
  }
  return total;
}

auto store_counter(Counter StoreMetrics::* cell) {
  return [cell](const View& view, Samples& out) { out.add({}, store_total(view, cell)); };
}

void add_store_loads(const View& view, Samples& out) {
  out.add({"memory"}, store_total(view, &StoreMetrics::from_memory));
  out.add({"file"}, store_total(view, &StoreMetrics::from_file));
  out.add({"miss"}, store_total(view, &StoreMetrics::misses));
}

void add_store_troubles(const View& view, Samples& out) {
  for (std::size_t i = 0; i < kStoreTroubles.size(); ++i) {
    double total = 0;
    for (const Owner<LoopMetrics>& loop : view.loops) {
      total += loop.sum([i](const LoopMetrics& m) -> const Counter& { return m.store.troubles[i]; });
    }
    out.add({kStoreTroubles[i]}, total);
  }
}

void add_certificates(const View& view, Samples& out) {
  for (const CertificateExpiry& certificate : view.certificates) {
    const auto since_epoch =
        std::chrono::floor<std::chrono::seconds>(certificate.not_after.time_since_epoch());
    out.add({certificate.profile, certificate.name}, static_cast<double>(since_epoch.count()));
  }
}

void add_build(const View& view, Samples& out) {
  out.add({view.build.version, view.build.openssl, view.build.libuv}, 1);
}

auto process_gauge(Gauge ProcessMetrics::* gauge) {
  return [gauge](const View& view, Samples& out) {
    out.add({}, static_cast<double>((view.process.*gauge).value()));
  };
}

auto usage(std::optional<double> ProcessUsage::* value) {
  return [value](const View& view, Samples& out) {
    if (view.usage.*value) out.add({}, *(view.usage.*value));
  };
}

std::vector<Family> process_families() {
  return {
      {"postern_build_info",
       kGauge,
       {"version", "openssl", "libuv"},
       "Always 1; the labels tell what runs.",
       add_build},
      {"process_start_time_seconds",
       kGauge,
       {},
       "When the process started, in seconds since 1970.",
       usage(&ProcessUsage::start_time_seconds)},
      {"process_cpu_seconds_total",
       kCounter,
       {},
       "CPU time spent, user and system.",
       usage(&ProcessUsage::cpu_seconds)},
      {"process_resident_memory_bytes", kGauge, {}, "Memory in RAM.", usage(&ProcessUsage::resident_bytes)},
      {"process_open_fds", kGauge, {}, "Open file descriptors.", usage(&ProcessUsage::open_fds)},
      {"process_max_fds", kGauge, {}, "Limit of open file descriptors.", usage(&ProcessUsage::max_fds)},
      {"postern_config_last_reload_successful",
       kGauge,
       {},
       "Whether the last load of the configuration succeeded.",
       process_gauge(&ProcessMetrics::config_last_reload_successful)},
      {"postern_config_last_reload_success_timestamp_seconds",
       kGauge,
       {},
       "When a configuration was last loaded with success, in seconds since 1970.",
       process_gauge(&ProcessMetrics::config_last_reload_success_timestamp_seconds)},
      {"postern_draining",
       kGauge,
       {},
       "Whether the process is ending and takes no new sessions.",
       process_gauge(&ProcessMetrics::draining)},
      {"postern_client_sessions_limit",
       kGauge,
       {},
       "Client sessions the process admits.",
       process_gauge(&ProcessMetrics::sessions_limit)},
      {"postern_tls_certificate_not_after_timestamp_seconds",
       kGauge,
       {"profile", "name"},
       "When a certificate in use expires, in seconds since 1970.",
       add_certificates},
      {"postern_log_dropped_total",
       kCounter,
       {},
       "Log lines lost because the log's target did not take them.",
       [](const View& view, Samples& out) { out.add({}, static_cast<double>(view.log_dropped)); }},
      {"postern_loop_lag_seconds",
       kHistogram,
       {"loop"},
       "How late a timer of one second fired on an event loop.",
       each_total(&LoopMetrics::lag)},
      {"postern_buffered_bytes",
       kGauge,
       {"loop"},
       "Memory leased for octets on their way.",
       each_total(&LoopMetrics::buffered_bytes)},
      {"postern_accept_errors_total",
       kCounter,
       {"loop"},
       "Connections that could not be accepted by the system.",
       each_total(&LoopMetrics::accept_errors)},
  };
}

std::vector<Family> store_families() {
  return {
      {"postern_store_loads_total",
       kCounter,
       {"result"},
       "Snapshots of mailboxes that logins asked the store for.",
       add_store_loads},
      {"postern_store_writes_total",
       kCounter,
       {},
       "Snapshots written to the store's file.",
       store_counter(&StoreMetrics::writes)},
      {"postern_store_dropped_total",
       kCounter,
       {},
       "Snapshots that were to be written to the store's file and were not.",
       store_counter(&StoreMetrics::dropped)},
      {"postern_store_troubles_total",
       kCounter,
       {"kind"},
       "What went wrong in the store. Each costs a login time and no more.",
       add_store_troubles},
  };
}

std::vector<Family> listener_families() {
  return {
      {"postern_listener_connections_total",
       kCounter,
       {"listener"},
       "Connections accepted.",
       each_total(&ListenerMetrics::connections)},
      {"postern_listener_rejected_total",
       kCounter,
       {"listener", "reason"},
       "Connections that ended before a login was tried.",
       each<ListenerMetrics>(add_rejections)},
      {"postern_client_sessions",
       kGauge,
       {"listener", "state"},
       "Client sessions now.",
       each<ListenerMetrics>(add_client_sessions)},
      {"postern_tls_handshakes_total",
       kCounter,
       {"listener", "version", "resumed", "result"},
       "TLS handshakes with clients.",
       each<ListenerMetrics>(add_tls_handshakes)},
      {"postern_tls_handshake_duration_seconds",
       kHistogram,
       {"listener"},
       "Duration of TLS handshakes with clients that succeeded.",
       each_total(&ListenerMetrics::tls_handshake_duration)},
      {"postern_auth_attempts_total",
       kCounter,
       {"listener", "mech", "result"},
       "Logins that clients tried.",
       each<ListenerMetrics>(add_auth_attempts)},
  };
}

std::vector<Family> backend_families() {
  return {
      {"postern_backend_connections_total",
       kCounter,
       {"backend", "result"},
       "Connections to servers of a backend, up to their greeting.",
       each<BackendMetrics>(add_connections)},
      {"postern_backend_connect_duration_seconds",
       kHistogram,
       {"backend"},
       "Duration of TCP connects to servers of a backend.",
       each_total(&BackendMetrics::connect_duration)},
      {"postern_backend_greeting_duration_seconds",
       kHistogram,
       {"backend"},
       "From the TCP connection to the greeting, TLS included.",
       each_total(&BackendMetrics::greeting_duration)},
      {"postern_backend_login_duration_seconds",
       kHistogram,
       {"backend"},
       "From sending the credentials to an open maildrop.",
       each_total(&BackendMetrics::login_duration)},
      {"postern_backend_logins_total",
       kCounter,
       {"backend", "result"},
       "Logins at a backend.",
       each<BackendMetrics>(add_logins)},
      {"postern_backend_sessions",
       kGauge,
       {"backend"},
       "Sessions that are logged in at a backend now.",
       each_total(&BackendMetrics::sessions)},
      {"postern_commands_total",
       kCounter,
       {"backend", "command", "result"},
       "Commands of logged in clients.",
       each<BackendMetrics>(add_commands)},
      {"postern_command_duration_seconds",
       kHistogram,
       {"backend", "command"},
       "From a command to the end of its answer.",
       each<BackendMetrics>(add_command_durations)},
      {"postern_sessions_closed_total",
       kCounter,
       {"backend", "reason"},
       "Sessions that ended after a login.",
       each<BackendMetrics>(add_session_ends)},
      {"postern_session_duration_seconds",
       kHistogram,
       {"backend"},
       "Duration of sessions that had logged in.",
       each_total(&BackendMetrics::session_duration)},
      {"postern_backend_bytes_total",
       kCounter,
       {"backend", "direction"},
       "Octets of POP3 or IMAP exchanged with servers in sessions that logged in, TLS not counted.",
       each<BackendMetrics>(add_bytes)},
      {"postern_messages_total",
       kCounter,
       {"backend", "op"},
       "Messages delivered whole by RETR or TOP, or removed by QUIT.",
       each<BackendMetrics>(add_messages)},
      {"postern_message_size_bytes",
       kHistogram,
       {"backend"},
       "Size of messages delivered whole by RETR.",
       each_total(&BackendMetrics::message_size)},
      {"postern_eol_repaired_total",
       kCounter,
       {"backend"},
       "Bare line feeds in messages that were made CRLF.",
       each_total(&BackendMetrics::eol_repaired)},
      {"postern_messages_truncated_total",
       kCounter,
       {"backend"},
       "Messages that broke off: the connection was closed without a terminator.",
       each_total(&BackendMetrics::truncated)},
  };
}

std::vector<Family> translation_families() {
  return {
      {"postern_snapshots_total",
       kCounter,
       {"backend", "result"},
       "Lists of messages that logins at IMAP servers got, by what had to be fetched for them.",
       each<BackendMetrics>(add_snapshots)},
      {"postern_uidvalidity_changes_total",
       kCounter,
       {"backend"},
       "Mailboxes of IMAP servers in which every message got a new UID.",
       each_total(&BackendMetrics::uidvalidity_changes)},
      {"postern_message_sizes_unknown_total",
       kCounter,
       {"backend"},
       "Messages that an IMAP server told no size of.",
       each_total(&BackendMetrics::sizes_unknown)},
      {"postern_message_size_mismatches_total",
       kCounter,
       {"backend"},
       "Messages of IMAP servers that had another size than was listed.",
       each_total(&BackendMetrics::size_mismatches)},
      {"postern_backend_reconnects_total",
       kCounter,
       {"backend"},
       "Connections to IMAP servers that were made again inside a session.",
       each_total(&BackendMetrics::reconnects)},
      {"postern_messages_refused_total",
       kCounter,
       {"backend"},
       "RETR and TOP refused because the connection to the IMAP server died of that message before.",
       each_total(&BackendMetrics::messages_refused)},
  };
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> table = [] {
    std::vector<Family> all = process_families();
    for (auto part : {store_families, listener_families, backend_families, translation_families}) {
      for (Family& family : part()) all.push_back(std::move(family));
    }
    return all;
  }();
  return table;
}

}  // namespace postern::metrics
