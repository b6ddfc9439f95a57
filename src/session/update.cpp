// The UPDATE state (RFC 1939 §6): what was begun with a QUIT that was read is finished, whoever goes
// meanwhile.
#include <utility>

#include "postern/coro/event.hpp"
#include "session/session.hpp"

namespace postern::session {
namespace {

/// A client is not left without an answer for longer than this; the work goes on.
constexpr std::chrono::seconds kAnswerWithin{60};
constexpr auto kQuit = static_cast<std::size_t>(pop3::Verb::quit);

/// What the session and the job share. Whoever comes first leaves it to the other.
struct Outcome {
  std::optional<Result<void>> result;
  coro::Event* waiter = nullptr;  ///< of the session, while it waits
};

class Update final : private Member {
 public:
  Update(Environment& environment, std::unique_ptr<BackendLeg> leg, std::shared_ptr<Record> record,
         std::uint32_t marked, std::shared_ptr<Outcome> outcome)
      : environment_(environment),
        record_(std::move(record)),
        leg_(std::move(leg)),
        marked_(marked),
        outcome_(std::move(outcome)) {
    environment_.updates.add(*this);
  }
  ~Update() override { environment_.updates.remove(*this); }

  coro::Task<void> run(coro::Deadline deadline) {
    const TimePoint begun = environment_.scheduler.now();
    const std::uint64_t from = leg_->maildrop->bytes_from_backend();
    const std::uint64_t to = leg_->maildrop->bytes_to_backend();
    Result<void> done = co_await leg_->maildrop->commit(deadline);
    metrics::BackendMetrics& cells = *leg_->backend->metrics();
    (done ? cells.commands_ok : cells.commands_failed)[kQuit].add();
    cells.command_duration[kQuit].observe(environment_.scheduler.now() - begun);
    cells.bytes_to_client.add(leg_->maildrop->bytes_from_backend() - from);
    cells.bytes_to_backend.add(leg_->maildrop->bytes_to_backend() - to);
    if (done) {
      record_->deleted = marked_;
      cells.messages_dele.add(marked_);
    } else {
      report(done.error());
    }
    outcome_->result.emplace(std::move(done));
    if (outcome_->waiter != nullptr) outcome_->waiter->set();
  }

 private:
  void end(FailureKind reason) override { leg_->scope.cancel(reason); }
  void drain() override {}  // it is what a drain waits for

  void report(const Error& error) {
    LogLine(environment_.log, LogLevel::error, "update_failed", "deleted messages may not have been removed")
        .field("session", record_->id().view())
        .field("backend", leg_->backend->name())
        .field("server", leg_->maildrop->server())
        .field("marked", marked_)
        .field("reason", label(error.kind()))
        .field("detail", error.detail());
  }

  Environment& environment_;
  std::shared_ptr<Record> record_;
  std::unique_ptr<BackendLeg> leg_;
  std::uint32_t marked_;
  std::shared_ptr<Outcome> outcome_;
};

coro::Task<void> finish_update(std::unique_ptr<Update> update, coro::Deadline deadline) {
  co_await update->run(deadline);
}

}  // namespace

coro::Task<End> Session::update() {
  record_->phase = Phase::update;
  enter(&metrics::ListenerMetrics::update);
  const TimePoint now = environment_.scheduler.now();
  auto outcome = std::make_shared<Outcome>();
  coro::Event done(environment_.scheduler, scope_);
  outcome->waiter = &done;
  auto job = std::make_unique<Update>(environment_, std::move(leg_), record_, marked_, outcome);
  const coro::Deadline deadline(now + service_->config->runtime.update_timeout);
  environment_.gate.spawn(finish_update(std::move(job), deadline));
  const coro::Deadline patience(now + kAnswerWithin);
  const coro::WaitResult waited = co_await done.wait(patience);
  outcome->waiter = nullptr;
  if (waited == coro::WaitResult::cancelled) co_return End(*scope_.reason());
  const bool removed = outcome->result && outcome->result->has_value();
  if (!removed) co_return End(FailureKind::update_failed);
  client_.ok("bye");
  co_return End::quit();
}

}  // namespace postern::session
