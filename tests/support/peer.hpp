#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postern/base/transport.hpp"
#include "postern/coro/scheduler.hpp"
#include "support/memory_transport.hpp"
#include "support/test_scheduler.hpp"

namespace postern::test {

class Peer;

/// What a peer does next; called in each turn until it says that it is done.
using Step = std::function<bool(Peer&)>;
using Script = std::vector<Step>;
/// Puts TLS over a transport.
using Filter = std::function<std::unique_ptr<Transport>(std::unique_ptr<Transport>)>;

/// The end of a connection that a test plays, as a client or as a server: octets on the wire, and no code of
/// the gateway but TLS. It acts in the turns of the scheduler, by its script, then by answering lines, or at
/// once when the test calls.
class Peer final : private coro::Timer {
 public:
  /// Plays side b of the link.
  Peer(TestScheduler& scheduler, MemoryLink& link);
  ~Peer() override = default;

  void send(std::string_view octets) { output_.append(octets); }
  /// Ends in an orderly way, when all was sent.
  void close() { closing_ = true; }
  void reset();
  /// Ends when the other side has ended, as most programs do.
  void close_when_ended(bool leaves = true) { leaves_with_other_ = leaves; }
  /// Takes nothing any more, until read_on().
  void stop_reading() { reading_ = false; }
  void read_on() { reading_ = true; }
  /// TLS from here on.
  void secure(const Filter& filter);
  /// Steps to take after those that are left.
  void then(Script script);
  /// Steps to take before them.
  void first(Script script);
  /// What is done with each line, without its line end, when no step is left.
  void answer_lines(std::function<void(Peer&, std::string_view)> answer) { answer_ = std::move(answer); }
  /// What "$TAG" stands for in step::send, until the next call: an IMAP server answers with the client's tag.
  void set_tag(std::string tag) { tag_ = std::move(tag); }
  const std::string& tag() const noexcept { return tag_; }
  /// Something happened that the script did not expect: the connection is reset, and the test will fail.
  void fail(std::string problem);

  /// What came and no step has taken yet.
  std::string& input() noexcept { return input_; }
  std::string take() { return std::exchange(input_, {}); }
  /// Everything that came.
  const std::string& received() const noexcept { return received_; }
  /// How the other side ended, once everything was read.
  std::optional<IoStatus> ended() const noexcept { return ended_; }
  bool has_unsent() const noexcept { return !output_.empty(); }
  bool has_steps() const noexcept { return !script_.empty(); }
  const std::string& problem() const noexcept { return problem_; }
  /// The wire; what this peer sends is `from(Side::b)`.
  MemoryLink& link() noexcept { return link_; }

  TimePoint now() const noexcept { return scheduler_.now(); }
  /// There is a turn at that time, if nothing else happens.
  void wake_at(TimePoint when) { scheduler_.arm(*this, when); }

  /// Its part of a turn; whether anything happened.
  bool poll();

 private:
  void on_timer() override {}
  template <class Try>
  IoResult insist(Try attempt);
  bool shake_hands();
  void flush();
  void read();
  void act();
  void write();
  void finish();
  bool answer_line();

  TestScheduler& scheduler_;
  MemoryLink& link_;
  std::unique_ptr<Transport> transport_;
  std::string input_;
  std::string received_;
  std::string output_;
  std::deque<Step> script_;
  std::function<void(Peer&, std::string_view)> answer_;
  std::optional<IoStatus> ended_;
  std::string problem_;
  std::string tag_;
  bool handshaking_ = false;
  bool reading_ = true;
  bool closing_ = false;
  bool leaves_with_other_ = false;
  bool acted_ = false;
};

/// Steps.
namespace step {

/// "$TAG" is replaced, if the peer has a tag.
Step send(std::string octets);
/// Waits for exactly these octets.
Step expect(std::string octets);
/// Nothing happens for so long.
Step pause(Duration duration);
Step close();
Step reset();
/// Waits until the other side has ended.
Step expect_end();
Step secure(Filter filter);
/// Lines from now on are answered so.
Step answer(std::function<void(Peer&, std::string_view)> answer);

}  // namespace step

}  // namespace postern::test
