#include "maildrop/relay/relay.hpp"

#include <charconv>
#include <utility>

#include "maildrop/relay/single_spaces.hpp"
#include "postern/base/ascii.hpp"
#include "postern/base/assert.hpp"
#include "postern/pop3/dot.hpp"

namespace postern::maildrop {
namespace {

/// Commands that are sent ahead stay below this, so that sending them never waits for a server that is busy
/// answering.
constexpr std::size_t kMaxAheadOctets = 8 * 1024;
constexpr std::size_t kMaxCommandOctets = 64;  // the longest canonical command: TOP with two numbers
/// A QUIT after which nothing is to be removed is not waited for any longer than this.
constexpr std::chrono::seconds kIdleQuit{5};
constexpr const char* kUnasked = "octets that nobody asked for";

QueuedCommand command(pop3::Verb verb, std::optional<std::uint32_t> message = std::nullopt,
                      std::uint64_t lines = 0) {
  QueuedCommand result;
  result.verb = verb;
  result.message = message;
  result.lines = lines;
  return result;
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out += ' ';
  out.append(digits, end);
}

std::optional<std::uint64_t> take_number(std::string_view& text) noexcept {
  const std::string_view word = ascii::take_word(text);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

/// RFC 1939 §7: one to 70 characters from 0x21 to 0x7E.
bool is_unique_id(std::string_view id) noexcept {
  if (id.empty() || id.size() > 70) return false;
  for (const char c : id) {
    if (c < 0x21 || c > 0x7E) return false;
  }
  return true;
}

Error malformed(const char* command) {
  return Error(FailureKind::backend_protocol, std::string("unexpected answer to ") + command);
}

}  // namespace

Relay::Relay(std::unique_ptr<backend::Pop3Client> client, backend::Backend& backend,
             coro::Scheduler& scheduler)
    : backend_(backend), scheduler_(scheduler), client_(std::move(client)) {}

void Relay::expect(std::span<const QueuedCommand> commands) {
  if (!client_->capabilities().pipelining) return;
  for (const QueuedCommand& queued : commands) {
    if (queued.sequence <= last_sequence_) continue;
    const std::size_t waiting = net::Stream::kGather - client_->stream().room();
    if (waiting + kMaxCommandOctets > kMaxAheadOctets) return;
    send(queued);
    ahead_.push_back(queued);
    last_sequence_ = queued.sequence;
  }
}

/// The reader gives its chunk back when it finds nothing to read. The next command would begin with the same
/// look.
void Relay::rest() {
  client_->reader().fill_now(1);
}

/// Nothing is asked for ahead but what the client has sent.
coro::Task<void> Relay::settle() {
  co_return;
}

coro::Task<Result<Stat>> Relay::stat() {
  Result<pop3::Reply> reply = co_await ask(command(pop3::Verb::stat));
  if (!reply) co_return std::move(reply).error();
  std::string_view text = reply->text;
  const auto messages = take_number(text);
  const auto octets = take_number(text);
  if (!messages || !octets || *messages > UINT32_MAX) co_return malformed("STAT");
  Stat result;
  result.messages = static_cast<std::uint32_t>(*messages);
  result.octets = *octets;
  co_return result;
}

coro::Task<Result<Bytes>> Relay::list(std::uint32_t message) {
  Result<pop3::Reply> reply = co_await ask(command(pop3::Verb::list, message));
  if (!reply) co_return std::move(reply).error();
  std::string_view text = reply->text;
  const auto number = take_number(text);
  const auto octets = take_number(text);
  if (number != message || !octets) co_return malformed("LIST");
  co_return *octets;
}

coro::Task<Result<std::string>> Relay::uidl(std::uint32_t message) {
  Result<pop3::Reply> reply = co_await ask(command(pop3::Verb::uidl, message));
  if (!reply) co_return std::move(reply).error();
  std::string_view text = reply->text;
  std::string_view rest = reply->text;
  std::string_view id = ascii::take_word(text);
  const std::string_view second = ascii::take_word(text);
  if (const auto number = take_number(rest);
      number && !second.empty()) {  // some servers leave the number out
    if (number != message) co_return malformed("UIDL");
    id = second;
  }
  if (!is_unique_id(id)) co_return malformed("UIDL");
  co_return std::string(id);
}

coro::Task<Result<void>> Relay::list(Sink& sink) {
  return stream_answer(command(pop3::Verb::list), sink);
}

coro::Task<Result<void>> Relay::uidl(Sink& sink) {
  return stream_answer(command(pop3::Verb::uidl), sink);
}

coro::Task<Result<void>> Relay::retrieve(std::uint32_t message, Sink& sink) {
  return stream_answer(command(pop3::Verb::retr, message), sink);
}

coro::Task<Result<void>> Relay::top(std::uint32_t message, std::uint64_t lines, Sink& sink) {
  return stream_answer(command(pop3::Verb::top, message, lines), sink);
}

coro::Task<Result<void>> Relay::mark_deleted(std::uint32_t message) {
  Result<void> done = co_await ask_for_ok(command(pop3::Verb::dele, message));
  if (done) ++marked_;
  co_return done;
}

coro::Task<Result<void>> Relay::reset() {
  Result<void> done = co_await ask_for_ok(command(pop3::Verb::rset));
  if (done) marked_ = 0;
  co_return done;
}

coro::Task<Result<void>> Relay::noop() {
  return ask_for_ok(command(pop3::Verb::noop));
}

coro::Task<Result<void>> Relay::commit(coro::Deadline deadline) {
  POSTERN_ASSERT(ahead_.empty());
  const coro::Deadline soon = earlier(deadline, coro::Deadline(scheduler_.now() + kIdleQuit));
  if (marked_ == 0) deadline = soon;
  const bool blind = is_out_of_step();
  send(command(pop3::Verb::quit));
  if (blind) {
    Result<void> done = co_await quit_blindly(soon);
    co_return done;
  }
  Result<pop3::Reply> reply = co_await client_->read_reply(deadline);
  if (marked_ == 0) co_return Result<void>();  // nothing to remove: whatever was said, that was done
  if (!reply) co_return Error(FailureKind::update_failed, reply.error().detail());
  if (reply->status != pop3::Status::ok) {
    co_return Error(FailureKind::update_failed, "the server said: " + std::string(reply->text));
  }
  co_return Result<void>();
}

/// QUIT to a server that has said more than it was asked: it is to remove what was marked, but none of its
/// answers can be taken for that to QUIT.
coro::Task<Result<void>> Relay::quit_blindly(coro::Deadline deadline) {
  net::LineReader& reader = client_->reader();
  net::IoOutcome flushed = co_await client_->stream().flush(deadline);
  while (flushed) {  // until the server has closed, or long enough
    reader.consume(reader.buffered().size());
    flushed = co_await reader.fill(false, deadline);
  }
  if (marked_ == 0) co_return Result<void>();
  co_return Error(FailureKind::update_failed, kUnasked);
}

/// Whether the server has said something that nothing waits for.
bool Relay::is_out_of_step() {
  client_->reader().fill_now(1);
  return !client_->reader().buffered().empty();
}

/// Sends a command, unless that was done ahead, and reads its status line.
coro::Task<Result<pop3::Reply>> Relay::ask(QueuedCommand asked) {
  if (ahead_.empty()) {
    if (is_out_of_step()) co_return Error(FailureKind::backend_protocol, kUnasked);
    send(asked);
  } else {
    // Commands are executed in the order in which they were announced.
    const QueuedCommand& next = ahead_.front();
    POSTERN_ASSERT(next.verb == asked.verb && next.message == asked.message && next.lines == asked.lines);
    ahead_.erase(ahead_.begin());
    if (ahead_.empty()) ahead_.shrink_to_fit();  // an idle session holds nothing
  }
  Result<pop3::Reply> reply = co_await client_->read_reply(patience());
  if (!reply) co_return std::move(reply).error();
  if (reply->status == pop3::Status::challenge) co_return malformed("a command");
  if (reply->status == pop3::Status::err) {
    Error refused = refusal(asked, *reply);
    const bool for_good = refused.kind() == FailureKind::command_refused;
    if (asked.verb == pop3::Verb::uidl && for_good) uidl_refused_ = true;
    co_return refused;
  }
  co_return *reply;
}

coro::Task<Result<void>> Relay::ask_for_ok(QueuedCommand asked) {
  Result<pop3::Reply> reply = co_await ask(asked);
  if (!reply) co_return std::move(reply).error();
  co_return Result<void>();
}

coro::Task<Result<void>> Relay::stream_answer(QueuedCommand asked, Sink& sink) {
  Result<pop3::Reply> reply = co_await ask(asked);
  if (!reply) co_return std::move(reply).error();
  std::optional<Bytes> size;
  if (asked.verb == pop3::Verb::retr) size = pop3::announced_octets(*reply);
  Result<void> begun = co_await sink.begin(size);
  if (!begun) co_return begun;
  Result<void> done = co_await stream_body(asked.verb, sink);
  co_return done;
}

/// Copies the answer's octets as they come, except those that could be the beginning of the terminator: they
/// stay in the reader until what follows shows what they are. So a message that is cut never ends in a line
/// end that looks complete.
coro::Task<Result<void>> Relay::stream_body(pop3::Verb verb, Sink& sink) {
  net::LineReader& reader = client_->reader();
  pop3::DotScanner scanner;
  pop3::EolRepair repair;
  SingleSpaces spaces;
  std::string repaired, spaced;  // a chunk that had to be rewritten
  std::size_t held = 0;          // octets at the front of the reader that the scanner has seen
  bool has_lines = false;        // the answer is more than the terminator's own line
  for (;;) {
    const std::string_view fresh = reader.buffered().substr(held);
    if (fresh.empty()) {
      net::IoOutcome filled = co_await reader.fill(true, patience());
      if (!filled) co_return lost(filled.error());
      continue;
    }
    const pop3::DotScanner::Found found = scanner.feed(fresh);
    const std::string_view seen = reader.buffered().substr(0, held + found.consumed);
    const std::size_t keep =
        found.complete ? std::min(seen.size(), pop3::kTerminator.size()) : scanner.held();
    std::string_view ready = seen.substr(0, seen.size() - keep);
    if (backend_.settings().eol == config::Eol::safe) ready = repair.apply(ready, found.bare_lf, repaired);
    if (verb == pop3::Verb::uidl) ready = spaces.apply(ready, spaced);
    if (!ready.empty()) {
      Result<void> written = co_await sink.write(ready);
      if (!written) co_return written;
    }
    if (found.complete) {
      has_lines = keep == pop3::kTerminator.size();
      reader.consume(seen.size());
      break;
    }
    reader.consume(seen.size() - keep);
    held = keep;
  }
  if (repair.repaired() != 0) backend_.metrics()->eol_repaired.add(repair.repaired());
  std::string_view tail;
  if (has_lines) tail = "\r\n";
  Result<void> ended = co_await sink.end(tail);
  co_return ended;
}

void Relay::send(const QueuedCommand& sent) {
  std::string line(pop3::name(sent.verb));
  if (sent.message) append_number(line, *sent.message);
  if (sent.verb == pop3::Verb::top) append_number(line, sent.lines);
  line += "\r\n";
  client_->stream().put(line);
}

coro::Deadline Relay::patience() const noexcept {
  return coro::Deadline(scheduler_.now() + backend_.settings().command_timeout);
}

/// What an -ERR in TRANSACTION means. Its text never reaches the client; its code counts only if the server
/// announced that it speaks in codes.
Error Relay::refusal(const QueuedCommand& refused, const pop3::Reply& reply) const {
  const std::string detail = "the server said: " + std::string(reply.text);
  if (client_->capabilities().resp_codes) {
    if (reply.code == "SYS/TEMP") return Error(FailureKind::message_unavailable, detail);
    if (reply.code == "SYS/PERM") return Error(FailureKind::message_unreadable, detail);
  }
  const bool no_such_command = refused.verb == pop3::Verb::top && !client_->capabilities().top;
  const bool no_such_message = refused.message && !no_such_command;
  return Error(no_such_message ? FailureKind::no_message : FailureKind::command_refused, detail);
}

Error Relay::lost(const net::IoError& error) const {
  const bool late = error.code() == net::Errc::timed_out || error.code() == net::Errc::stalled;
  return error.as(late ? FailureKind::backend_timeout : FailureKind::backend_lost, "inside a message");
}

}  // namespace postern::maildrop
