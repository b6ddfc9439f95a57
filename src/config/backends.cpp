#include <array>
#include <set>
#include <utility>

#include "config/sections.hpp"

namespace postern::config {
namespace {

// RFC 1939 §3 and RFC 8314 §3.
constexpr std::uint16_t kPortPlain = 110;
constexpr std::uint16_t kPortImplicitTls = 995;

BackendTls read_tls(const MappingReader& backend) {
  BackendTls tls;
  tls.mark = backend.mark();
  const auto reader = backend.section("tls");
  if (!reader) return tls;
  tls.mark = reader->mark();
  reader->choice("mode", tls.mode);
  reader->choice("verify", tls.verify);
  reader->text("ca_file", tls.ca_file);
  reader->text("server_name", tls.server_name);
  reader->pins("pins_sha256", tls.pins_sha256);
  reader->choice("min_version", tls.min_version);
  if (tls.mode != BackendTlsMode::none) return tls;
  for (const std::string_view key : {"verify", "ca_file", "server_name", "pins_sha256", "min_version"}) {
    const Node* node = reader->find(key);
    if (node != nullptr)
      reader->problem(node->position, "backends[].tls." + std::string(key) +
                                          ": found a setting of TLS with 'mode: none', expected none");
  }
  return tls;
}

void read_servers(const MappingReader& reader, Backend& backend) {
  std::map<std::pair<std::string, std::uint16_t>, Position> seen;
  for (const MappingReader& item : reader.sections("servers")) {
    Server server;
    server.mark = item.mark();
    const Node* host = item.text("host", server.host);
    std::uint32_t port = backend.tls.mode == BackendTlsMode::implicit ? kPortImplicitTls : kPortPlain;
    item.count("port", port);
    server.port = static_cast<std::uint16_t>(port);
    const auto [first, is_new] = seen.emplace(std::pair(server.host, server.port), item.position());
    if (host != nullptr && !is_new)
      reader.problem(host->position, "backends[].servers[].host: found " + in_quotes(server.host) +
                                         " with port " + std::to_string(port) +
                                         " a second time, expected it once; line " +
                                         std::to_string(first->second.line) + " has it");
    backend.servers.push_back(std::move(server));
  }
}

Backend read_backend(const MappingReader& reader, Context& context) {
  Backend backend;
  backend.mark = reader.mark();
  read_unique_name(reader, context.backends, backend.name);
  reader.choice("protocol", backend.protocol);
  backend.tls = read_tls(reader);
  read_servers(reader, backend);
  reader.choice("eol", backend.eol);
  reader.duration("connect_timeout", backend.connect_timeout);
  reader.duration("greeting_timeout", backend.greeting_timeout);
  reader.duration("login_timeout", backend.login_timeout);
  reader.duration("command_timeout", backend.command_timeout);
  return backend;
}

}  // namespace

void read_backends(const MappingReader& file, Config& config) {
  for (const MappingReader& item : file.sections("backends"))
    config.backends.push_back(read_backend(item, file.context()));
}

}  // namespace postern::config
