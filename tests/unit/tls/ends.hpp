#pragma once

#include <memory>
#include <string>

#include "postern/tls/tls.hpp"
#include "support/memory_transport.hpp"
#include "support/test_certificates.hpp"

namespace postern::tls {

/// One set of certificates for all tests of a program: making keys takes time.
test::TestCertificates& certificates();
/// ECDSA, for "mail.example".
const test::TestCertificates::Files& leaf();

ServerOptions server_options(const test::TestCertificates::Files& files = leaf());
std::unique_ptr<ServerContext> make_server(const ServerOptions& options = server_options(),
                                           std::shared_ptr<TicketKeys> keys = nullptr);
ClientOptions client_options();
std::unique_ptr<ClientContext> make_client(const ClientOptions& options = client_options());
std::shared_ptr<TicketKeys> make_keys();

/// A client (side a) and a server (side b) of ours with a link in memory between them.
class Ends {
 public:
  explicit Ends(ClientContext& client, ServerContext& server, const std::string& host = "mail.example");
  /// The usual contexts.
  Ends();

  /// Lets both get on until both are done or one has failed; true if both are done.
  bool shake_hands();

  test::MemoryLink link;
  std::unique_ptr<TlsTransport> client;
  std::unique_ptr<TlsTransport> server;
  IoResult client_result;  ///< of the last call of the handshake
  IoResult server_result;
};

/// Reads until nothing comes any more; `last` is the result of the last call.
std::string read_all(Transport& from, IoResult* last = nullptr);
/// Writes everything and reads it on the other side, each call of reading with a buffer of `buffer` octets.
std::string carry(Transport& from, Transport& to, std::string_view data, std::size_t buffer = 16_KiB);
std::string_view write_all(Transport& to, std::string_view data);
/// Octets in which no part repeats soon, so that a mix-up shows.
std::string pattern(std::size_t size, unsigned seed = 1);

}  // namespace postern::tls
