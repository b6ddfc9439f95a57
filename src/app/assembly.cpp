#include "app/assembly.hpp"

#include <utility>

namespace postern::app {
namespace {

tls::Version version(config::TlsVersion value) noexcept {
  switch (value) {
    case config::TlsVersion::tls1_0:
      return tls::Version::tls1_0;
    case config::TlsVersion::tls1_1:
      return tls::Version::tls1_1;
    case config::TlsVersion::tls1_2:
      return tls::Version::tls1_2;
    case config::TlsVersion::tls1_3:
      break;
  }
  return tls::Version::tls1_3;
}

tls::ServerOptions server_options(const config::TlsProfile& profile) {
  tls::ServerOptions options;
  for (const auto& certificate : profile.certificates) {
    options.certificates.push_back({certificate.cert_file, certificate.key_file});
  }
  options.min_version = version(profile.min_version);
  options.max_version = version(profile.max_version);
  options.ciphers = profile.ciphers;
  options.ciphersuites = profile.ciphersuites;
  options.curves = profile.curves;
  return options;
}

tls::ClientOptions client_options(const config::BackendTls& settings) {
  tls::ClientOptions options;
  options.verify = settings.verify == config::Verify::full;
  options.ca_file = settings.ca_file;
  options.pins_sha256 = settings.pins_sha256;
  options.min_version = version(settings.min_version);
  return options;
}

config::Problem problem(const config::Mark& mark, const tls::SetupError& error) {
  const std::string subject = error.subject.empty() ? std::string() : error.subject + ": ";
  return config::Problem{mark, subject + error.message};
}

/// The place of the certificate that an error is about, or of the whole profile.
const config::Mark& place(const config::TlsProfile& profile, const tls::SetupError& error) {
  for (const auto& certificate : profile.certificates) {
    if (error.subject == certificate.cert_file || error.subject == certificate.key_file)
      return certificate.mark;
  }
  return profile.mark;
}

/// Makes the parts of one loop.
class LoopAssembler {
 public:
  LoopAssembler(std::shared_ptr<const config::Config> config, metrics::Registry& registry, unsigned loop,
                std::shared_ptr<tls::TicketKeys> keys, config::Problems& problems)
      : config_(std::move(config)),
        registry_(registry),
        loop_(loop),
        keys_(std::move(keys)),
        problems_(problems) {}

  Services make() {
    make_contexts();
    const std::shared_ptr<backend::Directory> directory = make_directory();
    const std::shared_ptr<auth::Authenticator> authenticator = auth::make_pass_through();
    Services services;
    for (const config::Listener& listener : config_->listeners) {
      auto service = std::make_shared<session::Service>();
      service->config = config_;
      service->listener = &listener;
      if (listener.tls != config::ListenerTls::none) service->tls = contexts_[listener.profile];
      service->metrics = registry_.listener(loop_, listener.name);
      service->directory = directory;
      service->authenticator = authenticator;
      services.emplace(listener.name, std::move(service));
    }
    return services;
  }

  std::vector<metrics::CertificateExpiry> certificates() const {
    std::vector<metrics::CertificateExpiry> all;
    for (const auto& [profile, context] : contexts_) {
      if (!context) continue;
      for (const tls::CertificateInfo& info : context->certificates()) {
        all.push_back({profile, info.names.empty() ? info.file : info.names.front(), info.not_after});
      }
    }
    return all;
  }

 private:
  void make_contexts() {
    for (const auto& [name, profile] : config_->tls_profiles) {
      auto context = tls::make_server_context(server_options(profile), keys_);
      if (context) {
        contexts_[name] = std::move(*context);
      } else {
        problems_.push_back(problem(place(profile, context.error()), context.error()));
      }
    }
  }

  std::shared_ptr<backend::Directory> make_directory() {
    std::vector<std::shared_ptr<backend::Backend>> backends;
    for (const config::Backend& settings : config_->backends) {
      std::unique_ptr<tls::ClientContext> context;
      if (settings.tls.mode != config::BackendTlsMode::none) {
        auto made = tls::make_client_context(client_options(settings.tls));
        if (made) {
          context = std::move(*made);
        } else {
          problems_.push_back(problem(settings.tls.mark, made.error()));
        }
      }
      backends.push_back(std::make_shared<backend::Backend>(config_, settings, std::move(context),
                                                            registry_.backend(loop_, settings.name)));
    }
    return std::make_shared<backend::Directory>(config_, std::move(backends));
  }

  std::shared_ptr<const config::Config> config_;
  metrics::Registry& registry_;
  unsigned loop_;
  std::shared_ptr<tls::TicketKeys> keys_;
  config::Problems& problems_;
  std::map<std::string, std::shared_ptr<tls::ServerContext>> contexts_;
};

}  // namespace

Result<Assembly, config::Problems> assemble(const std::shared_ptr<const config::Config>& config,
                                            metrics::Registry& registry,
                                            const std::shared_ptr<tls::TicketKeys>& ticket_keys) {
  config::Problems problems;
  Assembly assembly;
  assembly.config = config;
  for (unsigned loop = 0; loop < registry.loops(); ++loop) {
    LoopAssembler assembler(config, registry, loop, ticket_keys, problems);
    assembly.services.push_back(assembler.make());
    if (!problems.empty()) return problems;
    if (loop == 0) assembly.certificates = assembler.certificates();
  }
  return assembly;
}

config::Problems changed_uidls(const config::Config& config, const config::ServedUidls& served) {
  config::Problems problems;
  for (const auto& change : config::uidl_changes(config, served)) problems.push_back(change.to_problem());
  return problems;
}

void report(Log& log, const config::Problems& problems) {
  for (const config::Problem& problem : problems) {
    LogLine(log, LogLevel::error, "config_error", "configuration error").field("detail", problem.to_string());
  }
}

}  // namespace postern::app
