#include "metrics/process_usage.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace postern::metrics {
namespace {

// proc(5), /proc/[pid]/stat: fields that follow the command's name, counted from `state` = 3.
constexpr int kFirstField = 3;
constexpr int kStartTime = 22;  // in clock ticks since boot
constexpr int kResident = 24;   // in pages

void read_stat(double ticks_per_second, double boot_time, ProcessUsage& usage) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return;
  const std::size_t name_end = line.rfind(')');  // the name may hold spaces and parentheses itself
  if (name_end == std::string::npos) return;
  std::istringstream fields(line.substr(name_end + 1));
  std::string word;
  for (int i = kFirstField; fields >> word; ++i) {
    if (i == kStartTime && boot_time > 0)
      usage.start_time_seconds = boot_time + std::stod(word) / ticks_per_second;
    if (i == kResident) usage.resident_bytes = std::stod(word) * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
}

double read_boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word) {
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

std::optional<double> count_open_fds() {
  constexpr const char* kFolder = "/proc/self/fd";
  // Since Linux 6.2 the size is the number of descriptors; walking through 50,000 entries takes tens of
  // milliseconds.
  struct stat status{};
  if (stat(kFolder, &status) == 0 && status.st_size > 0) return static_cast<double>(status.st_size);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(kFolder), &closedir);
  if (!folder) return std::nullopt;
  double count = -1;  // the folder's own descriptor
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else has this folder, which is all that POSIX asks for
  while (const dirent* entry = readdir(folder.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

ProcessUsage read_process_usage() {
  ProcessUsage usage;
  read_stat(static_cast<double>(sysconf(_SC_CLK_TCK)), read_boot_time(), usage);
  usage.open_fds = count_open_fds();
  rusage times{};
  if (getrusage(RUSAGE_SELF, &times) == 0)
    usage.cpu_seconds = seconds_of(times.ru_utime) + seconds_of(times.ru_stime);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.max_fds = static_cast<double>(limit.rlim_cur);
  return usage;
}

}  // namespace postern::metrics
