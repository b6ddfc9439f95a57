#include "postern/app/cli.hpp"

#include <openssl/crypto.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

#include "app/exit_status.hpp"
#include "app/log_sink.hpp"
#include "app/supervisor.hpp"
#include "app/version.hpp"
#include "postern/config/loader.hpp"
#include "postern/loop/loop.hpp"

namespace postern::app {
namespace {

constexpr const char* kDefaultConfig = "/etc/postern/postern.yaml";

int complain(const config::Problems& problems) {
  for (const config::Problem& problem : problems) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
  return kExitConfig;
}

/// Everything that a start would find wrong, without opening a socket.
int check(const std::string& path) {
  auto loaded = config::load_file(path);
  if (!loaded) return complain(loaded.error());
  auto config = std::make_shared<const config::Config>(std::move(*loaded));
  metrics::Registry registry(1, metrics::BuildInfo());
  auto keys = std::make_shared<tls::TicketKeys>(system_clock(), system_random());
  auto assembly = assemble(config, registry, keys);
  if (!assembly) return complain(assembly.error());
  std::printf("%s: ok\n", path.c_str());
  return kExitOk;
}

int serve(const std::string& path) {
  auto loaded = config::load_file(path);
  if (!loaded) return complain(loaded.error());
  auto config = std::make_shared<const config::Config>(std::move(*loaded));
  AsyncLogSink sink(config->log.target == config::LogTarget::out ? STDOUT_FILENO : STDERR_FILENO);
  Log log(sink, system_clock(), config->log.format, config->log.level);
  Supervisor supervisor(path, config, log);
  return supervisor.run();
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
  program.add_option("-c,--config", path, "the configuration file")->capture_default_str();
  program.add_flag("-t,--check-config", check_only,
                   "check the configuration and exit, as `postern check` does");
  program.set_version_flag("-V,--version", version_text(), "show the versions and exit");
  CLI::App* checking =
      program.add_subcommand("check", "check the configuration: 0 if it is right, 78 if not");
  checking->add_option("-c,--config", path, "the configuration file")->capture_default_str();
  program.require_subcommand(0, 1);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return program.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  return check_only || checking->parsed() ? check(path) : serve(path);
}

}  // namespace postern::app
