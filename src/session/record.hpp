#pragma once

#include <memory>
#include <optional>
#include <string>

#include "postern/base/log.hpp"
#include "postern/base/session_id.hpp"
#include "postern/metrics/metrics.hpp"
#include "postern/session/session.hpp"
#include "session/end.hpp"

namespace postern::session {

/// The account of one session: written into the log and the metrics when the last of its owners (the session,
/// an update that outlives it) lets go.
class Record {
 public:
  Record(Environment& environment, std::shared_ptr<const Service> service, const net::Accepted& accepted);
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record();

  const SessionId& id() const noexcept { return id_; }
  const SocketAddress& peer() const noexcept { return peer_; }
  const SocketAddress& local() const noexcept { return local_; }

  void secured(const tls::Info& info);
  void tried_login() noexcept { tried_login_ = true; }
  void login_failed(std::string_view mechanism, std::string_view user, const Error& error);
  /// From now on the session counts for this backend.
  void logged_in(std::string user, std::shared_ptr<backend::Backend> backend, std::string server);
  void ended(const End& end) noexcept { end_ = end; }

  Phase phase = Phase::accept;
  std::uint64_t commands = 0;
  std::uint64_t retrieved = 0;
  std::uint64_t topped = 0;
  std::uint64_t deleted = 0;               ///< removed by UPDATE
  std::optional<std::uint64_t> uidl_hash;  ///< see Maildrop
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

  metrics::BackendMetrics* backend_metrics() const noexcept {
    return backend_ ? backend_->metrics().get() : nullptr;
  }

 private:
  std::string_view reason() const noexcept;
  bool is_noise() const noexcept;

  Environment& environment_;
  std::shared_ptr<const Service> service_;
  SessionId id_;
  SocketAddress peer_;
  SocketAddress local_;
  TimePoint begun_;
  Duration login_{};  ///< from the connection to the open mailbox; zero without a login
  std::string tls_;
  bool tried_login_ = false;
  std::string user_;
  std::shared_ptr<backend::Backend> backend_;
  std::string server_;
  metrics::Held<metrics::BackendMetrics> counts_for_backend_;
  End end_ = End(FailureKind::internal);
};

}  // namespace postern::session
