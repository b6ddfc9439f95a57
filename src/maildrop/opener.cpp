#include "postern/maildrop/opener.hpp"

#include <algorithm>
#include <utility>

#include "maildrop/relay/relay.hpp"
#include "maildrop/translate/snapshot_taker.hpp"
#include "maildrop/translate/translation.hpp"
#include "maildrop/translate/unique_id.hpp"
#include "postern/base/ascii.hpp"
#include "postern/imap/mailbox_name.hpp"

namespace postern::maildrop {
namespace {

/// Bodies that came before they were wanted, of all sessions of a loop: those of 64 sessions that use all
/// they may.
constexpr Bytes kBodiesInMemory = Bytes{64} * 1024 * 1024;

bool is_inbox(std::string_view mailbox) noexcept {
  return ascii::equal(mailbox, "INBOX");
}

}  // namespace

Opener::Opener(backend::Dialer& dialer, store::Store& store, net::ChunkPool& pool, Log& log,
               const Clock& clock)
    : dialer_(dialer), store_(store), pool_(pool), log_(log), clock_(clock), budget_(kBodiesInMemory) {}

coro::Task<Result<std::unique_ptr<Maildrop>>> Opener::open(backend::Backend& backend, Login login,
                                                           net::Turn& turn, coro::CancelSource& scope,
                                                           backend::Progress& progress) {
  if (backend.settings().protocol == config::Protocol::imap) {
    Result<std::unique_ptr<Maildrop>> opened =
        co_await open_translation(backend, login, turn, scope, progress);
    co_return opened;
  }
  if (login.folder) co_return Error(FailureKind::no_folder, "a POP3 backend has no folders");
  Result<std::unique_ptr<Maildrop>> opened = co_await open_relay(backend, login, turn, scope, progress);
  co_return opened;
}

coro::Task<Result<std::unique_ptr<Maildrop>>> Opener::open_relay(backend::Backend& backend,
                                                                 const Login& login, net::Turn& turn,
                                                                 coro::CancelSource& scope,
                                                                 backend::Progress& progress) {
  Result<std::unique_ptr<backend::Pop3Client>> dialled =
      co_await dialer_.dial_pop3(backend, turn, scope, progress);
  if (!dialled) co_return std::move(dialled).error();
  std::unique_ptr<backend::Pop3Client> client = std::move(*dialled);
  progress.phase = Phase::backend_login;
  const coro::Deadline deadline(turn.scheduler().now() + backend.settings().login_timeout);
  Result<void> logged_in = co_await client->login(login.credentials, deadline);
  if (!logged_in) co_return std::move(logged_in).error();
  progress.phase = Phase::open;
  co_return std::make_unique<Relay>(std::move(client), backend, turn.scheduler());
}

coro::Task<Result<std::unique_ptr<Maildrop>>> Opener::open_translation(backend::Backend& backend,
                                                                       const Login& login, net::Turn& turn,
                                                                       coro::CancelSource& scope,
                                                                       backend::Progress& progress) {
  const std::string& user = login.credentials.user;
  if (store_.is_postponed(backend.name(), user)) {
    co_return Error(FailureKind::auth_unavailable, "the server has asked to be left alone by this user");
  }
  auto link = std::make_unique<Link>(dialer_, backend, login.credentials, login.origin, turn, scope);
  Result<void> linked = co_await link->open(progress);
  if (!linked) {
    if (link->throttled()) store_.postpone(backend.name(), user, *link->throttled());
    co_return std::move(linked).error();
  }
  progress.phase = Phase::open;
  auto view = std::make_unique<View>(login.view, backend.settings().imap, link->client().quirks(),
                                     link->client().capabilities());
  Result<Contents> contents = co_await list_folders(*link, *view, login);
  tell_alert(*link);
  if (!contents) {
    if (link->throttled()) store_.postpone(backend.name(), user, *link->throttled());
    co_return std::move(contents).error();
  }
  co_return std::make_unique<Translation>(*this, std::move(link), std::move(view), std::move(*contents));
}

/// "+OK" is said when every folder of the view has been listed (AUTH-1).
coro::Task<Result<Contents>> Opener::list_folders(Link& link, const View& view, const Login& login) {
  std::vector<std::string> folders = login.view.folders;
  if (login.folder) folders = {*login.folder};
  const coro::Deadline deadline(link.scheduler().now() + link.backend().settings().imap.snapshot_timeout);
  Contents contents;
  for (const std::string& name : folders) {
    const auto mailbox = imap::encode_mailbox_name(name);
    if (!mailbox) co_return Error(FailureKind::no_folder, "not the name of a folder");
    SnapshotTaker::Missing missing =
        is_inbox(name) ? SnapshotTaker::Missing::fails : SnapshotTaker::Missing::empty;
    if (login.folder) missing = SnapshotTaker::Missing::no_folder;
    SnapshotTaker taker(link, view, store_, log_, clock_.wall_now(), deadline);
    Result<Folder> taken = co_await taker.take(*mailbox, missing);
    if (!taken) co_return std::move(taken).error();
    contents.add(std::move(*taken));
  }
  // A view of folders none of which exists is not an empty maildrop (SNAP-1). INBOX has a setting of its own.
  const bool has_any =
      std::any_of(contents.folders().begin(), contents.folders().end(),
                  [](const Folder& folder) { return !folder.is_missing || is_inbox(folder.mailbox); });
  if (!has_any) co_return Error(FailureKind::no_folder, "none of the view's folders exists");
  co_return contents;
}

void Opener::tell_alert(Link& link) {
  const std::string alert = link.client().take_alert();
  if (alert.empty()) return;
  LogLine(log_, LogLevel::info, "backend_alert", "the server wants people to know")
      .field("session", link.session())
      .field("backend", link.backend().name())
      .field("server", link.server())
      .field("user", link.user())
      .field("detail", alert);
}

}  // namespace postern::maildrop
