#include "maildrop/translate/bodies.hpp"

#include <algorithm>
#include <utility>

#include "postern/base/assert.hpp"

namespace postern::maildrop {
namespace {

using Step = backend::ImapClient::Step;

/// Largest body that is held in memory; a larger one is never asked for ahead.
constexpr Bytes kMaxHeld = 1024 * 1024;

constexpr const char* kWhole = "BODY.PEEK[]";
constexpr const char* kHeader = "BODY.PEEK[HEADER]";

std::string joined(std::span<const std::uint32_t> uids) {
  std::string set;
  for (const std::uint32_t uid : uids) {
    if (!set.empty()) set += ',';
    set += std::to_string(uid);
  }
  return set;
}

Error unexpected(const char* what) {
  return Error(FailureKind::backend_protocol, what);
}

}  // namespace

Bodies::~Bodies() = default;

void Bodies::ask(std::span<const std::uint32_t> uids, Bytes octets) {
  put(uids, kWhole, octets);
}

void Bodies::ask_part(std::uint32_t uid, std::string item) {
  put(std::span(&uid, 1), std::move(item), 0);
}

void Bodies::put(std::span<const std::uint32_t> uids, std::string item, Bytes octets) {
  POSTERN_ASSERT(std::none_of(uids.begin(), uids.end(), [this](std::uint32_t uid) { return is_due(uid); }));
  backend::ImapAnswer answer = link_.client().put("UID FETCH " + joined(uids) + " (UID " + item + ")");
  Asked asked{std::move(answer), {}, std::move(item), uids.size() == 1, octets};
  asked.due.assign(uids.begin(), uids.end());
  commands_.push_back(std::move(asked));
  link_.last_used = link_.scheduler().now();
}

bool Bodies::may_ask() const noexcept {
  return commands_.size() < (link_.client().quirks().one_at_a_time ? 1 : kMaxCommands);
}

coro::Task<Result<void>> Bodies::make_room() {
  while (!may_ask()) {
    Result<void> done = co_await step(coro::Deadline::never());
    if (!done) co_return done;
  }
  co_return Result<void>();
}

const Bodies::Asked* Bodies::command_for(std::uint32_t uid) const noexcept {
  const auto found = std::find_if(commands_.begin(), commands_.end(), [uid](const Asked& asked) {
    return std::find(asked.due.begin(), asked.due.end(), uid) != asked.due.end();
  });
  return found == commands_.end() ? nullptr : &*found;
}

bool Bodies::is_due(std::uint32_t uid) const noexcept {
  return command_for(uid) != nullptr;
}

std::size_t Bodies::ahead() const noexcept {
  std::size_t count = held_.size();
  for (const Asked& asked : commands_) count += asked.due.size();
  return count;
}

Bytes Bodies::octets_ahead() const noexcept {
  Bytes octets = 0;
  for (const auto& [uid, held] : held_) octets += held.octets.size();
  for (const Asked& asked : commands_) octets += asked.octets;
  return octets;
}

/// The one message that is due, if there is only one; 0 otherwise. What comes without a UID can be nobody
/// else's.
std::uint32_t Bodies::only_due() const noexcept {
  std::uint32_t only = 0;
  for (const Asked& asked : commands_) {
    for (const std::uint32_t uid : asked.due) {
      if (only != 0) return 0;
      only = uid;
    }
  }
  return only;
}

void Bodies::came(std::uint32_t uid) noexcept {
  for (Asked& asked : commands_) std::erase(asked.due, uid);
}

coro::Task<Result<Bodies::Arrived>> Bodies::await(std::uint32_t uid) {
  POSTERN_ASSERT(left_ == 0 && streaming_ == 0);
  for (;;) {
    if (const auto held = held_.find(uid); held != held_.end()) {
      Arrived arrived;
      arrived.form = Arrived::Form::held;
      arrived.size = held->second.octets.size();
      arrived.origin = held->second.origin;
      co_return arrived;
    }
    if (!again_.empty()) {
      Result<void> room = co_await make_room();
      if (!room) co_return std::move(room).error();
      put(std::span(&uid, 1), std::exchange(again_, {}), 0);
    }
    if (!is_due(uid)) {  // its command has ended without it
      if (refused_) co_return Error(FailureKind::message_unavailable, "the server refused to fetch it");
      co_return Arrived();
    }
    Result<Step> step = co_await link_.client().read(link_.patience());
    if (!step) co_return std::move(step).error();
    if (*step == Step::response) {
      std::optional<Error> wrong = on_response(uid);
      if (wrong) co_return *wrong;
    } else if (*step == Step::body) {
      Result<std::optional<Arrived>> began = co_await body_began(uid);
      if (!began) co_return std::move(began).error();
      if (*began) co_return **began;
    }
  }
}

/// A response without a body, or the end of a command. What a command did not bring is asked for again,
/// alone, when it is wanted; only then the server's word counts.
std::optional<Error> Bodies::on_response(std::uint32_t wanted) {
  const imap::Response& response = link_.client().response();
  if (response.kind == imap::ResponseKind::continuation) return unexpected("a continuation nobody waits for");
  if (response.kind != imap::ResponseKind::tagged) return std::nullopt;
  const auto ended = std::find_if(commands_.begin(), commands_.end(), [&response](const Asked& asked) {
    return asked.answer.tag == response.tag;
  });
  if (ended == commands_.end()) return std::nullopt;
  const bool lacks_wanted = std::find(ended->due.begin(), ended->due.end(), wanted) != ended->due.end();
  if (lacks_wanted && !ended->of_one) again_ = kWhole;
  refused_ = response.condition != imap::Condition::ok;
  commands_.erase(ended);
  return std::nullopt;
}

/// Whether it was asked for, as it is: a whole message is not to begin somewhere inside.
bool Bodies::is_expected(const imap::Body& body, std::uint32_t owner) const noexcept {
  if (owner == 0) return true;  // it will be seen at the end
  const Asked* asked = command_for(owner);
  if (asked == nullptr) return false;
  if (asked->item == kHeader) return body.section == imap::Section::header;
  const bool begins = body.origin.value_or(0) == 0;
  return body.section == imap::Section::message && (begins || asked->item != kWhole);
}

coro::Task<Result<std::optional<Bodies::Arrived>>> Bodies::body_began(std::uint32_t wanted) {
  const imap::Body body = link_.client().body();
  const std::uint32_t owner = body.uid.value_or(only_due());
  if (!is_expected(body, owner)) co_return unexpected("a body that nobody asked for");
  const bool has_octets = body.form == imap::BodyForm::literal || body.form == imap::BodyForm::quoted;
  if (!has_octets) {  // NIL, or nothing at all: the message is gone
    Result<std::uint32_t> uid = co_await finish_response();
    if (!uid) co_return std::move(uid).error();
    came(*uid);
    refused_ = false;
    co_return std::optional<Arrived>();
  }
  if (owner != 0 && owner == wanted && body.form == imap::BodyForm::literal) {
    streaming_ = owner;
    left_ = body.size;
    Arrived arrived;
    arrived.form = Arrived::Form::literal;
    arrived.size = body.size;
    arrived.origin = body.origin;
    co_return std::optional(arrived);
  }
  Result<void> held = co_await hold(owner, wanted);
  if (!held) co_return std::move(held).error();
  co_return std::optional<Arrived>();
}

/// Reads a body that has to be read past, or whose owner is not known yet, into memory; or past, if there is
/// no room for it. One that belongs to the wanted message is quoted, thus short, and in memory anyway.
coro::Task<Result<void>> Bodies::hold(std::uint32_t owner, std::uint32_t wanted) {
  const imap::Body body = link_.client().body();
  const Bytes size = body.size;
  Held held;
  held.origin = body.origin;
  const bool is_short = owner != 0 && owner == wanted;
  const bool keeps = is_short || (size <= kMaxHeld && held.room.reserve(budget_, size));
  if (body.form == imap::BodyForm::quoted) {
    held.octets = std::string(body.text);
  } else if (keeps) {
    held.octets.reserve(static_cast<std::size_t>(size));
  }
  Bytes left = body.form == imap::BodyForm::literal ? size : 0;
  while (left != 0) {
    Result<std::string_view> octets = co_await link_.client().take_octets(left, link_.patience());
    if (!octets) co_return std::move(octets).error();
    if (keeps) held.octets += *octets;
    left -= octets->size();
  }
  Result<std::uint32_t> uid = co_await finish_response();
  if (!uid) co_return std::move(uid).error();
  if ((owner != 0 && owner != *uid) || !is_expected(body, *uid))
    co_return unexpected("a body of another message");
  // Nobody knew whose it was, and now it is gone.
  if (!keeps && *uid == wanted) again_ = command_for(wanted)->item;
  came(*uid);
  if (keeps) held_.insert_or_assign(*uid, std::move(held));
  co_return Result<void>();
}

/// Reads on to the end of the response that the body is part of; its UID.
coro::Task<Result<std::uint32_t>> Bodies::finish_response() {
  Result<Step> step = co_await link_.client().read(link_.patience());
  if (!step) co_return std::move(step).error();
  const imap::Response& response = link_.client().response();
  if (*step != Step::response || response.kind != imap::ResponseKind::fetch) {
    co_return unexpected("two bodies in one response");
  }
  if (!response.fetch.uid) co_return unexpected("a body without a UID");
  co_return *response.fetch.uid;
}

coro::Task<Result<std::string_view>> Bodies::octets() {
  if (left_ == 0) co_return std::string_view();
  Result<std::string_view> octets = co_await link_.client().take_octets(left_, link_.patience());
  if (octets) left_ -= octets->size();
  co_return octets;
}

coro::Task<Result<std::string_view>> Bodies::peek(std::size_t octets) {
  const auto most = static_cast<std::size_t>(std::min<Bytes>(octets, left_));
  Result<std::string_view> seen = co_await link_.client().peek_octets(most, link_.patience());
  co_return seen;
}

coro::Task<Result<void>> Bodies::complete() {
  POSTERN_ASSERT(left_ == 0 && streaming_ != 0);
  Result<std::uint32_t> uid = co_await finish_response();
  if (!uid) co_return std::move(uid).error();
  if (*uid != streaming_) co_return unexpected("a body of another message");
  came(streaming_);
  streaming_ = 0;
  co_return Result<void>();
}

coro::Task<Result<void>> Bodies::skip_rest() {
  while (left_ != 0) {
    Result<std::string_view> skipped = co_await octets();
    if (!skipped) co_return std::move(skipped).error();
  }
  Result<void> done = co_await complete();
  co_return done;
}

std::string_view Bodies::held(std::uint32_t uid) const {
  const auto held = held_.find(uid);
  POSTERN_ASSERT(held != held_.end());
  return held->second.octets;
}

void Bodies::keep_only(std::span<const std::uint32_t> uids) {
  std::erase_if(held_, [uids](const auto& held) {
    return std::find(uids.begin(), uids.end(), held.first) == uids.end();
  });
}

/// Something comes, and nobody waits for it.
coro::Task<Result<void>> Bodies::step(coro::Deadline deadline) {
  const coro::Deadline patience = earlier(deadline, link_.patience());
  Result<Step> step = co_await link_.client().read(patience);
  if (!step) co_return std::move(step).error();
  if (*step == Step::response) {
    std::optional<Error> wrong = on_response(0);
    if (wrong) co_return *wrong;
  } else if (*step == Step::body) {
    Result<std::optional<Arrived>> began = co_await body_began(0);
    if (!began) co_return std::move(began).error();
  }
  co_return Result<void>();
}

coro::Task<Result<void>> Bodies::settle(coro::Deadline deadline) {
  while (link_.client().has_outstanding()) {
    Result<void> done = co_await step(deadline);
    if (!done) co_return done;
  }
  co_return Result<void>();
}

coro::Task<Result<void>> Bodies::discard(coro::Deadline deadline) {
  forget();
  backend::ImapClient& client = link_.client();
  while (client.has_outstanding()) {
    const coro::Deadline patience = earlier(deadline, link_.patience());
    Result<Step> step = co_await client.read(patience);
    if (!step) co_return std::move(step).error();
    const bool is_literal = *step == Step::body && client.body().form == imap::BodyForm::literal;
    Bytes left = is_literal ? client.body().size : 0;
    while (left != 0) {
      const coro::Deadline soon = earlier(deadline, link_.patience());
      Result<std::string_view> octets = co_await client.take_octets(left, soon);
      if (!octets) co_return std::move(octets).error();
      left -= octets->size();
    }
  }
  co_return Result<void>();
}

void Bodies::rest() {
  if (!link_.is_open()) return;
  const bool bodies_due =
      std::any_of(commands_.begin(), commands_.end(), [](const Asked& asked) { return !asked.due.empty(); });
  if (!bodies_due) {
    // An error in it shows with the next read.
    while (link_.client().take_buffered_response()) static_cast<void>(on_response(0));
    if (commands_.empty()) commands_.shrink_to_fit();
  }
  link_.client().rest();
}

void Bodies::forget() {
  commands_.clear();
  held_.clear();
  left_ = 0;
  streaming_ = 0;
  refused_ = false;
  again_.clear();
}

}  // namespace postern::maildrop
