#include "session/command_queue.hpp"

#include <array>
#include <span>
#include <utility>

#include "postern/base/assert.hpp"

namespace postern::session {

bool is_for_maildrop(const CommandQueue::Entry& entry) noexcept {
  if (entry.error != pop3::ParseError::none) return false;
  switch (entry.command.verb) {
    case pop3::Verb::stat:
    case pop3::Verb::list:
    case pop3::Verb::retr:
    case pop3::Verb::dele:
    case pop3::Verb::noop:
    case pop3::Verb::rset:
    case pop3::Verb::top:
    case pop3::Verb::uidl:
      return true;
    default:
      return false;
  }
}

coro::Task<net::IoOutcome> CommandQueue::wait(coro::Deadline deadline) {
  for (;;) {
    parse();
    if (!empty()) co_return net::IoOutcome();
    if (too_long_) co_return net::IoError(net::Errc::too_long, "line too long");
    std::vector<Entry>().swap(entries_);  // an idle session holds nothing
    head_ = 0;
    net::IoOutcome filled = co_await reader_.fill(false, deadline);
    if (!filled) co_return filled;
  }
}

void CommandQueue::look_ahead() {
  if (entries_.size() - head_ >= kMaxCommands || barrier_ || too_long_) return;
  reader_.fill_now(kMaxOctets);
  parse();
}

CommandQueue::Entry CommandQueue::pop() {
  POSTERN_ASSERT(!empty());
  const Entry entry = entries_[head_++];
  if (empty()) {
    entries_.clear();
    head_ = 0;
    barrier_ = false;
  }
  return entry;
}

void CommandQueue::parse() {
  // A client that always has more to say never empties the queue: what was executed goes nevertheless.
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(std::exchange(head_, 0)));
  while (entries_.size() - head_ < kMaxCommands && !barrier_ && !too_long_) {
    const auto line = reader_.next_line();
    const std::size_t length = line ? line->size() : reader_.buffered().size();
    too_long_ = length > pop3::kMaxCommandLine + (line ? 0 : 1);  // without a line end a CR may have come
    if (!line || too_long_) return;
    const pop3::Parsed parsed = pop3::parse(*line);
    Entry entry;
    entry.error = parsed.error;
    entry.command.sequence = ++sequence_;
    entry.command.verb = parsed.command.verb;
    entry.command.message = parsed.command.message;
    entry.command.lines = parsed.command.lines;
    entries_.push_back(entry);
    barrier_ = parsed.command.verb == pop3::Verb::quit || parsed.command.verb == pop3::Verb::stls ||
               parsed.command.verb == pop3::Verb::auth || parsed.command.verb == pop3::Verb::pass;
  }
}

void CommandQueue::announce(maildrop::Maildrop& maildrop) const {
  if (entries_.size() - head_ < 2) return;
  std::array<maildrop::QueuedCommand, kMaxCommands> asked;
  std::size_t count = 0;
  for (std::size_t i = head_; i < entries_.size(); ++i) {
    if (is_for_maildrop(entries_[i])) asked[count++] = entries_[i].command;
  }
  maildrop.expect(std::span(asked).first(count));
}

}  // namespace postern::session
