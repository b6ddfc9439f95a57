#pragma once

#include <string_view>

namespace postern::app {

/// Tells the service manager (sd_notify(3): a datagram to $NOTIFY_SOCKET), if there is one that listens:
/// "READY=1", "STOPPING=1". Never fails and never waits. On the main thread.
void tell_service_manager(std::string_view state);

/// That this process serves, and is the one to watch: also the one that has taken over from it.
void tell_ready();
/// That the configuration is read again; tell_ready() ends it.
void tell_reloading();

}  // namespace postern::app
