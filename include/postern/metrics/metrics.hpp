#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/clock.hpp"
#include "postern/base/failure.hpp"

/// Typed metrics: cells that one loop writes without a lock, summed over the loops when somebody scrapes. The
/// names, labels and help texts stand in src/metrics/families.cpp and docs/metrics.md. The only place that
/// sees prometheus-cpp.
namespace postern::metrics {

/// Written by one thread, read by any: no read-modify-write, no lock.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void add(std::int64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::int64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Counts a thing that exists: +1 when it is made, -1 when it goes. Holds the block of cells alive.
template <class Block>
class Held {
 public:
  Held() = default;
  Held(std::shared_ptr<Block> block, Gauge Block::* gauge) : block_(std::move(block)), gauge_(gauge) {
    ((*block_).*gauge_).add(1);
  }
  Held(Held&& other) noexcept : block_(std::move(other.block_)), gauge_(other.gauge_) {}
  Held& operator=(Held&& other) noexcept {
    if (this != &other) {
      release();
      block_ = std::move(other.block_);
      gauge_ = other.gauge_;
    }
    return *this;
  }
  ~Held() { release(); }
  void release() noexcept {
    if (block_) ((*block_).*gauge_).add(-1);
    block_.reset();
  }

 private:
  std::shared_ptr<Block> block_;
  Gauge Block::* gauge_ = nullptr;
};

/// Upper bounds in the metric's base unit; a last bucket for all above is implied.
inline constexpr std::array<double, 14> kLatencyBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                          0.25,  0.5,    1,     2.5,  5,     10,   30};
inline constexpr std::array<double, 7> kSessionBounds = {1, 5, 15, 60, 300, 900, 3600};
inline constexpr std::array<double, 9> kSizeBounds = {1024,    4096,    16384,    65536,   262144,
                                                      1048576, 4194304, 16777216, 67108864};

template <std::size_t N>
class Histogram {
 public:
  explicit Histogram(const std::array<double, N>& bounds) noexcept : bounds_(bounds) {}

  void observe(double value) noexcept {
    std::size_t i = 0;
    while (i < N && value > bounds_[i]) ++i;
    buckets_[i].add();
    sum_.store(sum_.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
  }
  void observe(Duration value) noexcept { observe(std::chrono::duration<double>(value).count()); }

  std::span<const double> bounds() const noexcept { return bounds_; }
  std::span<const Counter> buckets() const noexcept { return buckets_; }  ///< N + 1, not cumulative
  double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::array<double, N>& bounds_;
  std::array<Counter, N + 1> buckets_{};
  std::atomic<double> sum_{0};
};

using Latency = Histogram<kLatencyBounds.size()>;

/// The commands that are counted; everything else is `other`. In the order of pop3::Verb.
inline constexpr std::array<std::string_view, 16> kCommands = {"capa", "stls", "auth", "user", "pass", "apop",
                                                               "quit", "stat", "list", "retr", "dele", "noop",
                                                               "rset", "top",  "uidl", "other"};
inline constexpr std::array<std::string_view, 3> kMechanisms = {"user", "plain", "login"};
inline constexpr std::array<std::string_view, 5> kTlsVersions = {"none", "TLSv1", "TLSv1.1", "TLSv1.2",
                                                                 "TLSv1.3"};
inline constexpr std::size_t kEnds =
    kFailureKinds + 1;  ///< reasons of a session's end: the failures, then `quit`
inline constexpr std::size_t kQuitEnd = kFailureKinds;

/// How far a client has come; label `state` of postern_client_sessions.
enum class ClientState : std::uint8_t { handshake, authorization, transaction, update };

/// Per listener and loop.
struct ListenerMetrics {
  Counter connections;                                  ///< accepted
  std::array<Counter, kFailureKinds> rejected;          ///< ended before a login was tried, by reason
  Gauge handshake, authorization, transaction, update;  ///< sessions now, by state
  struct Handshakes {
    std::array<Counter, kTlsVersions.size()> full, resumed;  ///< finished, by version
    Counter failed;
  } tls;
  Latency tls_handshake_duration{kLatencyBounds};
  std::array<std::array<Counter, kLoginResults>, kMechanisms.size()> logins;  ///< by mechanism and result
};

/// Per backend and loop.
struct BackendMetrics {
  Counter connections_ok;                                  ///< TCP, TLS and greeting done
  std::array<Counter, kFailureKinds> connection_failures;  ///< one for each server that failed, by reason
  Latency connect_duration{kLatencyBounds};                ///< TCP
  Latency greeting_duration{kLatencyBounds};               ///< from TCP to the greeting, TLS included
  Latency login_duration{kLatencyBounds};                  ///< from the credentials to "open"
  std::array<Counter, kLoginResults> logins;
  Gauge sessions;
  std::array<Counter, kCommands.size()> commands_ok, commands_failed;
  std::array<Latency, kCommands.size()> command_duration;
  std::array<Counter, kEnds> sessions_closed;  ///< after a login, by reason
  Histogram<kSessionBounds.size()> session_duration{kSessionBounds};
  Counter bytes_to_client, bytes_to_backend;           ///< octets, TLS not counted
  Counter messages_retr, messages_top, messages_dele;  ///< complete; dele: committed by QUIT
  Histogram<kSizeBounds.size()> message_size{kSizeBounds};
  Counter eol_repaired;  ///< bare LFs repaired in messages
  Counter truncated;     ///< messages that could not be completed: closed without terminator
  // Translation to IMAP.
  Counter snapshots_unchanged, snapshots_updated, snapshots_full;  ///< how a list of messages was got
  Counter sizes_unknown;        ///< messages that the server told no size of
  Counter size_mismatches;      ///< messages that had another size than was listed
  Counter uidvalidity_changes;  ///< mailboxes in which every message got a new UID
  Counter reconnects;           ///< connections that were made again inside a session
  Counter messages_refused;     ///< not fetched, because the connection died of them before

