#include "postern/backend/pop3_client.hpp"

#include <utility>

#include "backend/client_support.hpp"
#include "postern/sasl/sasl.hpp"

namespace postern::backend {
namespace {

/// RFC 2449 §4: a command line of 255 octets is what every server takes.
constexpr std::size_t kMaxPortableLine = 255 - 2;
constexpr std::size_t kMaxCapabilities = 64;  // lines of a CAPA answer; real ones have a dozen
constexpr std::size_t kMaxReplyInLog = 120;

/// USER cannot carry these: a space would end the name at many servers, and octets above ASCII have no agreed
/// meaning.
bool needs_sasl(std::string_view user) noexcept {
  for (const char c : user) {
    if (c <= 0x20 || c >= 0x7F) return true;
  }
  return false;
}

}  // namespace

Pop3Client::Pop3Client(net::Turn& turn, coro::CancelSource& scope, net::ChunkPool& pool,
                       Connection connection, Backend& backend, Server& server, CapabilityTable& capabilities,
                       Random& /*random*/)
    : backend_(backend),
      server_(server),
      table_(capabilities),
      table_key_(table_key(server, backend)),
      stream_(turn, scope, pool, std::move(connection), backend.settings().command_timeout),
      reader_(stream_, pool) {
  reader_.set_sensitive(true);  // until the login is over
}

coro::Task<Result<void>> Pop3Client::greet(coro::Deadline deadline, Phase& phase) {
  const config::BackendTlsMode mode = backend_.settings().tls.mode;
  if (mode == config::BackendTlsMode::implicit) {
    phase = Phase::backend_tls;
    Result<void> secured = co_await shake_hands(stream_, backend_, server_, deadline);
    if (!secured) co_return std::move(secured).error();
  }
  phase = Phase::greeting;
  Result<std::string_view, net::IoError> line = co_await reader_.line(pop3::kMaxStatusLine, deadline);
  if (!line) co_return line.error().as(FailureKind::greeting, "waiting for the greeting");
  const auto reply = pop3::parse_reply(*line);
  if (!reply || reply->status != pop3::Status::ok) {
    co_return Error(FailureKind::greeting,
                    "unexpected greeting: " + std::string(line->substr(0, kMaxReplyInLog)));
  }
  if (!reader_.buffered().empty()) {
    co_return Error(FailureKind::greeting, "octets behind the greeting");
  }
  if (mode == config::BackendTlsMode::starttls) {
    phase = Phase::backend_tls;
    Result<void> secured = co_await start_tls(deadline);
    if (!secured) co_return std::move(secured).error();
  }
  if (const auto learned = table_.pop3.find(table_key_)) {
    known_ = *learned;
    co_return Result<void>();
  }
  phase = Phase::greeting;
  Result<void> asked = co_await learn(deadline);
  co_return asked;
}

coro::Task<Result<void>> Pop3Client::start_tls(coro::Deadline deadline) {
  stream_.put("STLS\r\n");
  Result<std::string_view, net::IoError> line = co_await reader_.line(pop3::kMaxStatusLine, deadline);
  if (!line) co_return line.error().as(FailureKind::backend_tls, "waiting for the answer to STLS");
  const auto reply = pop3::parse_reply(*line);
  if (!reply || reply->status != pop3::Status::ok) {
    co_return Error(FailureKind::backend_tls, "the server refused STLS");
  }
  if (!reader_.buffered().empty()) {
    co_return Error(FailureKind::backend_tls, "octets between the answer to STLS and the handshake");
  }
  Result<void> secured = co_await shake_hands(stream_, backend_, server_, deadline);
  co_return secured;
}

/// Asks CAPA (RFC 2449 §5). A server that does not know it is taken to have TOP and UIDL and nothing else.
coro::Task<Result<void>> Pop3Client::learn(coro::Deadline deadline) {
  stream_.put("CAPA\r\n");
  Result<pop3::Reply> reply = co_await read_reply(deadline);
  if (!reply) co_return before_login(std::move(reply).error());
  if (reply->status == pop3::Status::ok) {
    pop3::CapabilityParser parser;
    for (std::size_t lines = 0;; ++lines) {
      Result<std::string_view, net::IoError> line = co_await reader_.line(pop3::kMaxStatusLine, deadline);
      if (!line) co_return line.error().as(FailureKind::greeting, "reading CAPA");
      if (*line == ".") break;
      if (lines == kMaxCapabilities) co_return Error(FailureKind::greeting, "endless CAPA");
      parser.line(*line);
    }
    known_ = parser.result();
  }
  table_.pop3.learn(table_key_, known_);
  co_return Result<void>();
}

coro::Task<Result<void>> Pop3Client::login(const BackendCredentials& credentials, coro::Deadline deadline) {
  // AUTH PLAIN saves a round trip; but only a server with AUTH-RESP-CODE tells a wrong password from a
  // mechanism that it lost since it was asked (RFC 3206 §6).
  const std::size_t encoded = (credentials.user.size() + credentials.password.size() + 4) / 3 * 4;
  const bool fits = encoded + sizeof "AUTH PLAIN" <= kMaxPortableLine;
  if (needs_sasl(credentials.user) || (known_.sasl_plain && known_.auth_resp_code && fits)) {
    Result<void> done = co_await log_in_with_auth(credentials, deadline);
    if (!done) co_return std::move(done).error();
  } else {
    Result<void> done = co_await log_in_with_user(credentials, deadline);
    if (!done) co_return std::move(done).error();
  }
  reader_.set_sensitive(false);
  co_return Result<void>();
}

coro::Task<Result<void>> Pop3Client::log_in_with_user(const BackendCredentials& credentials,
                                                      coro::Deadline deadline) {
  stream_.put("USER ");
  stream_.put(credentials.user);
  stream_.put("\r\n");
  Result<pop3::Reply> named = co_await read_reply(deadline);
  if (!named) co_return std::move(named).error();
  if (named->status != pop3::Status::ok) co_return refusal(*named, std::string_view());
  stream_.put_sensitive("PASS ");
  stream_.put_sensitive(credentials.password.view());
  stream_.put_sensitive("\r\n");
  Result<pop3::Reply> proven = co_await read_reply(deadline);
  if (!proven) co_return std::move(proven).error();
  if (proven->status != pop3::Status::ok) co_return refusal(*proven, credentials.password.view());
  co_return Result<void>();
}

coro::Task<Result<void>> Pop3Client::log_in_with_auth(const BackendCredentials& credentials,
                                                      coro::Deadline deadline) {
  const Secret message = sasl::plain_initial_response(credentials.user, credentials.password.view());
  const bool initial = message.size() + sizeof "AUTH PLAIN" <= kMaxPortableLine;
  stream_.put_sensitive("AUTH PLAIN");
  if (initial) {
    stream_.put_sensitive(" ");
    stream_.put_sensitive(message.view());
  }
  stream_.put_sensitive("\r\n");
  Result<pop3::Reply> reply = co_await read_reply(deadline);
  if (reply && reply->status == pop3::Status::challenge) {  // it wanted to be asked in two lines
    stream_.put_sensitive(message.view());
    stream_.put_sensitive("\r\n");
    Result<pop3::Reply> second = co_await read_reply(deadline);
    if (!second) co_return std::move(second).error();
    if (second->status != pop3::Status::ok) co_return refusal(*second, message.view());
    co_return Result<void>();
  }
  if (!reply) co_return std::move(reply).error();
  if (reply->status == pop3::Status::ok) {
    if (!initial) co_return Error(FailureKind::backend_protocol, "logged in without a password");
    co_return Result<void>();
  }
  const bool about_credentials = !known_.auth_resp_code || !reply->code.empty();
  if (about_credentials || needs_sasl(credentials.user)) co_return refusal(*reply, message.view());
  // It cannot do what it once said: ask it again next time, and use what every server knows.
  table_.pop3.forget(table_key_);
  Error refused = refusal(*reply, message.view());
  Result<void> done = co_await log_in_with_user(credentials, deadline);
  // Some servers hang up after a refusal: then that was their answer.
  if (!done && done.error().kind() == FailureKind::backend_lost) co_return refused;
  co_return done;
}

coro::Task<Result<pop3::Reply>> Pop3Client::read_reply(coro::Deadline deadline) {
  Result<std::string_view, net::IoError> line = co_await reader_.line(pop3::kMaxStatusLine, deadline);
  if (!line) co_return line.error().as(lost_or_late(line.error()), "waiting for an answer");
  const auto reply = pop3::parse_reply(*line);
  // What stands there may be a piece of a message, or a password that is sent back: it is not told.
  if (!reply) co_return Error(FailureKind::backend_protocol, "not a status line");
  co_return *reply;
}

Error Pop3Client::refusal(const pop3::Reply& reply, std::string_view secret) const {
  if (reply.status == pop3::Status::challenge)
    return Error(FailureKind::backend_protocol, "unexpected challenge");
  const FailureKind kind = pop3::login_failure(reply, known_.resp_codes);
  if (repeats(reply.text, secret)) return Error(kind, "the server repeated the password");
  return Error(kind, "the server said: " + std::string(reply.text.substr(0, kMaxReplyInLog)));
}

}  // namespace postern::backend
