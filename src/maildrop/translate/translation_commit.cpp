// QUIT (RFC 1939 §6).
#include <algorithm>
#include <utility>

#include "maildrop/translate/remover.hpp"
#include "maildrop/translate/translation.hpp"
#include "postern/maildrop/opener.hpp"

namespace postern::maildrop {
namespace {

/// What is a wish and no promise does not hold QUIT up for longer.
constexpr std::chrono::seconds kCleanUpPatience{10};

}  // namespace

coro::Task<Result<void>> Translation::commit(coro::Deadline deadline) {
  if (link_->is_open()) {
    Result<void> quiet = co_await bodies_.discard(deadline);
    if (!quiet) link_->drop();
  }
  Result<void> removed;
  if (contents_.marks() != 0) removed = co_await remove_marked(deadline);
  const coro::Deadline soon(link_->scheduler().now() + kCleanUpPatience);
  if (removed && link_->is_open()) co_await clean_up(earlier(deadline, soon));
  if (!removed) co_return Error(FailureKind::update_failed, removed.error().detail());
  co_return Result<void>();
}

/// Folder by folder; the first failure ends it (DEL-7). A connection that is lost is made again, once: what
/// was removed before is not there, and removing it again does nothing.
coro::Task<Result<void>> Translation::remove_marked(coro::Deadline deadline) {
  bool reconnected = false;
  std::uint64_t removed = 0;
  for (std::size_t folder = 0; folder < contents_.folders().size(); ++folder) {
    const std::vector<bool> chosen = contents_.marked_in(folder);
    if (std::find(chosen.begin(), chosen.end(), true) == chosen.end()) continue;
    for (;;) {
      Remover remover(*link_, *view_, opener_.log(), deadline);
      Result<void> done = co_await prepare(folder);
      // Dovecot says OK to what it does not do then.
      if (done && link_->is_read_only)
        done = Error(FailureKind::update_failed, "the mailbox has become read-only");
      if (done) done = co_await remover.remove(contents_.folders()[folder], chosen);
      if (done) {
        removed += remover.removed();
        break;
      }
      const bool lost = done.error().kind() == FailureKind::backend_lost;
      if (link_->is_open() && done.error().kind() != FailureKind::update_failed) link_->drop();
      if (!lost || reconnected || link_->scope().reason()) {
        removed += remover.removed();
        co_return Error(FailureKind::update_failed,
                        std::to_string(removed) + " of " + std::to_string(contents_.marks()) +
                            " messages were removed for certain, then: " + done.error().detail());
      }
      reconnected = true;
    }
  }
  co_return Result<void>();
}

/// What is done for the mailbox's sake and promises nothing: its failure is not the client's affair, and no
/// connection is made for it.
coro::Task<void> Translation::clean_up(coro::Deadline deadline) {
  const bool marks_seen = link_->backend().settings().imap.mark_seen == config::MarkSeen::quit;
  for (std::size_t folder = 0; folder < contents_.folders().size(); ++folder) {
    const Folder& of = contents_.folders()[folder];
    if (of.read_only) continue;
    const std::vector<bool> seen = marks_seen ? contents_.retrieved_in(folder) : std::vector<bool>();
    const bool any_seen = std::find(seen.begin(), seen.end(), true) != seen.end();
    if (!any_seen && view_->settings().keep_days == 0) continue;
    Result<void> done;
    if (link_->selected != of.mailbox) done = co_await select(folder, deadline);
    Remover remover(*link_, *view_, opener_.log(), deadline);
    if (done && any_seen) done = co_await remover.mark_seen(of, seen);
    if (done) done = co_await remover.remove_expired(opener_.clock().wall_now());
    const bool goes_on = done || done.error().kind() == FailureKind::update_failed;
    if (!goes_on) co_return;
  }
}

}  // namespace postern::maildrop
