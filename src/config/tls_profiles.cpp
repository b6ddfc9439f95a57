#include <utility>

#include "config/sections.hpp"
#include "config/values.hpp"

namespace postern::config {
namespace {

std::string_view word(const MappingReader& reader, std::string_view key, TlsVersion version) {
  return choices_of(reader.setting(key))[static_cast<std::size_t>(version)];
}

void read_versions(const MappingReader& reader, TlsProfile& profile) {
  const Node* least = reader.choice("min_version", profile.min_version);
  const Node* most = reader.choice("max_version", profile.max_version);
  if (profile.min_version <= profile.max_version) return;
  const Node* culprit = least != nullptr ? least : most;
  reader.problem(culprit->position, reader.path() + ": found min_version " +
                                        std::string(word(reader, "min_version", profile.min_version)) +
                                        " above max_version " +
                                        std::string(word(reader, "max_version", profile.max_version)) +
                                        ", expected it below or equal");
}

TlsProfile read_profile(const MappingReader& reader, const std::string& name) {
  TlsProfile profile;
  profile.name = name;
  profile.mark = reader.mark();
  for (const MappingReader& item : reader.sections("certificates")) {
    Certificate certificate;
    certificate.mark = item.mark();
    item.text("cert", certificate.cert_file);
    item.text("key", certificate.key_file);
    profile.certificates.push_back(std::move(certificate));
  }
  read_versions(reader, profile);
  reader.text("ciphers", profile.ciphers);
  reader.text("ciphersuites", profile.ciphersuites);
  reader.text("curves", profile.curves);
  return profile;
}

}  // namespace

void read_tls_profiles(const MappingReader& file, Config& config) {
  const auto tls = file.section("tls");
  const auto profiles = tls ? tls->section("profiles") : std::nullopt;
  if (!profiles) return;
  for (const Entry& entry : profiles->entries()) {
    if (!is_name(entry.key))
      profiles->problem(entry.position, "tls.profiles: found " + in_quotes(entry.key) +
                                            ", expected a name of 1 to 32 of a-z, 0-9, '_' and '-'");
    const bool is_new = file.context().profiles.emplace(entry.key, entry.position).second;
    if (is_new) config.tls_profiles.emplace(entry.key, read_profile(profiles->named(entry), entry.key));
  }
}

}  // namespace postern::config
