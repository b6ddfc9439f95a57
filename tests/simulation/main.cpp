// simulate: runs worlds made by seeds. A seed that breaks a law is run again, with its trace.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

#include "simulation/simulation.hpp"
#include "support/tls_filters.hpp"

namespace {

std::mt19937_64 tls_dice;

/// Keys and nonces by the same dice in every run: signatures differ in length, and octets are counted.
int fill(unsigned char* out, int count) {
  for (int i = 0; i < count; ++i) out[i] = static_cast<unsigned char>(tls_dice());
  return 1;
}
int status() {
  return 1;
}
const RAND_METHOD kDice = {nullptr, fill, nullptr, nullptr, fill, status};

std::uint64_t running_seed = 0;
const char* program = "simulate";

void tell_how(std::uint64_t seed) {
  std::printf("again: %s --seed %llu --trace\n", program, static_cast<unsigned long long>(seed));
  std::fflush(stdout);
}

/// A run that dies has broken a law too.
extern "C" void on_death(int signal) {
  std::printf("seed %llu: died by signal %d\n", static_cast<unsigned long long>(running_seed), signal);
  tell_how(running_seed);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

postern::sim::Outcome run(std::uint64_t seed, bool traced) {
  running_seed = seed;
  tls_dice.seed(seed);
  return postern::sim::run(seed, traced);
}

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t count = 1;
  double minutes = 0;
  bool trace = false;
  bool keeps_on = false;
};

[[noreturn]] void usage() {
  std::printf(
      "usage: simulate [--seed N] [--count M] [--minutes T] [--trace] [--keep-on]\n"
      "\n"
      "  --seed N     the first seed (1)\n"
      "  --count M    so many seeds (1)\n"
      "  --minutes T  as many seeds as there is time for\n"
      "  --trace      tells what happens\n"
      "  --keep-on    goes on behind a seed that fails, without its trace\n");
  std::exit(64);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--trace") {
      options.trace = true;
    } else if (name == "--keep-on") {
      options.keeps_on = true;
    } else if (i + 1 == argc) {
      usage();
    } else {
      const std::string_view value = argv[++i];
      const auto read = [value](auto& number) {
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc() || end != value.data() + value.size()) usage();
      };
      if (name == "--seed") {
        read(options.seed);
      } else if (name == "--count") {
        read(options.count);
      } else if (name == "--minutes") {
        read(options.minutes);
      } else {
        usage();
      }
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  program = argv[0];
  const Options options = parse(argc, argv);
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL, SIGBUS}) std::signal(signal, on_death);
  RAND_set_rand_method(&kDice);
  postern::test::make_tls_server();  // the certificates are the same for all seeds
  const auto begun = std::chrono::steady_clock::now();
  const auto minutes = [begun] {
    return std::chrono::duration<double, std::ratio<60>>(std::chrono::steady_clock::now() - begun).count();
  };
  std::uint64_t done = 0, failed = 0;
  std::uint64_t visits = 0, logins = 0, messages = 0, removed = 0;
  const auto goes_on = [&] {
    return options.minutes > 0 ? minutes() < options.minutes : done < options.count;
  };
  for (std::uint64_t seed = options.seed; goes_on(); ++seed, ++done) {
    const postern::sim::Outcome outcome = run(seed, options.trace);
    visits += outcome.visits;
    logins += outcome.logins;
    messages += outcome.messages;
    removed += outcome.removed;
    if (outcome.breaches.empty()) continue;
    ++failed;
    if (!options.trace && !options.keeps_on) run(seed, true);
    std::printf("seed %llu broke the laws:\n", static_cast<unsigned long long>(seed));
    for (const std::string& breach : outcome.breaches) std::printf("  %s\n", breach.c_str());
    tell_how(seed);
    if (!options.keeps_on) break;
  }
  std::printf(
      "%llu seeds, %llu failed: %llu sessions, %llu logins, %llu messages fetched, %llu removed; %.1f s\n",
      static_cast<unsigned long long>(done), static_cast<unsigned long long>(failed),
      static_cast<unsigned long long>(visits), static_cast<unsigned long long>(logins),
      static_cast<unsigned long long>(messages), static_cast<unsigned long long>(removed), minutes() * 60);
  return failed == 0 ? 0 : 1;
}
