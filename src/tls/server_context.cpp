#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <unordered_map>

#include "postern/base/ascii.hpp"
#include "tls/certificate.hpp"
#include "tls/context_rules.hpp"
#include "tls/openssl.hpp"
#include "tls/ssl_transport.hpp"
#include "tls/ticket_seal.hpp"

namespace postern::tls {
namespace {

/// What the callbacks need; transports keep it alive.
struct Profile {
  std::vector<SslContextPtr> contexts;  ///< one for each set of names; the first is the default
  std::unordered_map<std::string, SSL_CTX*> by_name;
  std::string alpn;
  std::optional<TicketSeal> tickets;
};

SSL_CTX* find_context(const Profile& profile, std::string_view server_name) {
  const std::string name = ascii::to_lower(server_name);
  if (const auto exact = profile.by_name.find(name); exact != profile.by_name.end()) return exact->second;
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos || dot == 0) return nullptr;
  const auto wildcard = profile.by_name.find("*" + name.substr(dot));
  return wildcard == profile.by_name.end() ? nullptr : wildcard->second;
}

int on_server_name(SSL* ssl, int*, void* profile) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SslTransport::of(ssl).set_server_name(name);
  SSL_CTX* const context = find_context(*static_cast<const Profile*>(profile), name);
  // An unknown name gets the default certificate: many clients connect by names that only
  // the operator's DNS knows.
  if (context == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_SSL_CTX(ssl, context);
  return SSL_TLSEXT_ERR_OK;
}

/// RFC 7301 §3.2. Refusing what is not ours keeps a browser's request from being answered
/// here under our certificate.
int on_alpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
            unsigned int in_length, void* argument) {
  const std::string& ours = static_cast<const Profile*>(argument)->alpn;
  for (unsigned at = 0; at < in_length; at += 1U + in[at]) {
    if (in_length - at <= in[at]) break;
    const std::string_view offered(reinterpret_cast<const char*>(in + at + 1), in[at]);
    if (offered != ours) continue;
    *out = in + at + 1;
    *out_length = in[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
              int make) {
  const auto& profile = *static_cast<const Profile*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return make != 0 ? profile.tickets->seal(name, iv, cipher, mac)
                   : profile.tickets->open(name, iv, cipher, mac);
}

/// Tickets are shared by all contexts of the process, so what a session was allowed under one set of rules
/// must not be taken over by another: the id is made of the rules. Files go in by name, so that a renewed
/// certificate keeps sessions.
void set_session_id_context(SSL_CTX* context, const ServerOptions& options) {
  std::string rules;
  const auto add = [&](std::string_view text) {
    rules.append(std::to_string(text.size())).append(":").append(text);
  };
  add(std::to_string(static_cast<int>(options.min_version)));
  add(std::to_string(static_cast<int>(options.max_version)));
  for (const std::string* text : {&options.ciphers, &options.ciphersuites, &options.curves, &options.alpn})
    add(*text);
  for (const CertificateFiles& files : options.certificates) add(files.cert_file);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  static_assert(sizeof digest <= SSL_MAX_SID_CTX_LENGTH);
  SHA256(reinterpret_cast<const unsigned char*>(rules.data()), rules.size(), digest);
  SSL_CTX_set_session_id_context(context, digest, sizeof digest);
}

Result<void, SetupError> set_algorithms(SSL_CTX* context, const ServerOptions& options) {
  ERR_clear_error();
  if (!options.ciphers.empty() && SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) != 1) {
    return SetupError{"ciphers", take_error()};
  }
  if (!options.ciphersuites.empty() && SSL_CTX_set_ciphersuites(context, options.ciphersuites.c_str()) != 1) {
    return SetupError{"ciphersuites", take_error()};
  }
  if (!options.curves.empty() && SSL_CTX_set1_groups_list(context, options.curves.c_str()) != 1) {
    return SetupError{"curves", take_error()};
  }
  return {};
}

Result<SslContextPtr, SetupError> make_context(const ServerOptions& options, Profile& profile) {
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) throw std::bad_alloc();
  SSL_CTX* const c = context.get();
  if (!apply_rules(c, options.min_version, options.max_version))
    return SetupError{"min_version", take_error()};
  if (auto set = set_algorithms(c, options); !set) return std::move(set).error();
  SSL_CTX_set_dh_auto(c, 1);  // DHE for clients without ECDHE
  set_session_id_context(c, options);
  SSL_CTX_set_app_data(c, &profile);
  SSL_CTX_set_tlsext_servername_callback(c, on_server_name);
  SSL_CTX_set_tlsext_servername_arg(c, &profile);
  if (!profile.alpn.empty()) SSL_CTX_set_alpn_select_cb(c, on_alpn, &profile);
  SSL_CTX_set_num_tickets(c, profile.tickets ? 1 : 0);
  if (profile.tickets) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(c, on_ticket);
  } else {
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
  }
  return context;
}

