// The load generator: POP3 sessions, each octet of which is compared; what it saw goes out as one line of
// JSON.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "bench/client.hpp"

namespace postern::bench {
namespace {

constexpr std::size_t kMaxFailures = 5;  // are told; a run that has one is worth nothing
constexpr unsigned kSeed = 1939;         // the same users in the same order in every run
constexpr std::chrono::seconds kGrace{30};

enum class Tls { none, full, resumed };

struct Options {
  std::uint16_t port = 0;
  Tls tls = Tls::full;
  std::vector<std::string> mailboxes;
  std::uint32_t users = 100;
  std::uint32_t first_user = 0;
  std::uint32_t sessions = 0;
  std::uint32_t at_once = 8;
  double rate = 0;
  double seconds = 10;
  Visit visit;
};

/// Sessions that the server gave tickets for, each to be used once (RFC 8446 §C.4); of the whole program, as
/// OpenSSL's callback is.
std::vector<SslSession> tickets;
constexpr std::size_t kMaxTickets = 100;

int keep_session(SSL* /*ssl*/, SSL_SESSION* session) {
  if (tickets.size() == kMaxTickets) return 0;
  tickets.emplace_back(session);
  return 1;
}

SslContext make_context() {
  SslContext context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), keep_session);
  return context;
}

/// "15x4096=40": that kind of mailbox for 40 of 100 sessions, or of whatever the weights sum up to.
struct Share {
  Mailbox kind;
  double weight = 1;
};

Share share_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  const auto kind = Mailbox::of_user(text.substr(0, equals) + ".0");
  if (!kind) throw CLI::ValidationError(text + ": want COUNTxOCTETS or COUNTxOCTETS=WEIGHT");
  return {*kind, equals == std::string::npos ? 1.0 : std::stod(text.substr(equals + 1))};
}

double percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double place = std::ceil(share * static_cast<double>(sorted.size())) - 1;
  return sorted[static_cast<std::size_t>(std::max(place, 0.0))];
}

std::string distribution(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return fmt::format(R"({{"count": {}, "p50": {:.3f}, "p90": {:.3f}, "p99": {:.3f}, "max": {:.3f}}})",
                     values.size(), percentile(values, 0.5), percentile(values, 0.9),
                     percentile(values, 0.99), values.empty() ? 0 : values.back());
}

class Load final : public Judge {
 public:
  explicit Load(const Options& options) : options_(options), context_(make_context()) {
    std::vector<double> weights;
    for (const std::string& text : options.mailboxes) {
      shares_.push_back(share_of(text));
      weights.push_back(shares_.back().weight);
    }
    choose_ = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
  }

