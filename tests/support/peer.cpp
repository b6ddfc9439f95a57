#include "support/peer.hpp"

#include <algorithm>
#include <utility>

namespace postern::test {
namespace {

constexpr std::size_t kReadPerTurn = 64_KiB;
constexpr std::string_view kTag = "$TAG";

std::string with_tag(std::string text, const std::string& tag) {
  if (tag.empty()) return text;
  for (std::size_t at = text.find(kTag); at != std::string::npos; at = text.find(kTag, at + tag.size())) {
    text.replace(at, kTag.size(), tag);
  }
  return text;
}

}  // namespace

Peer::Peer(TestScheduler& scheduler, MemoryLink& link)
    : scheduler_(scheduler), link_(link), transport_(link.transport(Side::b)) {}

void Peer::reset() {
  if (!transport_) return;
  transport_->abort();
  transport_.reset();
  output_.clear();
  script_.clear();
  answer_ = nullptr;
}

void Peer::secure(const Filter& filter) {
  transport_ = filter(std::move(transport_));
  handshaking_ = true;
}

void Peer::then(Script script) {
  for (Step& step : script) script_.push_back(std::move(step));
}

void Peer::first(Script script) {
  for (auto step = script.rbegin(); step != script.rend(); ++step) script_.push_front(std::move(*step));
}

void Peer::fail(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
  reset();
}

bool Peer::poll() {
  if (!transport_) return false;
  const std::size_t sent = link_.from(Side::b).sent().size();
  const std::size_t waiting = link_.from(Side::a).on_the_way();
  const bool was_over = ended_.has_value();
  acted_ = false;
  act();  // before it reads: what has come may be for TLS that it is about to begin
  if (transport_ && (!handshaking_ || shake_hands())) {
    read();
    act();
    write();
    finish();
  }
  return acted_ || sent != link_.from(Side::b).sent().size() || waiting != link_.from(Side::a).on_the_way() ||
         was_over != ended_.has_value();
}

/// A link may be told to block every other call; nobody tells a peer when it does not any more. So what
/// blocked is tried once more.
template <class Try>
IoResult Peer::insist(Try attempt) {
  IoResult result = attempt();
  if (result.ok() && result.bytes == 0 && result.want != Want::none) result = attempt();
  return result;
}

/// Whether it is over.
bool Peer::shake_hands() {
  const IoResult result = insist([this] { return transport_->try_handshake(); });
  if (!result.ok()) {
    ended_ = result.status;
    flush();
    handshaking_ = false;
    return true;
  }
  flush();
  handshaking_ = result.want != Want::none;
  return !handshaking_;
}

void Peer::read() {
  if (!reading_ || ended_) return;
  std::string buffer(kReadPerTurn, '\0');
  std::size_t room = kReadPerTurn;
  while (room != 0) {
    const IoResult result = insist([&] { return transport_->try_read(std::span(buffer).first(room)); });
    if (!result.ok()) {
      ended_ = result.status;
      return;
    }
    if (result.bytes == 0) return;
    input_.append(buffer, 0, result.bytes);
    received_.append(buffer, 0, result.bytes);
    room -= result.bytes;
  }
}

void Peer::act() {
  while (transport_ && !handshaking_) {
    if (!script_.empty()) {
      Step step = std::move(script_.front());
      script_.pop_front();
      if (!step(*this)) {
        if (transport_) script_.push_front(std::move(step));
        return;
      }
      acted_ = true;
    } else if (!answer_line()) {
      return;
    }
  }
}

bool Peer::answer_line() {
  const std::size_t lf = input_.find('\n');
  if (!answer_ || closing_ || lf == std::string::npos) return false;
  std::string line = input_.substr(0, lf);
  input_.erase(0, lf + 1);
  if (line.ends_with('\r')) line.pop_back();
  const auto answer = answer_;  // it may be replaced meanwhile
  answer(*this, line);
  acted_ = true;
  return true;
}

void Peer::write() {
  while (transport_ && !handshaking_ && !output_.empty()) {
    const IoResult result = insist([this] { return transport_->try_write(output_); });
    if (!result.ok()) output_.clear();
    if (!result.ok() || result.bytes == 0) break;
    output_.erase(0, result.bytes);
  }
  if (transport_) flush();
}

void Peer::flush() {
  insist([this] { return transport_->try_flush(); });
}

void Peer::finish() {
  if (ended_ && leaves_with_other_) closing_ = true;
  if (!transport_ || !closing_ || !output_.empty()) return;
  const IoResult result = insist([this] { return transport_->try_shutdown(); });
  if (result.ok() && result.want != Want::none) return;
  acted_ = true;
  closing_ = leaves_with_other_ = false;
  answer_ = nullptr;
}

namespace step {

Step send(std::string octets) {
  return [octets = std::move(octets)](Peer& peer) {
    peer.send(with_tag(octets, peer.tag()));
    return true;
  };
}

Step expect(std::string octets) {
  return [octets = std::move(octets)](Peer& peer) {
    std::string& input = peer.input();
    const std::size_t common = std::min(input.size(), octets.size());
    if (input.compare(0, common, octets, 0, common) != 0) {
      peer.fail("expected \"" + octets + "\", got \"" + input + "\"");
      return true;
    }
    if (common < octets.size()) return false;
    input.erase(0, common);
    return true;
  };
}

Step pause(Duration duration) {
  return [duration, until = std::optional<TimePoint>()](Peer& peer) mutable {
    if (!until) {
      until = peer.now() + duration;
      peer.wake_at(*until);
    }
    return peer.now() >= *until;
  };
}

Step close() {
  return [](Peer& peer) {
    peer.close();
    return true;
  };
}

Step reset() {
  return [](Peer& peer) {
    peer.reset();
    return true;
  };
}

Step expect_end() {
  return [](Peer& peer) { return peer.ended().has_value(); };
}

Step secure(Filter filter) {
  return [filter = std::move(filter)](Peer& peer) {
    if (peer.has_unsent()) return false;
    if (peer.input().empty()) {
      peer.secure(filter);
    } else {
      peer.fail("octets before the handshake: " + peer.take());
    }
    return true;
  };
}

Step answer(std::function<void(Peer&, std::string_view)> answer) {
  return [answer = std::move(answer)](Peer& peer) {
    peer.answer_lines(answer);
    return true;
  };
}

}  // namespace step

}  // namespace postern::test