Result<void, SetupError> use_certificate(SSL_CTX* context, const Certificate& certificate) {
  ERR_clear_error();
  STACK_OF(X509)* const chain = sk_X509_new_null();
  for (const X509Ptr& link : certificate.chain) sk_X509_push(chain, link.get());
  const int used = SSL_CTX_use_cert_and_key(context, certificate.leaf.get(), certificate.key.get(), chain, 1);
  sk_X509_free(chain);
  if (used != 1) return SetupError{certificate.info.file, "cannot be used: " + take_error()};
  return {};
}

/// Puts certificates into contexts. Those with the same names and keys of different types share one, where
/// OpenSSL chooses by what the client can verify.
class ContextTable {
 public:
  ContextTable(const ServerOptions& options, Profile& profile) : options_(options), profile_(profile) {}

  Result<void, SetupError> add(const Certificate& certificate) {
    std::vector<std::string> names = certificate.info.names;
    std::sort(names.begin(), names.end());
    for (Entry& entry : entries_) {
      const bool has_type =
          std::count(entry.key_types.begin(), entry.key_types.end(), certificate.key_type()) > 0;
      if (has_type || entry.names != names) continue;
      entry.key_types.push_back(certificate.key_type());
      return use_certificate(entry.context, certificate);
    }
    Result<SslContextPtr, SetupError> made = make_context(options_, profile_);
    if (!made) return std::move(made).error();
    SSL_CTX* const context = made->get();
    profile_.contexts.push_back(std::move(*made));
    for (const std::string& name : names) profile_.by_name.emplace(name, context);
    entries_.push_back({std::move(names), {certificate.key_type()}, context});
    return use_certificate(context, certificate);
  }

 private:
  struct Entry {
    std::vector<std::string> names;
    std::vector<int> key_types;
    SSL_CTX* context;
  };

  const ServerOptions& options_;
  Profile& profile_;
  std::vector<Entry> entries_;
};

class SslServerContext final : public ServerContext {
 public:
  SslServerContext(std::shared_ptr<const Profile> profile, std::vector<CertificateInfo> certificates)
      : profile_(std::move(profile)), certificates_(std::move(certificates)) {}

  std::unique_ptr<TlsTransport> accept(std::unique_ptr<Transport> lower) override {
    return std::make_unique<SslTransport>(profile_->contexts.front().get(), SslTransport::Role::server,
                                          std::move(lower), profile_);
  }

  const std::vector<CertificateInfo>& certificates() const noexcept override { return certificates_; }

 private:
  std::shared_ptr<const Profile> profile_;
  std::vector<CertificateInfo> certificates_;
};

}  // namespace

Result<std::unique_ptr<ServerContext>, SetupError> make_server_context(const ServerOptions& options,
                                                                       std::shared_ptr<TicketKeys> keys) {
  if (options.certificates.empty()) return SetupError{"certificates", "at least one certificate is needed"};
  if (options.max_version < options.min_version) return SetupError{"max_version", "is below min_version"};
  if (!options.alpn.empty() && alpn_list(options.alpn).empty()) return SetupError{"alpn", "is too long"};

  auto profile = std::make_shared<Profile>();
  profile->alpn = options.alpn;
  if (keys) profile->tickets.emplace(std::move(keys));
  ContextTable table(options, *profile);
  std::vector<CertificateInfo> infos;
  for (const CertificateFiles& files : options.certificates) {
    Result<Certificate, SetupError> certificate = load_certificate(files);
    if (!certificate) return std::move(certificate).error();
    if (auto added = table.add(*certificate); !added) return std::move(added).error();
    infos.push_back(std::move(certificate->info));
  }
  return std::unique_ptr<ServerContext>(
      std::make_unique<SslServerContext>(std::move(profile), std::move(infos)));
}

}  // namespace postern::tls
