#include <algorithm>
#include <string>

#include "fuzz/input.hpp"
#include "postern/base/assert.hpp"
#include "postern/config/loader.hpp"

namespace {

using namespace postern;

void check_problems(const config::Problems& problems, std::size_t lines) {
  POSTERN_ASSERT(!problems.empty());
  for (const config::Problem& problem : problems) {
    POSTERN_ASSERT(!problem.message.empty() && problem.mark.file == "f.yaml");
    POSTERN_ASSERT(problem.mark.line >= 1 && problem.mark.line <= lines + 1 && problem.mark.column >= 1);
    for (const char c : problem.to_string()) {  // it goes to a terminal and into a line of the log
      POSTERN_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    }
  }
}

bool is_named(const std::vector<config::Backend>& backends, const std::string& name) {
  return std::any_of(backends.begin(), backends.end(),
                     [&](const config::Backend& backend) { return backend.name == name; });
}

void check_config(const config::Config& config) {
  POSTERN_ASSERT(!config.listeners.empty() && !config.backends.empty() && !config.routes.empty());
  for (const config::Listener& listener : config.listeners) {
    POSTERN_ASSERT(!listener.name.empty() && !listener.bind.empty());
    POSTERN_ASSERT((listener.tls == config::ListenerTls::none) == listener.profile.empty());
    POSTERN_ASSERT(listener.profile.empty() || config.tls_profiles.contains(listener.profile));
  }
  for (const config::Backend& backend : config.backends) {
    POSTERN_ASSERT(!backend.servers.empty());
    for (const config::Server& server : backend.servers)
      POSTERN_ASSERT(!server.host.empty() && server.port != 0);
  }
  for (const config::Route& route : config.routes) POSTERN_ASSERT(is_named(config.backends, route.backend));
  POSTERN_ASSERT(config.limits.max_sessions > 0 && config.limits.login_timeout.count() > 0);
}

}  // namespace

/// A configuration file: it is refused with places that are in it, in words that a terminal takes, or what it
/// says fits together.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::Input(data, size).rest();
  const auto loaded = config::load_text(text, "f.yaml", "/nowhere");
  // YAML has more line ends than LF: CR, and U+0085, U+2028 and U+2029.
  const auto lines = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return c == '\n' || c == '\r' || (static_cast<unsigned char>(c) >= 0x80);
  }));
  if (loaded) {
    check_config(*loaded);
  } else {
    check_problems(loaded.error(), lines + 1);
  }
  return 0;
}
