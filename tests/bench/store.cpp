// The synthetic store: POP3 and IMAP on ports of its own choice, which it prints.
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <string>

#include "bench/mailbox.hpp"
#include "bench/service.hpp"

namespace postern::bench {
namespace {

using MakeService = std::unique_ptr<Service> (*)(Poller&, int, Ssl, std::chrono::milliseconds);

struct Options {
  std::string certificate;
  std::string key;
  std::string print_user;
  std::uint32_t print_number = 1;
  int distance = 0;
};

SslContext make_context(const Options& options) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_num_tickets(context.get(), 1);
  if (SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    fail("the certificate cannot be used");
  }
  return context;
}

class Listener final : public Pollable {
 public:
  Listener(Poller& poller, SSL_CTX* context, std::chrono::milliseconds distance, MakeService make)
      : Pollable(listen_on(0)), poller_(poller), context_(context), distance_(distance), make_(make) {}

  void on_ready(std::uint32_t /*events*/) override {
    for (;;) {
      const int socket = accept4(descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      Ssl ssl(context_ ? SSL_new(context_) : nullptr);
      if (ssl) SSL_set_accept_state(ssl.get());
      std::unique_ptr<Service> service = make_(poller_, socket, std::move(ssl), distance_);
      Service& added = *service;
      poller_.add(std::move(service), EPOLLIN);
      added.on_time();  // the greeting, if no handshake comes first
    }
  }

 private:
  Poller& poller_;
  SSL_CTX* context_;
  std::chrono::milliseconds distance_;
  MakeService make_;
};

void serve(const Options& options) {
  Poller poller;
  const std::chrono::milliseconds distance(options.distance);
  SslContext context = options.certificate.empty() ? nullptr : make_context(options);
  const auto open = [&](const char* name, SSL_CTX* tls, MakeService make) {
    auto listener = std::make_unique<Listener>(poller, tls, distance, make);
    fmt::print("{} {}\n", name, port_of(listener->descriptor()));
    poller.add(std::move(listener), EPOLLIN);
  };
  open("pop3", nullptr, make_pop3_service);
  open("imap", nullptr, make_imap_service);
  if (context) open("pop3s", context.get(), make_pop3_service);
  fmt::print("ready\n");
  std::fflush(stdout);
  for (;;) poller.turn(Time::max());
}

/// A message as it is delivered to another store.
int print_message(const Options& options) {
  const auto mailbox = Mailbox::of_user(options.print_user);
  if (!mailbox) return 1;
  fmt::print("{}{}", header_of(*mailbox, options.print_number), body_of(mailbox->octets).plain);
  return 0;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) {
  using namespace postern::bench;
  Options options;
  CLI::App app("A store of mail that is made up, for measuring what stands in front of it.");
  app.add_option("--cert", options.certificate, "certificate chain; with it there is pop3s too")
      ->check(CLI::ExistingFile);
  app.add_option("--key", options.key)->check(CLI::ExistingFile);
  app.add_option("--distance", options.distance, "milliseconds by which each answer is late");
  app.add_option("--print", options.print_user, "print a message of this user instead");
  app.add_option("--number", options.print_number, "which one");
  CLI11_PARSE(app, argc, argv);
  if (!options.print_user.empty()) return print_message(options);
  serve(options);
}
