#include "postern/app/cli.hpp"

#include <openssl/crypto.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>
#include <utility>

#include "app/exit_status.hpp"
#include "app/log_sink.hpp"
#include "app/supervisor.hpp"
#include "app/version.hpp"
#include "postern/config/loader.hpp"
#include "postern/loop/loop.hpp"
#include "postern/store/loop_store.hpp"

namespace postern::app {
namespace {

constexpr const char* kDefaultConfig = "/etc/postern/postern.yaml";

int complain(const config::Problems& problems) {
  for (const config::Problem& problem : problems) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
  return kExitConfig;
}

/// By what a start would be held to; nothing where that cannot be found out, which is told.
config::ServedUidls served_before(const config::Config& config) {
  const std::string& file = config.store.file;
  if (file.empty()) return {};
  auto served = store::read_served_uidls(file, config::served_by(config));
  if (served) {
    std::printf("%s: unique-ids compared with those served before\n", file.c_str());
    return std::move(*served);
  }
  std::printf("%s: unique-ids not compared: %s\n", file.c_str(), served.error().c_str());
  return {};
}

/// Everything that a start would find wrong, without opening a socket or changing a file.
int check(const std::string& path, ChangedUidls changed) {
  auto loaded = config::load_file(path);
  if (!loaded) return complain(loaded.error());
  auto config = std::make_shared<const config::Config>(std::move(*loaded));
  metrics::Registry registry(1, metrics::BuildInfo());
  auto keys = std::make_shared<tls::TicketKeys>(system_clock(), system_random());
  const bool held_to_it = changed == ChangedUidls::refuse;
  auto assembly =
      assemble(config, registry, keys, held_to_it ? served_before(*config) : config::ServedUidls());
  if (!assembly) return complain(assembly.error());
  std::printf("%s: ok\n", path.c_str());
  return kExitOk;
}

int serve(const std::string& path, ChangedUidls changed) {
  auto loaded = config::load_file(path);
  if (!loaded) return complain(loaded.error());
  auto config = std::make_shared<const config::Config>(std::move(*loaded));
  AsyncLogSink sink(config->log.target == config::LogTarget::out ? STDOUT_FILENO : STDERR_FILENO);
  Log log(sink, system_clock(), config->log.format, config->log.level);
  Supervisor supervisor(path, config, log);
  return supervisor.run(changed);
}

std::string version_text() {
  return std::string("postern ") + kVersion + "\n" + OpenSSL_version(OPENSSL_VERSION) + "\nlibuv " +
         loop::libuv_version();
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App program("A POP3 gateway: terminates TLS, authenticates, and relays to the stores behind it.",
                   "postern");
  std::string path = kDefaultConfig;
  bool check_only = false;
  bool accept_uidl_change = false;
  program.add_option("-c,--config", path, "the configuration file")->capture_default_str();
  program.add_flag("-t,--check-config", check_only,
                   "check the configuration and exit, as `postern check` does");
  program.add_flag("--accept-uidl-change", accept_uidl_change,
                   "start though mail programs will see other unique-ids and fetch every message again");
  program.set_version_flag("-V,--version", version_text(), "show the versions and exit");
  CLI::App* checking =
      program.add_subcommand("check", "check the configuration: 0 if it is right, 78 if not");
  checking->add_option("-c,--config", path, "the configuration file")->capture_default_str();
  checking->add_flag("--accept-uidl-change", accept_uidl_change, "do not compare unique-ids");
  program.require_subcommand(0, 1);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return program.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  const ChangedUidls changed = accept_uidl_change ? ChangedUidls::accept : ChangedUidls::refuse;
  return check_only || checking->parsed() ? check(path, changed) : serve(path, changed);
}

}  // namespace postern::app
