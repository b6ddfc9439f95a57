#include "support/tls_filters.hpp"

#include <utility>

#include "postern/base/assert.hpp"
#include "support/test_certificates.hpp"

namespace postern::test {
namespace {

TestCertificates& certificates() {
  static TestCertificates made;
  return made;
}

}  // namespace

std::unique_ptr<tls::ServerContext> make_tls_server() {
  static const TestCertificates::Files files =
      certificates().issue({kTlsName, "mail.example", "imap.example"});
  tls::ServerOptions options;
  options.certificates.push_back({files.cert_file, files.key_file});
  auto made = tls::make_server_context(options, nullptr);
  POSTERN_ASSERT(made.has_value());
  return std::move(*made);
}

std::unique_ptr<tls::ClientContext> make_tls_client() {
  tls::ClientOptions options;
  options.ca_file = certificates().ca_file();
  auto made = tls::make_client_context(options);
  POSTERN_ASSERT(made.has_value());
  return std::move(*made);
}

Filter server_tls() {
  const std::shared_ptr<tls::ServerContext> context = make_tls_server();
  return [context](std::unique_ptr<Transport> lower) { return context->accept(std::move(lower)); };
}

Filter client_tls(const std::string& name) {
  const std::shared_ptr<tls::ClientContext> context = make_tls_client();
  return
      [context, name](std::unique_ptr<Transport> lower) { return context->connect(std::move(lower), name); };
}

}  // namespace postern::test
