#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postern/backend/backend.hpp"
#include "postern/backend/capability_table.hpp"
#include "postern/backend/credentials.hpp"
#include "postern/backend/imap_quirks.hpp"
#include "postern/base/random.hpp"
#include "postern/base/result.hpp"
#include "postern/imap/command.hpp"
#include "postern/imap/response_parser.hpp"
#include "postern/net/line_reader.hpp"
#include "postern/net/stream.hpp"

namespace postern::backend {

/// A command that was sent, and how the server ended it.
class ImapAnswer {
 public:
  explicit ImapAnswer(std::string t) : tag(std::move(t)) {}
  bool is_ok() const noexcept { return done && condition == imap::Condition::ok; }
  /// The tagged response, whose views look into this.
  imap::Response response() const noexcept;

  std::string tag;
  bool done = false;
  imap::Condition condition = imap::Condition::ok;
  imap::Code code = imap::Code::none;
  std::string text;  ///< cut; for logs, and for what a code leaves open
};

/// Hears what comes while answers are waited for. Views die with the call.
class ImapListener {
 public:
  virtual ~ImapListener() = default;
  /// A complete response, also a tagged one that nobody waits for.
  virtual void on_response(const imap::Response& /*response*/) {}
  virtual void on_numbers(const imap::Response& /*response*/,
                          std::span<const imap::NumberRange> /*numbers*/) {}
  /// A body that begins; then its octets, in pieces (also of a quoted one).
  virtual void on_body(const imap::Body& /*body*/) {}
  virtual void on_octets(std::string_view /*octets*/) {}
};

/// The gateway as the client of an IMAP server, from the connection to "authenticated", and then the way its
/// commands and answers go. Nothing is sent ahead across a login: Courier loses it. Errors are those of the
/// failure table; after one, all that is left is to destroy it.
class ImapClient {
 public:
  using Step = imap::ResponseParser::Step;

  ImapClient(net::Turn& turn, coro::CancelSource& scope, net::ChunkPool& pool, Connection connection,
             Backend& backend, Server& server, CapabilityTable& capabilities, Random& random);

  /// TLS if it is implicit, the greeting, STARTTLS if it is asked for, capabilities. PREAUTH is refused: the
  /// session would not be the user's (and TLS impossible, CVE-2020-12398). Octets between the answer to
  /// STARTTLS and the handshake end the connection.
  coro::Task<Result<void>> greet(coro::Deadline deadline, Phase& phase);

  /// Logs in, and learns what the server can do now. What a session must not send (sasl::is_acceptable) is
  /// refused without asking the server.
  coro::Task<Result<void>> login(const BackendCredentials& credentials, const Origin& origin,
                                 coro::Deadline deadline);

  /// A command to be filled in; see send().
  imap::Command command(std::string_view name);
  /// Gathers a command, and waits where the server has to allow a literal; its answer then has to be waited
  /// for. What comes meanwhile is heard by `listener`.
  coro::Task<Result<ImapAnswer>> send(imap::Command command, ImapListener& listener, coro::Deadline deadline);
  /// Gathers a command of our own words, without literals. Does not wait; there has to be room().
  ImapAnswer put(std::string_view words);
  /// How many octets put() takes.
  std::size_t room() const noexcept { return stream_.room(); }

  /// Reads until all these are done.
  coro::Task<Result<void>> finish(std::span<ImapAnswer* const> answers, ImapListener& listener,
                                  coro::Deadline deadline);
  coro::Task<Result<void>> finish(ImapAnswer& answer, ImapListener& listener, coro::Deadline deadline);

  /// The next step of the parser: response, body or numbers. Of a literal, take_octets() has to take all.
  coro::Task<Result<Step>> read(coro::Deadline deadline);
  /// Takes a response that is buffered, without reading; false if there is none. For what is left behind a
  /// body: no other bodies may be due. An error comes with the next read().
  bool take_buffered_response();
  const imap::Response& response() const noexcept { return parser_.response(); }
  const imap::Body& body() const noexcept { return parser_.body(); }
  std::span<const imap::NumberRange> numbers() const noexcept { return parser_.numbers(); }
  /// Some of the octets of the literal that began: at least one, at most `most`. The view dies with the next
  /// wait or step.
  coro::Task<Result<std::string_view>> take_octets(Bytes most, coro::Deadline deadline);
  /// At least `octets` of the literal are buffered afterwards, and can be looked at; not taken.
  coro::Task<Result<std::string_view>> peek_octets(std::size_t octets, coro::Deadline deadline);

  /// Most responses to one command: a server that never ends is left.
  void set_response_limit(std::uint64_t limit) noexcept { response_limit_ = limit; }
  /// Says goodbye as far as that is possible without waiting.
  void log_out() noexcept;
  /// Memory is given back as far as it can be: the session waits for somebody else.
  void rest() { reader_.rest(); }

  net::Stream& stream() noexcept { return stream_; }
  const imap::Capabilities& capabilities() const noexcept { return known_; }
  const ImapQuirks& quirks() const noexcept { return quirks_; }
  const std::string& server() const noexcept { return server_.name(); }
  /// The server has asked to be left alone, for so long if it is not zero.
  std::optional<Duration> throttled() const noexcept { return throttled_; }
  /// What the server wants people to know (RFC 3501 §7.1 ALERT): once, for the log. Never for the client.
  std::string take_alert() noexcept { return std::exchange(alert_, {}); }
  bool has_outstanding() const noexcept { return !outstanding_.empty(); }

 private:
  coro::Task<Result<void>> read_greeting(coro::Deadline deadline);
  coro::Task<Result<void>> start_tls(coro::Deadline deadline);
  coro::Task<Result<void>> ask_capabilities(coro::Deadline deadline);
  coro::Task<Result<void>> learn_before_login(coro::Deadline deadline);
  coro::Task<Result<void>> learn_after_login(coro::Deadline deadline);
  coro::Task<Result<ImapAnswer>> authenticate_plain(const BackendCredentials& credentials,
                                                    coro::Deadline deadline);
  coro::Task<Result<ImapAnswer>> log_in(const BackendCredentials& credentials, coro::Deadline deadline);
  coro::Task<Result<void>> await_continuation(ImapAnswer& answer, ImapListener& listener,
                                              coro::Deadline deadline);
  coro::Task<Result<void>> skip_body(ImapListener& listener, coro::Deadline deadline);
  coro::Task<Result<void>> fill(coro::Deadline deadline, const char* doing);
  coro::Task<Result<void>> prove(const BackendCredentials& credentials, coro::Deadline deadline);
  void announce(const Origin& origin);
  Error refusal(const ImapAnswer& answer) const;
  Result<Step> accept(Step step);
  void hear_capabilities(const imap::Response& response);
  void put(const imap::Segment& segment);

  coro::Scheduler& scheduler_;
  Backend& backend_;
  Server& server_;
  CapabilityTable& table_;
  std::string table_key_;
  imap::Tags tags_;
  imap::ResponseParser parser_;
  imap::Capabilities known_;
  bool listed_ = false;  // known_ is what this connection said, under this TLS: {n+} depends on it
  bool heard_ = false;   // capabilities came since the login began
  ImapQuirks quirks_;
  std::string greeting_;
  std::vector<std::string> outstanding_;  // tags that were not answered
  std::uint64_t responses_ = 0;           // since the last tagged one
  std::uint64_t response_limit_;
  std::optional<Duration> throttled_;
  std::string alert_;
  bool leaving_ = false;
  std::optional<Error> lost_;
  Bytes literal_left_ = 0;
  net::Stream stream_;
  net::LineReader reader_;
};

}  // namespace postern::backend
