#include "support/world.hpp"

#include <algorithm>
#include <utility>

#include "postern/base/assert.hpp"
#include "support/seeded_random.hpp"
#include "support/tls_filters.hpp"

namespace postern::test {
namespace {

/// More than any session lasts that ends by itself.
constexpr std::chrono::hours kPatience{2};

config::Listener listener(const char* name, config::ListenerTls tls) {
  config::Listener made;
  made.name = name;
  made.tls = tls;
  made.require_tls_for_auth = tls != config::ListenerTls::none;
  return made;
}

config::Backend backend(const char* name, config::Protocol protocol, const char* host, std::uint16_t port) {
  config::Backend made;
  made.name = name;
  made.protocol = protocol;
  made.servers = {config::Server{host, port, {}}};
  made.tls.mode = config::BackendTlsMode::none;
  return made;
}

config::Config usual_config() {
  config::Config made;
  made.listeners = {listener(World::kPlain, config::ListenerTls::none),
                    listener(World::kStls, config::ListenerTls::starttls),
                    listener(World::kImplicit, config::ListenerTls::implicit)};
  made.backends = {backend("main", config::Protocol::pop3, "mail.example", 110),
                   backend("imap", config::Protocol::imap, "imap.example", 143)};
  made.routes = {config::Route{config::Route::Match::any, "", "main", "", {}}};
  return made;
}

}  // namespace

/// What is made of the configuration.
struct World::Parts {
  std::shared_ptr<const config::Config> config;
  std::map<std::string, std::shared_ptr<metrics::BackendMetrics>> backends;
  std::map<std::string, std::shared_ptr<session::Service>> services;
};

World::World(store::Store* kept)
    : config(usual_config()),
      log_(lines_, scheduler_, LogFormat::logfmt, LogLevel::debug),
      random_(std::make_unique<SeededRandom>(1)),
      network_(scheduler_),
      capabilities_(scheduler_),
      gate_(scheduler_, [this](const char* what) { bugs_ += std::string(what) + "\n"; }),
      dialer_(scheduler_, pool_, network_, network_, capabilities_, *random_, log_),
      opener_(dialer_, kept != nullptr ? *kept : snapshots, pool_, log_, scheduler_),
      environment_(scheduler_, pool_, gate_, opener_, log_, scheduler_, *random_, live_) {
  network_.name("mail.example", {kServer});
  network_.name("imap.example", {kImapServer});
  server().serve = [this](Peer& peer) { store.serve(peer); };
  imap_server().serve = [this](Peer& peer) { imap.serve(peer); };
}

World::~World() {
  environment_.sessions.end_all(FailureKind::kicked);
  environment_.updates.end_all(FailureKind::kicked);
  pass(kPatience);
}

void World::use_imap() {
  POSTERN_ASSERT(!parts_);
  for (config::Route& route : config.routes) route.backend = "imap";
}

void World::use_backend_tls() {
  POSTERN_ASSERT(!parts_);
  for (config::Backend& backend : config.backends) backend.tls.mode = config::BackendTlsMode::implicit;
}

config::Backend& World::imap_backend() {
  POSTERN_ASSERT(!parts_);
  const auto named = [](const config::Backend& backend) { return backend.name == "imap"; };
  const auto found = std::find_if(config.backends.begin(), config.backends.end(), named);
  POSTERN_ASSERT(found != config.backends.end());
  return *found;
}

void World::start() {
  parts_ = std::make_unique<Parts>();
  parts_->config = std::make_shared<const config::Config>(config);
  std::vector<std::shared_ptr<backend::Backend>> backends;
  for (const config::Backend& settings : parts_->config->backends) {
    std::unique_ptr<tls::ClientContext> context;
    if (settings.tls.mode != config::BackendTlsMode::none) context = make_tls_client();
    auto cells = std::make_shared<metrics::BackendMetrics>();
    parts_->backends.emplace(settings.name, cells);
    backends.push_back(
        std::make_shared<backend::Backend>(parts_->config, settings, std::move(context), cells));
  }
  const auto directory = std::make_shared<backend::Directory>(parts_->config, std::move(backends));
  const std::shared_ptr<auth::Authenticator> authenticator = auth::make_pass_through();
  for (const config::Listener& settings : parts_->config->listeners) {
    auto made = std::make_shared<session::Service>();
    made->config = parts_->config;
    made->listener = &settings;
    if (settings.tls != config::ListenerTls::none) made->tls = make_tls_server();
    made->metrics = std::make_shared<metrics::ListenerMetrics>();
    made->directory = directory;
    made->authenticator = authenticator;
    parts_->services.emplace(settings.name, std::move(made));
  }
}

std::shared_ptr<const session::Service> World::service(const std::string& listener) {
  if (!parts_) start();
  return parts_->services.at(listener);
}

Peer& World::admit(const std::string& listener, std::uint16_t port) {
  auto [connection, peer] = network_.make();
  ++connected_;
  peer->close_when_ended();
  const SocketAddress address = SocketAddress::parse("198.51.100.7", port).value();
  const SocketAddress local = SocketAddress::parse("192.0.2.1", 110).value();
  gate_.spawn(
      session::serve(environment_, service(listener), net::Accepted(std::move(connection), address, local)));
  return *peer;
}

Client World::arrive(const std::string& listener) {
  Peer& peer = admit(listener, 40000);
  settle();
  return Client(*this, peer);
}

Client World::connect(const std::string& listener) {
  Client client = arrive(listener);
  if (listener == kImplicit) client.start_tls();
  return client;
}

Client World::logged_in(const std::string& listener) {
  Client client = connect(listener);
  if (listener == kStls) {
    client.say("STLS\r\n");
    client.start_tls();
  }
  client.log_in();
  return client;
}

void World::pass(Duration time) {
  scheduler_.advance(time);
  settle();
}

metrics::BackendMetrics& World::backend_metrics(const std::string& name) {
  if (!parts_) start();
  return *parts_->backends.at(name);
}

metrics::ListenerMetrics& World::listener_metrics(const std::string& name) {
  return *service(name)->metrics;
}

std::string World::leftovers() {
  const TimePoint end = scheduler_.now() + kPatience;
  settle();
  while (gate_.count() != 0 && scheduler_.now() < end && scheduler_.advance_to_next_timer()) settle();
  std::string all = held() + gauges() + accounts() + bugs_;
  for (const Peer& peer : network_.peers()) {
    if (!peer.problem().empty()) all += peer.problem() + "\n";
  }
  return all;
}

std::string World::held() const {
  std::string all;
  const auto none = [&all](std::size_t count, const char* what) {
    if (count != 0) all += std::to_string(count) + " " + what + " left\n";
  };
  none(gate_.count(), "tasks");
  none(pool_.leased(), "leased octets");
  none(live_.load(), "live sessions");
  none(environment_.sessions.size(), "sessions");
  none(environment_.updates.size(), "updates");
  return all;
}

std::string World::gauges() const {
  std::string all;
  const auto zero = [&all](const metrics::Gauge& gauge, const std::string& what) {
    if (gauge.value() != 0) all += "gauge " + what + " is " + std::to_string(gauge.value()) + "\n";
  };
  if (!parts_) return all;
  for (const auto& [name, cells] : parts_->backends) zero(cells->sessions, name);
  for (const auto& [name, made] : parts_->services) {
    zero(made->metrics->handshake, name + " handshake");
    zero(made->metrics->authorization, name + " authorization");
    zero(made->metrics->transaction, name + " transaction");
    zero(made->metrics->update, name + " update");
  }
  return all;
}

std::string World::accounts() const {
  std::string all;
  const std::size_t told = lines_.of("session_end").size();
  if (told != connected_) {
    all += std::to_string(connected_) + " connections, " + std::to_string(told) + " lines session_end\n";
  }
  for (const std::string& password : {store.password, imap.password}) {
    if (lines_.mention(password)) all += "the log has the password\n";
  }
  return all;
}

std::string Client::say(std::string_view octets) {
  peer_->send(octets);
  return hear();
}

std::string Client::hear() {
  world_->settle();
  return peer_->take();
}

std::string Client::log_in(std::string_view user, std::string_view password) {
  say("USER " + std::string(user) + "\r\n");
  return say("PASS " + std::string(password) + "\r\n");
}

void Client::close() {
  peer_->close();
  world_->settle();
}

void Client::reset() {
  peer_->reset();
  world_->settle();
}

void Client::start_tls() {
  peer_->take();
  peer_->secure(client_tls());
  world_->settle();
}

std::string Client::end() const {
  if (!peer_->ended()) return "";
  return *peer_->ended() == IoStatus::eof ? "eof" : "reset";
}

}  // namespace postern::test
