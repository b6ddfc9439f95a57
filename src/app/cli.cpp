#include "postern/app/cli.hpp"

#include <openssl/crypto.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "app/exit_status.hpp"
#include "app/handover.hpp"
#include "app/log_sink.hpp"
#include "app/rights.hpp"
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
  if (changed == ChangedUidls::refuse) {
    const config::Problems problems = changed_uidls(*config, served_before(*config));
    if (!problems.empty()) return complain(problems);
  }
  auto assembly = assemble(config, registry, keys);
  if (!assembly) return complain(assembly.error());
  if (const config::Problems problems = check_user(*config); !problems.empty()) return complain(problems);
  for (const config::Problem& problem : check_access(*config)) {
    std::printf("%s (as %s: a reload would fail)\n", problem.to_string().c_str(),
                config->runtime.user.c_str());
  }
  std::printf("%s: ok\n", path.c_str());
  return kExitOk;
}

/// Whose place the process takes.
enum class Start : std::uint8_t { fresh, takeover };

/// What the process behind `runtime.control` gives; the exit status where it does not.
Result<Predecessor, int> take_over(const config::Config& config, Log& log) {
  const std::string& control = config.runtime.control;
  auto asked = control.empty() ? Result<Predecessor, std::string>(std::string("runtime.control is not set"))
                               : Predecessor::ask(control);
  if (asked) return std::move(*asked);
  LogLine(log, LogLevel::error, "start_failed", "cannot take over").field("detail", asked.error());
  return kExitUnavailable;
}

/// `serving` is called once it does.
int serve(const std::string& path, ChangedUidls changed, Start start, const std::function<void()>& serving) {
  auto loaded = config::load_file(path);
  if (!loaded) return complain(loaded.error());
  auto config = std::make_shared<const config::Config>(std::move(*loaded));
  AsyncLogSink sink(config->log.target == config::LogTarget::out ? STDOUT_FILENO : STDERR_FILENO);
  Log log(sink, system_clock(), config->log.format, config->log.level);
  std::optional<Predecessor> predecessor;
  if (start == Start::takeover) {
    auto taken = take_over(*config, log);
    if (!taken) return taken.error();
    predecessor = std::move(*taken);
  }
  auto ground = lay_groundwork(config, predecessor ? &predecessor->handover : nullptr, log);
  if (!ground) return ground.error();
  if (const auto given_up = give_up_rights(*config, log); !given_up) return given_up.error();
  sink.start();
  Supervisor supervisor(path, std::move(*ground), log);
  return supervisor.run(changed, [&] {
    if (predecessor) predecessor->release();
    serving();
  });
}

/// Takes over in a process of its own, so that whoever asked for it (a service manager, a shell) hears when
/// it serves, or why it does not; the exit status is then that of the process that failed.
int serve_instead(const std::string& path, ChangedUidls changed) {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) return kExitUnavailable;
  net::Descriptor reading(ends[0]);
  net::Descriptor writing(ends[1]);
  const pid_t child = fork();
  if (child < 0) return kExitUnavailable;
  if (child == 0) {
    reading = net::Descriptor();
    std::signal(SIGPIPE, SIG_IGN);  // whoever asked may be gone by then, and mail goes on
    return serve(path, changed, Start::takeover, [&] {
      const char served = 1;
      if (write(writing.number(), &served, 1) < 0) return;  // nobody waits any more
      writing = net::Descriptor();
    });
  }
  writing = net::Descriptor();
  char served = 0;
  if (read(reading.number(), &served, 1) == 1) return kExitOk;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kExitUnavailable;
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
  CLI::App* taking_over = program.add_subcommand(
      "takeover",
      "serve in the place of the postern behind runtime.control, which then drains; returns once it does");
  taking_over->add_option("-c,--config", path, "the configuration file")->capture_default_str();
  program.require_subcommand(0, 1);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return program.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  const ChangedUidls changed = accept_uidl_change ? ChangedUidls::accept : ChangedUidls::refuse;
  if (check_only || checking->parsed()) return check(path, changed);
  if (taking_over->parsed()) return serve_instead(path, changed);
  return serve(path, changed, Start::fresh, [] {});
}

}  // namespace postern::app
