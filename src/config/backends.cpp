#include <array>
#include <set>
#include <utility>

#include "config/sections.hpp"
#include "postern/config/uidl_template.hpp"

namespace postern::config {
namespace {

/// RFC 1939 §3, RFC 9051 §2.1 and RFC 8314 §3.
std::uint16_t default_port(const Backend& backend) {
  const bool implicit = backend.tls.mode == BackendTlsMode::implicit;
  if (backend.protocol == Protocol::imap) return implicit ? 993 : 143;
  return implicit ? 995 : 110;
}

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
    std::uint32_t port = default_port(backend);
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

/// The octets that may come before an id of this backend: not everybody has to look into INBOX alone.
std::size_t prefix_of(const Imap& imap, const Context& context) {
  return imap.login_separator.empty() && !context.has_other_folders ? 0 : kUidlFolderPrefix;
}

void read_uidl(const MappingReader& reader, Imap& imap) {
  std::string text;
  const Node* node = reader.text("uidl", text);
  if (node == nullptr) return;
  imap.uidl_mark = reader.context().report.mark(node->position);
  auto uidl = parse_uidl_template(text, prefix_of(imap, reader.context()));
  if (uidl) {
    imap.uidl = *std::move(uidl);
  } else {
    reader.problem(node->position, reader.path() + ".uidl: " + uidl.error().message);
  }
}

void read_imap(const MappingReader& backend, Imap& imap) {
  const auto reader = backend.section("imap");
  if (!reader) return;
  reader->choice("profile", imap.profile);
  reader->text("login_separator", imap.login_separator);
  read_uidl(*reader, imap);
  reader->choice("sizes", imap.sizes);
  reader->choice("mark_seen", imap.mark_seen);
  reader->choice("missing_inbox", imap.missing_inbox);
  reader->choice("deleted_messages", imap.deleted_messages);
  reader->choice("nul", imap.nul);
  reader->boolean("prefetch", imap.prefetch);
  reader->boolean("announce_client", imap.announce_client);
  reader->texts("not_credentials", imap.not_credentials);
  reader->count("max_messages", imap.max_messages);
  reader->size("max_message", imap.max_message);
  reader->duration("snapshot_timeout", imap.snapshot_timeout);
}

/// Settings of the other protocol.
void refuse(const MappingReader& reader, std::string_view key, const std::string& text) {
  const Node* node = reader.find(key);
  if (node != nullptr) reader.problem(node->position, "backends[]." + std::string(key) + ": found " + text);
}

void read_protocol_settings(const MappingReader& reader, Backend& backend) {
  if (backend.protocol == Protocol::imap) {
    backend.imap.uidl_mark = backend.mark;
    read_imap(reader, backend.imap);
    refuse(reader, "eol", "a setting of POP3 with 'protocol: imap', expected none");
  } else {
    reader.choice("eol", backend.eol);
    refuse(reader, "imap", "a section with 'protocol: pop3', expected 'protocol: imap' or none");
  }
}

Backend read_backend(const MappingReader& reader, Context& context) {
  Backend backend;
  backend.mark = reader.mark();
  read_unique_name(reader, context.backends, backend.name);
  const Node* protocol = reader.choice("protocol", backend.protocol);
  // One mistake, one problem: what follows from a protocol that could not be read is not told.
  const bool is_known = protocol != nullptr || reader.find("protocol") == nullptr;
  if (is_known && backend.protocol == Protocol::pop3 && !backend.name.empty())
    context.pop3_backends.insert(backend.name);
  backend.tls = read_tls(reader);
  read_servers(reader, backend);
  if (is_known) read_protocol_settings(reader, backend);
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
