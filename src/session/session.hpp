#pragma once

#include <memory>
#include <optional>
#include <string>

#include "postern/auth/refused_pair.hpp"
#include "postern/sasl/sasl.hpp"
#include "postern/session/session.hpp"
#include "session/client.hpp"
#include "session/command_queue.hpp"
#include "session/end.hpp"
#include "session/leg.hpp"
#include "session/record.hpp"

namespace postern::session {

/// How a client gave its password; indexes metrics::kMechanisms.
enum class LoginWay : std::uint8_t { user, plain, login };

/// One POP3 session (RFC 1939 §3): `greet`, then AUTHORIZATION, TRANSACTION, UPDATE. Each step returns
/// nothing when the session goes on, and otherwise why it ends.
class Session final : private Member {
 public:
  Session(Environment& environment, std::shared_ptr<const Service> service, net::Accepted accepted);
  ~Session() override;

  coro::Task<void> run();

 private:
  using Step = coro::Task<std::optional<End>>;

  /// Ends a login that takes too long, whatever it is waiting for.
  class LoginTimer final : public coro::Timer {
   public:
    explicit LoginTimer(Session& session) : session_(session) {}
    ~LoginTimer() override = default;
    void cancel(coro::Scheduler& scheduler) { scheduler.disarm(*this); }

   private:
    void on_timer() override { session_.end(FailureKind::login_timeout); }
    Session& session_;
  };

  void end(FailureKind reason) override;
  void drain() override;

  // session.cpp
  Step greet();
  Step secure();
  coro::Task<void> finish(const End& end);
  void say(FailureKind reason);
  void say_too_long();
  void enter(metrics::Gauge metrics::ListenerMetrics::* state);

  // authorization.cpp
  Step authorize();
  Step obey(const pop3::Command& command);
  Step start_tls();
  Step take_user(const pop3::Command& command);
  Step take_password(const pop3::Command& command);
  Step authenticate(const pop3::Command& command);
  Step log_in(LoginWay way, std::string user, Secret password);
  coro::Task<Result<void>> open_mailbox(const std::string& user, Secret password);
  std::string_view view_of(const backend::LoginName& name, const backend::Routed& routed) const;
  Step refuse(LoginWay way, const std::string& user, const Error& error, TimePoint begun);
  std::optional<End> count_bad_command();
  bool may_authenticate() const noexcept;
  void forbid(LoginWay way, std::string_view user);
  void list_capabilities();
  void list_mechanisms();

  // transaction.cpp
  Step transact();
  Step execute(const CommandQueue::Entry& entry);
  coro::Task<Result<void>> perform(const maildrop::QueuedCommand& command, ClientSink& sink);
  coro::Task<Result<void>> perform_listing(const maildrop::QueuedCommand& command, ClientSink& sink);
  void answer_here(const CommandQueue::Entry& entry);
  void account(const maildrop::QueuedCommand& command, const Result<void>& done, const ClientSink& sink);
  void tell_if_short(const ClientSink& sink);
  void account_bytes();

  // update.cpp
  coro::Task<End> update();

  Environment& environment_;
  std::shared_ptr<const Service> service_;
  std::shared_ptr<Record> record_;
  metrics::Held<metrics::ListenerMetrics> state_;
  std::shared_ptr<net::Turn> turn_;
  coro::CancelSource scope_;
  Client client_;
  LoginTimer login_timer_;
  bool secured_ = false;
  bool forbade_ = false;  // a password in plaintext

  std::optional<std::string> user_;
  auth::RefusedPair refused_pair_;
  std::uint32_t auth_failures_ = 0;
  std::uint32_t bad_commands_ = 0;

  std::unique_ptr<BackendLeg> leg_;
  CommandQueue queue_;
  std::uint32_t marked_ = 0;  // messages marked as deleted
  std::uint64_t bytes_to_client_seen_ = 0;
  std::uint64_t bytes_to_backend_seen_ = 0;
};

}  // namespace postern::session
