#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postern/backend/pop3_client.hpp"
#include "postern/maildrop/maildrop.hpp"

namespace postern::maildrop {

/// A mailbox at an upstream POP3 server. Commands are emitted in canonical form and answers framed by the
/// command they belong to; bodies pass untouched through the terminator scanner, one chunk of memory at a
/// time. Numbers and marks live upstream, so a lost connection is the end: there is no transparent reconnect.
class Relay final : public Maildrop {
 public:
  Relay(std::unique_ptr<backend::Pop3Client> client, backend::Backend& backend, coro::Scheduler& scheduler);

  bool has_top() const noexcept override { return client_->capabilities().top; }
  bool has_uidl() const noexcept override { return client_->capabilities().uidl && !uidl_refused_; }
  const std::string& server() const noexcept override { return client_->server(); }

  void expect(std::span<const QueuedCommand> commands) override;
  void rest() override;
  coro::Task<void> settle() override;
  coro::Task<Result<Stat>> stat() override;
  coro::Task<Result<Bytes>> list(std::uint32_t message) override;
  coro::Task<Result<std::string>> uidl(std::uint32_t message) override;
  coro::Task<Result<void>> list(Sink& sink) override;
  coro::Task<Result<void>> uidl(Sink& sink) override;
  coro::Task<Result<void>> retrieve(std::uint32_t message, Sink& sink) override;
  coro::Task<Result<void>> top(std::uint32_t message, std::uint64_t lines, Sink& sink) override;
  coro::Task<Result<void>> mark_deleted(std::uint32_t message) override;
  coro::Task<Result<void>> reset() override;
  coro::Task<Result<void>> noop() override;
  coro::Task<Result<void>> commit(coro::Deadline deadline) override;

  std::uint64_t bytes_from_backend() const noexcept override { return client_->stream().bytes_read(); }
  std::uint64_t bytes_to_backend() const noexcept override { return client_->stream().bytes_written(); }

 private:
  coro::Task<Result<pop3::Reply>> ask(QueuedCommand command);
  coro::Task<Result<void>> ask_for_ok(QueuedCommand command);
  coro::Task<Result<void>> stream_answer(QueuedCommand command, Sink& sink);
  coro::Task<Result<void>> stream_body(pop3::Verb verb, Sink& sink);
  coro::Task<Result<void>> quit_blindly(coro::Deadline deadline);
  bool is_out_of_step();
  void send(const QueuedCommand& command);
  coro::Deadline patience() const noexcept;
  Error refusal(const QueuedCommand& command, const pop3::Reply& reply) const;
  Error lost(const net::IoError& error) const;

  backend::Backend& backend_;
  coro::Scheduler& scheduler_;
  std::unique_ptr<backend::Pop3Client> client_;
  std::vector<QueuedCommand> ahead_;  // sent upstream and not yet executed here, oldest first
  std::uint64_t last_sequence_ = 0;   // of the last command that was sent ahead
  std::uint32_t marked_ = 0;          // messages that upstream has marked as deleted
  bool uidl_refused_ = false;
};

}  // namespace postern::maildrop
