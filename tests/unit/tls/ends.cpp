#include "unit/tls/ends.hpp"

#include <algorithm>

#include "postern/base/assert.hpp"

namespace postern::tls {
namespace {
constexpr int kMostTurns = 1'000'000;  // a test that makes no progress ends
}  // namespace

test::TestCertificates& certificates() {
  static test::TestCertificates made;
  return made;
}

const test::TestCertificates::Files& leaf() {
  static const test::TestCertificates::Files files = certificates().issue({"mail.example"});
  return files;
}

ServerOptions server_options(const test::TestCertificates::Files& files) {
  ServerOptions options;
  options.certificates.push_back({files.cert_file, files.key_file});
  return options;
}

std::unique_ptr<ServerContext> make_server(const ServerOptions& options, std::shared_ptr<TicketKeys> keys) {
  auto made = make_server_context(options, std::move(keys));
  POSTERN_ASSERT(made.has_value());
  return std::move(*made);
}

ClientOptions client_options() {
  ClientOptions options;
  options.ca_file = certificates().ca_file();
  return options;
}

std::unique_ptr<ClientContext> make_client(const ClientOptions& options) {
  auto made = make_client_context(options);
  POSTERN_ASSERT(made.has_value());
  return std::move(*made);
}

std::shared_ptr<TicketKeys> make_keys() {
  return std::make_shared<TicketKeys>(system_clock(), system_random());
}

Ends::Ends(ClientContext& client_context, ServerContext& server_context, const std::string& host)
    : client(client_context.connect(link.transport(test::Side::a), host)),
      server(server_context.accept(link.transport(test::Side::b))) {
  link.from(test::Side::a).rules.capacity = 256_KiB;
  link.from(test::Side::b).rules.capacity = 256_KiB;
}

Ends::Ends() : Ends(*make_client(), *make_server(server_options(), make_keys())) {}

bool Ends::shake_hands() {
  const auto turn = [](TlsTransport& end, IoResult& result) {
    result = end.try_handshake();
    if (result.ok()) end.try_flush();
    return result.ok();
  };
  for (int i = 0; i < kMostTurns; ++i) {
    const bool client_goes_on = turn(*client, client_result);
    if (!turn(*server, server_result) && client_goes_on) turn(*client, client_result);  // hears the alert
    if (!client_result.ok() || !server_result.ok()) return false;
    const bool done = client_result.want == Want::none && server_result.want == Want::none;
    if (done && client->unsent() + server->unsent() == 0) return true;
  }
  return false;
}

std::string read_all(Transport& from, IoResult* last) {
  std::string got;
  std::string buffer(16_KiB, '\0');
  IoResult result;
  do {
    result = from.try_read(buffer);
    got.append(buffer, 0, result.bytes);
  } while (result.ok() && result.want == Want::none);
  if (last != nullptr) *last = result;
  return got;
}

std::string carry(Transport& from, Transport& to, std::string_view data, std::size_t buffer_size) {
  std::string got;
  std::string buffer(buffer_size, '\0');
  std::string_view rest = data;
  for (int i = 0; i < kMostTurns && got.size() < data.size(); ++i) {
    const IoResult sent = rest.empty() ? from.try_flush() : from.try_write(rest);
    rest.remove_prefix(std::min(sent.bytes, rest.size()));
    const IoResult read = to.try_read(buffer);
    got.append(buffer, 0, read.bytes);
    if (!sent.ok() || !read.ok()) break;
  }
  return got;
}

std::string_view write_all(Transport& to, std::string_view data) {
  while (!data.empty()) {
    const IoResult sent = to.try_write(data);
    data.remove_prefix(sent.bytes);
    if (!sent.ok() || sent.want != Want::none) break;
  }
  return data;
}

std::string pattern(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  unsigned state = seed;
  for (char& c : text) {
    state = state * 1'664'525U + 1'013'904'223U;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

}  // namespace postern::tls
