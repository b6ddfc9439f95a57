#pragma once

#include <optional>

namespace postern::metrics {

/// What the kernel tells about this process. A value that cannot be read (no /proc) is left out.
struct ProcessUsage {
  std::optional<double> start_time_seconds;  ///< since 1970
  std::optional<double> cpu_seconds;
  std::optional<double> resident_bytes;
  std::optional<double> open_fds;
  std::optional<double> max_fds;
};

ProcessUsage read_process_usage();

}  // namespace postern::metrics
