#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "postern/base/assert.hpp"
#include "postern/base/clock.hpp"
#include "postern/base/random.hpp"

namespace postern {
namespace {

[[noreturn]] void die(const char* what) noexcept {
  std::perror(what);
  std::abort();
}

class SystemClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const noexcept override { return std::chrono::system_clock::now(); }
};

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) noexcept override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) die("getrandom");  // ENOSYS, or a sandbox that forbids it
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }
};

}  // namespace

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: this must not happen: %s\n", file, line, expression);
  std::abort();
}

std::uint64_t Random::next() noexcept {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

const Clock& system_clock() noexcept {
  static const SystemClock clock;
  return clock;
}

Random& system_random() noexcept {
  static SystemRandom random;
  return random;
}

}  // namespace postern
