#pragma once

#include <memory>
#include <vector>

#include "app/assembly.hpp"
#include "app/handover.hpp"
#include "app/listening.hpp"

namespace postern::app {

/// What a start does while it still has the rights that it was started with: it reads keys that belong to
/// root and binds ports below 1024. Nothing in it has made a thread.
class Groundwork {
 public:
  std::unique_ptr<metrics::Registry> metrics;
  std::shared_ptr<tls::TicketKeys> ticket_keys;
  Assembly assembly;
  LoopSockets sockets;
  std::vector<ListeningSocket> admin_sockets;
  net::Descriptor control;       ///< of `runtime.control`, if there is one
  net::Descriptor control_lock;  ///< the right to it
};

/// `handover`: what another process gave, to be used instead of opening it; null: nothing. The error is the
/// exit status; the log was told why.
Result<Groundwork, int> lay_groundwork(const std::shared_ptr<const config::Config>& config,
                                       Handover* handover, Log& log);

}  // namespace postern::app