  BackendMetrics();
};

/// What may be wrong with the store; label `kind` of postern_store_troubles_total.
enum class StoreTrouble : std::uint8_t {
  busy,         ///< another process, or too many logins, were at it
  corrupt,      ///< the file is no database any more: it was moved aside
  damaged,      ///< one record is not what was written
  foreign,      ///< the file is somebody else's, or a newer postern's: it is left alone
  full,         ///< no room on the disk
  io,           ///< the system reports an error
  late,         ///< nothing came in time
  read_only,    ///< nothing can be written
  unavailable,  ///< the file cannot be opened, or its folder is not there
};
inline constexpr std::array<std::string_view, 9> kStoreTroubles = {
    "busy", "corrupt", "damaged", "foreign", "full", "io", "late", "read_only", "unavailable"};

/// The store, as one loop uses it.
struct StoreMetrics {
  Counter from_memory, from_file, misses;  ///< loads, by where the snapshot came from
  std::array<Counter, kStoreTroubles.size()> troubles;
  Counter writes;   ///< snapshots written to the file
  Counter dropped;  ///< snapshots that were to be written and were not
};

/// Per loop.
struct LoopMetrics {
  Latency lag{kLatencyBounds};  ///< how late a timer of one second fired
  Gauge buffered_bytes;         ///< in leased chunks
  Counter accept_errors;        ///< accept(2) failed, EMFILE among them
  StoreMetrics store;
};

/// Of the process; written by the supervisor's thread.
struct ProcessMetrics {
  Gauge config_last_reload_successful;
  Gauge config_last_reload_success_timestamp_seconds;
  Gauge draining;
  Gauge sessions_limit;
};

struct BuildInfo {
  std::string version, openssl, libuv;
};

struct CertificateExpiry {
  std::string profile, name;  ///< the certificate's first name
  WallTime not_after;
};

/// Makes and finds the blocks of cells and writes them out. Blocks of a backend or listener that the
/// configuration no longer has stay visible until their last holder is gone. Safe on any thread; a block
/// belongs to the loop it was made for.
class Registry {
 public:
  Registry(unsigned loops, BuildInfo build);
  ~Registry();

  unsigned loops() const noexcept { return static_cast<unsigned>(loop_metrics_.size()); }
  std::shared_ptr<ListenerMetrics> listener(unsigned loop, const std::string& name);
  std::shared_ptr<BackendMetrics> backend(unsigned loop, const std::string& name);
  LoopMetrics& loop(unsigned loop) noexcept { return *loop_metrics_[loop]; }
  ProcessMetrics& process() noexcept { return process_; }

  /// Which listeners and backends the configuration has now; what else has a series loses it once nobody
  /// holds its block.
  void set_current(std::vector<std::string> listeners, std::vector<std::string> backends);
  void set_certificates(std::vector<CertificateExpiry> certificates);
  /// Read at each scrape.
  void set_log_dropped(std::function<std::uint64_t()> read);

  /// The exposition, Prometheus text format 0.0.4; `process_*` included.
  std::string text() const;

 private:
  struct Impl;
  std::vector<std::unique_ptr<LoopMetrics>> loop_metrics_;
  ProcessMetrics process_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::metrics
