#pragma once

#include <set>
#include <string>
#include <vector>

#include "postern/base/log.hpp"
#include "postern/base/result.hpp"
#include "postern/config/config.hpp"
#include "postern/net/socket.hpp"

namespace postern::app {

/// A listening socket and the name of the listener it belongs to.
class ListeningSocket {
 public:
  ListeningSocket(std::string k, std::string l, net::Descriptor s)
      : key(std::move(k)), listener(std::move(l)), socket(std::move(s)) {}
  std::string key;  ///< what the configuration says of it: name and address
  std::string listener;
  net::Descriptor socket;
};

/// The sockets of each loop.
using LoopSockets = std::vector<std::vector<ListeningSocket>>;

/// The keys of all sockets that a configuration wants.
std::set<std::string> socket_keys(const config::Config& config);

/// Opens, for each of `loops`, the sockets that `config` wants and whose keys are not among `open`. The error
/// says which address and why; then none is left open.
Result<LoopSockets, std::string> open_sockets(const config::Config& config, std::size_t loops,
                                              const std::set<std::string>& open, Log& log);
/// The same where another process has `given` some: each loop gets its share of them, and they are moved out.
/// Where there are more than loops some loops have two of a key, where there are fewer they share one.
Result<LoopSockets, std::string> open_sockets(const config::Config& config, std::size_t loops,
                                              std::vector<ListeningSocket>& given, Log& log);
/// The admin listener's, one for each address.
Result<std::vector<ListeningSocket>, std::string> open_admin_sockets(const config::Config& config,
                                                                     std::vector<ListeningSocket>& given,
                                                                     Log& log);

/// The same socket once more, so that it can be given away while a loop accepts from it.
ListeningSocket duplicate(const ListeningSocket& socket);

/// The name of the admin's sockets; no listener can have it.
inline constexpr const char* kAdminListener = "/admin";

}  // namespace postern::app
