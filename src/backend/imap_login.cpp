// How an ImapClient logs in.
#include <algorithm>
#include <iterator>
#include <utility>

#include "backend/client_support.hpp"
#include "postern/backend/imap_client.hpp"
#include "postern/base/ascii.hpp"
#include "postern/imap/failure.hpp"
#include "postern/sasl/sasl.hpp"

namespace postern::backend {
namespace {

/// A longer initial response is sent in a line of its own: the command stays short (RFC 2683 §3.2.1.5).
constexpr std::size_t kMaxInitialResponse = 800;

/// Whether a text, whatever it says else (a goodbye, a refusal), repeats what was sent: as it is, escaped as
/// LOGIN has it, or in base64.
bool tells(const std::string& text, const BackendCredentials& credentials) {
  const std::string_view password = credentials.password.view();
  const Secret message = sasl::plain_initial_response(credentials.user, password);
  if (repeats(text, password) || repeats(text, message.view())) return true;
  std::string plain_text = text, plain_password;
  std::erase(plain_text, '\\');
  plain_password.reserve(password.size());
  std::remove_copy(password.begin(), password.end(), std::back_inserter(plain_password), '\\');
  const bool repeated = repeats(plain_text, plain_password);
  wipe(plain_password);
  return repeated;
}

/// Whether AUTHENTICATE was refused as such, without a look at the credentials: the server cannot do what it
/// once said. LOGIN may be tried then, which would be one guess too many otherwise.
bool knows_no_authenticate(const ImapAnswer& answer) noexcept {
  if (!answer.done || imap::throttled_for(answer.response())) return false;
  if (answer.condition == imap::Condition::bad) return true;
  return answer.condition == imap::Condition::no && answer.code == imap::Code::none &&
         ascii::contains(answer.text, "mechanism");
}

}  // namespace

coro::Task<Result<void>> ImapClient::login(const BackendCredentials& credentials, const Origin& origin,
                                           coro::Deadline deadline) {
  if (!sasl::is_acceptable(credentials.user, credentials.password.view())) {
    co_return Error(FailureKind::auth_refused, "unacceptable user name or password");
  }
  if (known_.login_disabled && !known_.auth_plain) {
    co_return Error(FailureKind::backend_policy, "the server takes no password on this connection");
  }
  if (backend_.settings().imap.announce_client && known_.id) announce(origin);
  heard_ = false;
  Result<void> proven = co_await prove(credentials, deadline);
  if (!proven) {
    if (!tells(proven.error().detail(), credentials)) co_return proven;
    co_return Error(proven.error().kind(), "the server repeated the password");
  }
  Result<void> learned = co_await learn_after_login(deadline);
  if (!learned) co_return learned;
  reader_.set_sensitive(false);
  co_return Result<void>();
}

coro::Task<Result<void>> ImapClient::prove(const BackendCredentials& credentials, coro::Deadline deadline) {
  Result<ImapAnswer> answer = ImapAnswer(std::string());
  if (known_.auth_plain) {
    answer = co_await authenticate_plain(credentials, deadline);
    if (answer && knows_no_authenticate(*answer)) {
      table_.imap.forget(table_key_);
      if (known_.login_disabled) {
        co_return Error(FailureKind::backend_protocol, "AUTHENTICATE: the server said: " + answer->text);
      }
      answer = co_await log_in(credentials, deadline);
    }
  } else {
    answer = co_await log_in(credentials, deadline);
  }
  if (!answer) co_return std::move(answer).error();
  if (!answer->is_ok()) co_return refusal(*answer);
  co_return Result<void>();
}

/// RFC 2971, in Dovecot's words: who the client is, so that limits and logs of the server see him and not
/// the gateway. It goes out together with the login, and its answer comes before that one's.
void ImapClient::announce(const Origin& origin) {
  imap::Command id = command("ID");
  id.words("(\"name\" \"postern\" \"x-originating-ip\"").string(origin.client.ip());
  id.words("\"x-originating-port\"").string(std::to_string(origin.client.port()));
  id.words("\"x-connected-ip\"").string(origin.local.ip());
  id.words("\"x-connected-port\"").string(std::to_string(origin.local.port()));
  id.words("\"x-session-id\"").string(origin.session);
  id.words("\"x-proxy-ttl\" \"4\")").finish();
  outstanding_.push_back(id.tag());
  for (const imap::Segment& segment : id.segments()) put(segment);
}

coro::Task<Result<ImapAnswer>> ImapClient::authenticate_plain(const BackendCredentials& credentials,
                                                              coro::Deadline deadline) {
  const Secret message = sasl::plain_initial_response(credentials.user, credentials.password.view());
  imap::Command authenticate = command("AUTHENTICATE");
  authenticate.words("PLAIN");
  const bool initial = known_.sasl_ir && message.size() <= kMaxInitialResponse;
  if (initial) authenticate.secret_words(message.view());
  authenticate.finish();
  ImapAnswer answer(authenticate.tag());
  ImapListener unheard;
  outstanding_.push_back(authenticate.tag());
  for (const imap::Segment& segment : authenticate.segments()) put(segment);
  Result<void> heard = co_await await_continuation(answer, unheard, deadline);
  if (!heard) co_return std::move(heard).error();
  if (answer.done) {
    if (answer.is_ok() && !initial) co_return Error(FailureKind::backend_protocol, "OK without a password");
    co_return answer;
  }
  stream_.put_sensitive(message.view());
  stream_.put_sensitive("\r\n");
  Result<void> done = co_await finish(answer, unheard, deadline);
  if (!done) co_return std::move(done).error();
  co_return answer;
}

coro::Task<Result<ImapAnswer>> ImapClient::log_in(const BackendCredentials& credentials,
                                                  coro::Deadline deadline) {
  imap::Command login = command("LOGIN");
  login.secret(credentials.user).secret(credentials.password.view()).finish();
  ImapListener unheard;
  Result<ImapAnswer> sent = co_await send(std::move(login), unheard, deadline);
  if (!sent) co_return sent;
  ImapAnswer answer = std::move(*sent);
  Result<void> done = co_await finish(answer, unheard, deadline);
  if (!done) co_return std::move(done).error();
  co_return answer;
}

Error ImapClient::refusal(const ImapAnswer& answer) const {
  std::vector<std::string> other = backend_.settings().imap.not_credentials;
  other.insert(other.end(), quirks_.not_credentials.begin(), quirks_.not_credentials.end());
  return Error(imap::login_failure(answer.response(), other), "the server said: " + answer.text);
}

}  // namespace postern::backend