  /// Whether nothing went wrong.
  bool run() {
    begin_ = Clock::now();
    const Time stop =
        begin_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.seconds));
    if (!options_.visit.holds) options_.visit.fetches_until = stop;
    while (may_start(stop) || !running_.empty()) {
      while (may_start(stop) && is_due()) start();
      if (Clock::now() > stop + kGrace) {
        failures_.push_back("sessions do not end");
        break;
      }
      poller_.turn(next_start(stop));
      if (options_.visit.holds && holding_.size() == options_.sessions) wait_and_let_go();
    }
    tell();
    return failures_.empty();
  }

 private:
  bool may_start(Time stop) const {
    if (!failures_.empty() || (options_.sessions > 0 && started_ == options_.sessions)) return false;
    return options_.visit.holds || Clock::now() < stop;
  }

  Time start_of(std::uint64_t session) const {
    const std::chrono::duration<double> after(static_cast<double>(session) / options_.rate);
    return begin_ + std::chrono::duration_cast<Clock::duration>(after);
  }

  bool is_due() const {
    if (options_.rate > 0) return Clock::now() >= start_of(started_);
    return running_.size() - holding_.size() < options_.at_once;
  }

  Time next_start(Time stop) const {
    const Time some = Clock::now() + std::chrono::seconds(1);
    return options_.rate > 0 && may_start(stop) ? std::min(some, start_of(started_)) : some;
  }

  void start() {
    Mailbox mailbox = shares_[choose_(dice_)].kind;
    mailbox.user = options_.first_user + started_ % options_.users;
    ++started_;
    const int socket = connect_to(options_.port);
    Ssl ssl(options_.tls == Tls::none ? nullptr : SSL_new(context_.get()));
    if (ssl) {
      SSL_set_connect_state(ssl.get());
      if (options_.tls == Tls::resumed && !tickets.empty()) {
        SSL_set_session(ssl.get(), tickets.back().get());
        tickets.pop_back();
      }
    }
    auto client = std::make_unique<Client>(poller_, socket, std::move(ssl), mailbox, options_.visit, *this);
    running_.insert(client.get());
    const std::uint32_t events = client->first_events();
    poller_.add(std::move(client), events);
  }

  void on_message(std::uint64_t octets) override {
    ++messages_;
    octets_ += octets;
  }

  void on_holding(Client& client) override { holding_.insert(&client); }

  void on_done(Client& client, const Times& times) override {
    if (client.was_resumed()) ++resumed_;
    whole_.push_back(times.whole);
    listing_.push_back(times.listing);
    fetching_.push_back(times.fetching);
    forget(client);
  }

  void on_failure(Client& client, const std::string& why) override {
    if (failures_.size() < kMaxFailures) failures_.push_back(why);
    forget(client);
  }

  void forget(Client& client) {
    running_.erase(&client);
    holding_.erase(&client);
  }

  /// Whoever started us measures now, and closes our standard input when that is done.
  void wait_and_let_go() {
    fmt::print("holding\n");
    std::fflush(stdout);
    char octet;
    while (read(STDIN_FILENO, &octet, 1) > 0) continue;
    for (Client* client : std::exchange(holding_, {})) client->go();
    options_.visit.holds = false;
  }

  void tell() {
    for (std::string& failure : failures_) {
      std::replace_if(
          failure.begin(), failure.end(), [](char c) { return c == '"' || c == '\\' || c < ' '; }, '?');
      failure = '"' + failure + '"';
    }
    fmt::print(R"({{"seconds": {:.3f}, "sessions": {}, "resumed": {}, "messages": {}, "octets": {}, )"
               R"("whole_ms": {}, "listing_ms": {}, "fetching_ms": {}, "failures": [{}]}})"
               "\n",
               std::chrono::duration<double>(Clock::now() - begin_).count(), whole_.size(), resumed_,
               messages_, octets_, distribution(whole_), distribution(listing_), distribution(fetching_),
               fmt::join(failures_, ", "));
  }

  Options options_;
  SslContext context_;
  std::vector<Share> shares_;
  std::discrete_distribution<std::size_t> choose_;
  std::mt19937 dice_{kSeed};
  Poller poller_;
  Time begin_;
  std::uint32_t started_ = 0;
  std::set<Client*> running_;
  std::set<Client*> holding_;
  std::uint64_t messages_ = 0;
  std::uint64_t octets_ = 0;
  std::uint64_t resumed_ = 0;
  std::vector<double> whole_, listing_, fetching_;
  std::vector<std::string> failures_;
};

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
  using namespace postern::bench;
  Options options;
  const std::map<std::string, Tls> tls{{"none", Tls::none}, {"full", Tls::full}, {"resumed", Tls::resumed}};
  CLI::App app("POP3 sessions against mailboxes of the synthetic store, whatever stands in front of it.");
  app.add_option("--port", options.port, "of 127.0.0.1")->required();
  app.add_option("--tls", options.tls, "none, full, resumed")->transform(CLI::CheckedTransformer(tls));
  app.add_option("--mailbox", options.mailboxes, "COUNTxOCTETS or COUNTxOCTETS=WEIGHT; may be repeated")
      ->required();
  app.add_option("--users", options.users, "how many of them")->check(CLI::PositiveNumber);
  app.add_option("--first-user", options.first_user, "number of the first of them");
  app.add_option("--sessions", options.sessions, "so many, unless the time is up before");
  app.add_option("--at-once", options.at_once, "sessions at a time")->check(CLI::PositiveNumber);
  app.add_option("--rate", options.rate, "sessions to begin in a second, instead of so many at a time");
  app.add_option("--seconds", options.seconds, "no session begins after that, and no message is fetched");
  app.add_flag("--lists", options.visit.lists, "LIST and UIDL");
  app.add_option("--fetches", options.visit.fetches, "RETR, so many in a session");
  app.add_option("--depth", options.visit.depth, "RETR on their way at once")->check(CLI::PositiveNumber);
  app.add_flag("--hold", options.visit.holds, "stay logged in until standard input ends");
  CLI11_PARSE(app, argc, argv);
  return Load(options).run() ? 0 : 1;
}
