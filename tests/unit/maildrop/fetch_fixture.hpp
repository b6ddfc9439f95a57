#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "postern/coro/event.hpp"
#include "unit/maildrop/translation_fixture.hpp"

namespace postern::maildrop {

/// A sink that takes its time for each piece.
class Slow final : public Sink {
 public:
  Slow(coro::Scheduler& scheduler, coro::CancelSource& scope, Duration pause)
      : scheduler_(scheduler), never_(scheduler, scope), pause_(pause) {}

  coro::Task<Result<void>> begin(std::optional<Bytes>) override { co_return Result<void>(); }
  coro::Task<Result<void>> write(std::string_view wire) override {
    octets += wire.size();
    const coro::Deadline later(scheduler_.now() + pause_);
    co_await never_.wait(later);
    co_return Result<void>();
  }
  coro::Task<Result<void>> end(std::string_view tail) override {
    octets += tail.size();
    ended = true;
    co_return Result<void>();
  }

  Bytes octets = 0;
  bool ended = false;

 private:
  coro::Scheduler& scheduler_;
  coro::Event never_;
  Duration pause_;
};

/// The translation, for tests that look at how messages are fetched.
class FetchTest : public TranslationTest {
 protected:
  /// The command for whole messages, and for a part of one.
  static std::string whole(const std::string& set) { return "UID FETCH " + set + " (UID BODY.PEEK[])"; }
  static std::string part(std::uint32_t uid, Bytes from, Bytes size) {
    return "UID FETCH " + std::to_string(uid) + " (UID BODY.PEEK[]<" + std::to_string(from) + "." +
           std::to_string(size) + ">)";
  }
  /// What the server says when it is asked for that message.
  void answer(std::uint32_t uid, const std::string& text) { answer(uid, {step::send(text)}); }
  void answer(std::uint32_t uid, Script script) {
    imap.instead[whole(std::to_string(uid))] = std::move(script);
  }
  /// The same, the untagged part in two pieces with a second between them.
  void answer_in_two(std::uint32_t uid, const std::string& text, std::size_t cut) {
    answer(uid, {step::send(text.substr(0, cut)), step::pause(1s), step::send(text.substr(cut)),
                 step::send("$TAG OK done\r\n")});
  }

  /// So many small messages that tell their UID.
  void fill(std::uint32_t count, std::size_t octets = 0) {
    for (std::uint32_t uid = 1; uid <= count; ++uid) imap.deliver(small(uid, octets));
  }
  static std::string small(std::uint32_t uid, std::size_t octets = 0) {
    return "Subject: " + std::to_string(uid) + "\r\n\r\n" + std::string(octets, 'x') + "\r\n";
  }

  static QueuedCommand command(pop3::Verb verb, std::uint32_t message, std::uint64_t lines = 0) {
    QueuedCommand made;
    made.verb = verb;
    made.message = message;
    made.lines = lines;
    return made;
  }
  void expect_retr(std::initializer_list<std::uint32_t> messages) {
    std::vector<QueuedCommand> commands;
    for (const std::uint32_t message : messages) commands.push_back(command(pop3::Verb::retr, message));
    maildrop->expect(commands);
  }
  /// The session waits for its client, on another stream: what was gathered leaves.
  void wait() {
    auto [connection, peer] = network.make();
    net::Stream client(turn, scope, pool, std::move(connection), 1min);
    run(silence(client, coro::Deadline(scheduler.now() + 1ms)));
    scheduler.run_until_idle();
  }
  void settle() { run(maildrop->settle()); }
  std::string reset_marks() { return failure(run(maildrop->reset())); }
  std::string noop() { return failure(run(maildrop->noop())); }

 private:
  static coro::Task<void> silence(net::Stream& client, coro::Deadline deadline) {
    char octet = '\0';
    client.try_read(std::span(&octet, 1));
    const net::IoOutcome came = co_await client.readable(deadline);
    EXPECT_FALSE(came);
  }
};

}  // namespace postern::maildrop
