#pragma once

#include "postern/config/config.hpp"

namespace postern::app {

/// How many event loops a configuration wants. `threads: auto` is the CPUs this process may use, by affinity
/// and by the cgroup's cpu.max, rounded up.
unsigned event_loops(const config::Config& config);

}  // namespace postern::app
