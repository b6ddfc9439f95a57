#include <utility>

#include "config/sections.hpp"

namespace postern::config {
namespace {

void check_profile(const MappingReader& reader, const Node* profile, const Listener& listener) {
  if (listener.tls == ListenerTls::none) {
    if (profile != nullptr)
      reader.problem(profile->position,
                     "listeners[].profile: found a TLS profile with 'tls: none', expected none");
    return;
  }
  if (reader.find("profile") == nullptr) {
    reader.problem(
        reader.position(),
        "missing key 'profile' in listeners[], expected one of tls.profiles unless there is 'tls: none'");
  } else if (profile != nullptr && !reader.context().profiles.contains(listener.profile)) {
    const auto known = names_of(reader.context().profiles);
    if (known.empty()) {
      reader.problem(profile->position, "listeners[].profile: found " + in_quotes(listener.profile) +
                                            ", but there are no tls.profiles");
    } else {
      reader.unknown_word(*profile, reader.setting("profile"), known);
    }
  }
}

/// Without TLS and with a login that needs TLS every login would be refused.
void check_login(const MappingReader& reader, const Listener& listener) {
  if (listener.tls != ListenerTls::none || !listener.require_tls_for_auth) return;
  const Node* written = reader.find("require_tls_for_auth");
  const Position position = written != nullptr ? written->position : reader.position();
  reader.problem(
      position,
      "listeners[]: nobody could log in with 'tls: none', expected 'require_tls_for_auth: false' if "
      "passwords may cross the network in plaintext");
}

Listener read_listener(const MappingReader& reader, std::map<std::string, Position, std::less<>>& names) {
  Listener listener;
  listener.mark = reader.mark();
  read_unique_name(reader, names, listener.name);
  reader.addresses("bind", listener.bind);
  const bool tls_is_wrong = reader.choice("tls", listener.tls) == nullptr && reader.find("tls") != nullptr;
  const bool login_is_wrong =
      reader.boolean("require_tls_for_auth", listener.require_tls_for_auth) == nullptr &&
      reader.find("require_tls_for_auth") != nullptr;
  const Node* profile = reader.text("profile", listener.profile);
  read_view_name(reader, listener.view);
  // One mistake, one problem: what follows from a value that could not be read is not told.
  if (tls_is_wrong || !reader.is_mapping()) return listener;
  check_profile(reader, profile, listener);
  if (!login_is_wrong) check_login(reader, listener);
  return listener;
}

}  // namespace

void read_listeners(const MappingReader& file, Config& config) {
  std::map<std::string, Position, std::less<>> names;
  for (const MappingReader& item : file.sections("listeners"))
    config.listeners.push_back(read_listener(item, names));
}

}  // namespace postern::config
