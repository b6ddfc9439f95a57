#include "app/cpus.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace postern::app {
namespace {

/// CPUs that the cgroup's quota is worth, rounded up; 0 without a quota. Version 2 of cgroups: "max 100000"
/// or "150000 100000".
unsigned quota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string limit;
  unsigned long period = 0;
  if (!(file >> limit >> period) || limit == "max" || period == 0) return 0;
  const unsigned long microseconds = std::strtoul(limit.c_str(), nullptr, 10);
  return static_cast<unsigned>((microseconds + period - 1) / period);
}

unsigned usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  unsigned count = std::max(1U, static_cast<unsigned>(CPU_COUNT(&set)));
  if (const unsigned limit = quota(); limit != 0) count = std::min(count, limit);
  return count;
}

}  // namespace

unsigned event_loops(const config::Config& config) {
  return config.runtime.threads != 0 ? config.runtime.threads : usable_cpus();
}

}  // namespace postern::app
