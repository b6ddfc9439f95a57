#include "config/settings_table.hpp"

#include <chrono>

#include "config/suggest.hpp"
#include "config/values.hpp"

namespace postern::config {
namespace {

constexpr std::int64_t kMillisecond = 1;
constexpr std::int64_t kSecond = 1000 * kMillisecond;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;

constexpr std::string_view kTlsVersions = "TLS1.0|TLS1.1|TLS1.2|TLS1.3";

constexpr Setting kSettings[] = {
    {.path = "version",
     .type = Type::count,
     .required = true,
     .least = 1,
     .most = 1,
     .description =
         "Version of this format. A later postern that reads another format refuses or converts a file by "
         "this number instead of guessing."},

    {.path = "runtime", .type = Type::section, .description = "The process itself."},
    {.path = "runtime.threads",
     .type = Type::threads,
     .fallback = "auto",
     .least = 1,
     .most = 256,
     .description =
         "Number of event loops, one thread each. `auto` takes the CPUs that the process may use (affinity "
         "and the cgroup's `cpu.max`), because more loops than CPUs only add switches."},
    {.path = "runtime.drain_timeout",
     .type = Type::whole_seconds,
     .fallback = "60s",
     .least = 0,
     .most = 24 * kHour,
     .description =
         "How long sessions may go on after SIGTERM. Most POP3 sessions are over within a minute; those "
         "that are cut off then delete nothing and are repeated by the mail program."},
    {.path = "runtime.update_timeout",
     .type = Type::whole_seconds,
     .fallback = "10m",
     .least = 1 * kSecond,
     .most = 24 * kHour,
     .description =
         "How long the deletions of a QUIT may take in the backend, also while draining. A large mailbox "
         "takes minutes; the stop timeout of the service manager has to be above this."},

    {.path = "log", .type = Type::section, .description = "What is logged and where to."},
    {.path = "log.format",
     .type = Type::choice,
     .fallback = "logfmt",
     .choices = "logfmt|json",
     .description =
         "`logfmt` is read by people, grep and fail2ban; `json` has the same keys for log collectors."},
    {.path = "log.level",
     .type = Type::choice,
     .fallback = "info",
     .choices = "debug|info|warn|error",
     .description =
         "The least severe level that is written. `info` has one line for each session and each refused "
         "login, which is what support and fail2ban need."},
    {.path = "log.target",
     .type = Type::choice,
     .fallback = "stdout",
     .choices = "stdout|stderr",
     .description = "Where lines go. Service managers and container engines collect the standard output."},

    {.path = "admin",
     .type = Type::section,
     .description = "The HTTP port for `/metrics`, `/healthz` and `/readyz`."},
    {.path = "admin.bind",
     .type = Type::addresses,
     .description =
         "Where the HTTP port listens. Without it there is none, because an open port should be a decision."},
    {.path = "admin.allow_from",
     .type = Type::networks,
     .fallback = "127.0.0.0/8, ::1",
     .description =
         "Who may read it; others are refused. The default is the machine itself; in a pod, Prometheus "
         "and the kubelet have to be added."},

    {.path = "tls",
     .type = Type::section,
     .description = "What postern shows to mail programs as a TLS server."},
    {.path = "tls.profiles",
     .type = Type::named,
     .description =
         "TLS profiles by name. Listeners refer to them, so that one set of certificates serves several "
         "ports."},
    {.path = "tls.profiles.*", .type = Type::section, .description = "One profile; the key is its name."},
    {.path = "tls.profiles.*.certificates[]",
     .type = Type::sections,
     .required = true,
     .description =
         "Certificates with their keys. The name that a client asks for (SNI) chooses among them: an exact "
         "name, then a wildcard, then the first of the list. RSA and ECDSA may stand side by side."},
    {.path = "tls.profiles.*.certificates[].cert",
     .type = Type::file,
     .required = true,
     .description = "PEM file: the certificate, then its chain."},
    {.path = "tls.profiles.*.certificates[].key",
     .type = Type::file,
     .required = true,
     .description = "PEM file with the private key."},
    {.path = "tls.profiles.*.min_version",
     .type = Type::choice,
     .fallback = "TLS1.2",
     .choices = kTlsVersions,
     .description =
         "Oldest version that is accepted. RFC 8996 forbids TLS 1.0 and 1.1; give devices that know nothing "
         "newer a profile and a listener of their own."},
    {.path = "tls.profiles.*.max_version",
     .type = Type::choice,
     .fallback = "TLS1.3",
     .choices = kTlsVersions,
     .description =
         "Newest version that is offered. There is hardly a reason to lower it except a broken client."},
    {.path = "tls.profiles.*.ciphers",
     .type = Type::text,
     .description =
         "OpenSSL cipher list for TLS 1.2 and older. Without it OpenSSL's own, which the distribution keeps "
         "up to date."},
    {.path = "tls.profiles.*.ciphersuites",
     .type = Type::text,
     .description = "OpenSSL cipher suites for TLS 1.3. Without it OpenSSL's own."},
    {.path = "tls.profiles.*.curves",
     .type = Type::text,
     .description = "Groups for the key exchange, such as `X25519:P-256`. Without it OpenSSL's own."},

    {.path = "listeners[]",
     .type = Type::sections,
     .required = true,
     .description = "The ports that mail programs connect to."},
    {.path = "listeners[].name",
     .type = Type::name,
     .required = true,
     .description = "Name in log and metrics, unique among the listeners."},
    {.path = "listeners[].bind",
     .type = Type::addresses,
     .required = true,
     .description =
         "Addresses with ports to listen on, one or several; no address may occur twice in the file. `[::]` "
         "takes IPv4 as well. With port 0 the system chooses one and the log says which."},
    {.path = "listeners[].tls",
     .type = Type::choice,
     .fallback = "implicit",
     .choices = "implicit|starttls|none",
     .description =
         "`implicit`: TLS from the first octet (port 995), which RFC 8314 §3 prefers and which is therefore "
         "the default. `starttls`: STLS (RFC 2595) on port 110. `none`: no TLS at all."},
    {.path = "listeners[].profile",
     .type = Type::profile,
     .description =
         "TLS profile, one of `tls.profiles`. Required with `implicit` and `starttls`, refused with `none`."},
    {.path = "listeners[].require_tls_for_auth",
     .type = Type::boolean,
     .fallback = "true",
     .description =
         "Whether a login needs TLS. With `false` passwords may cross the network in plaintext, so it is "
         "never the default; `tls: none` is useless without it and therefore asks for it."},

    {.path = "backends[]",
     .type = Type::sections,
     .required = true,
     .description = "The mail stores behind postern."},
    {.path = "backends[].name",
     .type = Type::name,
     .required = true,
     .description = "Name in log and metrics and for `routes`, unique among the backends."},
    {.path = "backends[].protocol",
     .type = Type::choice,
     .fallback = "pop3",
     .choices = "pop3",
     .description = "What the servers speak."},
    {.path = "backends[].servers[]",
     .type = Type::sections,
     .required = true,
     .description = "Servers that hold the same mailboxes; tried in turn."},
    {.path = "backends[].servers[].host",
     .type = Type::host,
     .required = true,
     .description = "Host name or address, IPv6 without brackets."},
    {.path = "backends[].servers[].port",
     .type = Type::count,
     .least = 1,
     .most = 65535,
     .description = "Without it 995 with `tls.mode: implicit`, else 110."},
    {.path = "backends[].tls", .type = Type::section, .description = "TLS towards the servers."},
    {.path = "backends[].tls.mode",
     .type = Type::choice,
     .fallback = "implicit",
     .choices = "none|starttls|implicit",
     .description =
         "`implicit`: TLS from the first octet. `starttls`: STLS; a server without it is not used. `none`: "
         "passwords cross the network to the store in plaintext, so it has to be written."},
    {.path = "backends[].tls.verify",
     .type = Type::choice,
     .fallback = "full",
     .choices = "full|none",
     .description =
         "`full` checks the chain and the name. `none` trusts whoever answers, so it has to be written."},
    {.path = "backends[].tls.ca_file",
     .type = Type::file,
     .description = "PEM file with the certificate authorities to trust. Without it those of the system."},
    {.path = "backends[].tls.server_name",
     .type = Type::host,
     .description = "Name to verify and to send as SNI. Without it the server's `host`."},
    {.path = "backends[].tls.pins_sha256",
     .type = Type::pins,
     .description =
         "SHA-256 digests of the server's public key (SubjectPublicKeyInfo); one of them has to match, also "
         "with `verify: none`. List the next key before the servers get it."},
    {.path = "backends[].tls.min_version",
     .type = Type::choice,
     .fallback = "TLS1.2",
     .choices = kTlsVersions,
     .description = "Oldest version to speak. Lower it for a store that is too old, not for all of them."},
    {.path = "backends[].eol",
     .type = Type::choice,
     .fallback = "safe",
     .choices = "safe|exact",
     .description =
         "What becomes of a bare LF inside a message. `safe` sends CRLF, because a client that takes a bare "
         "LF for a line end can be fooled with `LF . LF`; `exact` changes nothing."},
    {.path = "backends[].connect_timeout",
     .type = Type::duration,
     .fallback = "5s",
     .least = 100 * kMillisecond,
     .most = 5 * kMinute,
     .description =
         "For the TCP connection to one server. A SYN that is lost twice comes through in 3 s; beyond 5 s "
         "the next server is the better bet."},
    {.path = "backends[].greeting_timeout",
     .type = Type::duration,
     .fallback = "10s",
     .least = 100 * kMillisecond,
     .most = 5 * kMinute,
     .description =
         "For TLS and the greeting of one server. Loaded stores greet late, so it is more than the time to "
         "connect."},
    {.path = "backends[].login_timeout",
     .type = Type::duration,
     .fallback = "30s",
     .least = 100 * kMillisecond,
     .most = 10 * kMinute,
     .description =
         "From the credentials to the server's answer. Stores lock and scan the mailbox meanwhile; mail "
         "programs themselves wait for about a minute."},
    {.path = "backends[].command_timeout",
     .type = Type::duration,
     .fallback = "60s",
     .least = 1 * kSecond,
     .most = 30 * kMinute,
     .description =
         "How long a server may be silent inside a command or a message. Every octet starts it anew, so a "
         "slow transfer does not end by it."},

    {.path = "routes[]",
     .type = Type::sections,
     .required = true,
     .description =
         "Which user lives in which backend. The first route that matches decides; a login without a match "
         "is refused as if the user were unknown."},
    {.path = "routes[].match",
     .type = Type::match,
     .required = true,
     .choices = "any",
     .description = "`any`, or a mapping with exactly one of the keys below."},
    {.path = "routes[].match.domain",
     .type = Type::domain,
     .description = "Users whose name ends in `@` and this domain, in capital or small letters."},
    {.path = "routes[].match.user",
     .type = Type::user,
     .description = "One user by the whole name, in capital or small letters."},
    {.path = "routes[].backend",
     .type = Type::backend,
     .required = true,
     .description = "The backend, one of `backends`."},

    {.path = "limits", .type = Type::section, .description = "What a mail program may ask of postern."},
    {.path = "limits.max_sessions",
     .type = Type::count,
     .fallback = "20000",
     .least = 1,
     .most = 1'000'000,
     .description =
         "Sessions of the whole process; more are told `[SYS/TEMP]`. An idle session with TLS on both sides "
         "takes about 40 KB and two descriptors: 20000 are 800 MB and 40000 descriptors."},
    {.path = "limits.login_timeout",
     .type = Type::duration,
     .fallback = "2m",
     .least = 1 * kSecond,
     .most = 1 * kHour,
     .description =
         "From the connection to the login, whatever is sent meanwhile. Two minutes let a person type a "
         "password and give a scanner nothing."},
    {.path = "limits.idle_timeout",
     .type = Type::duration,
     .fallback = "10m",
     .least = 10 * kSecond,
     .most = 24 * kHour,
     .description =
         "How long a client that is logged in may be silent. RFC 1939 §3 demands at least 10 minutes; "
         "smaller values, down to 10s, break that promise and are meant for emergencies."},
    {.path = "limits.write_timeout",
     .type = Type::duration,
     .fallback = "5m",
     .least = 1 * kSecond,
     .most = 1 * kHour,
     .description =
         "A client that takes no octet for so long is dropped. Five minutes outlast a sleeping radio link."},
    {.path = "limits.auth_failure_delay",
     .type = Type::duration,
     .fallback = "2s",
     .least = 0,
     .most = 1 * kMinute,
     .description =
         "Least time until a refused login is answered. It slows guessing down and hides whether the user "
         "exists; people hardly notice two seconds."},
    {.path = "limits.max_auth_failures",
     .type = Type::count,
     .fallback = "3",
     .least = 1,
     .most = 100,
     .description = "Refused logins of one connection until it is closed. Mail programs try once or twice."},
    {.path = "limits.max_bad_commands",
     .type = Type::count,
     .fallback = "10",
     .least = 1,
     .most = 1000,
     .description =
         "Commands before the login that are unknown or malformed, until the connection is closed. Mail "
         "programs probe with one or two; HTTP and scanners run into it at once."},
};

std::string range_of(const Setting& setting) {
  const auto text = [&](std::int64_t value) {
    const bool counts = setting.type == Type::count || setting.type == Type::threads;
    return counts ? std::to_string(value) : format_duration(std::chrono::milliseconds(value));
  };
  return " from " + text(setting.least) + " to " + text(setting.most);
}

}  // namespace

std::span<const Setting> settings() {
  return kSettings;
}

std::vector<const Setting*> children(std::string_view path) {
  std::vector<const Setting*> found;
  for (const Setting& setting : kSettings) {
    const std::size_t dot = setting.path.rfind('.');
    const std::string_view parent = dot == std::string_view::npos ? "" : setting.path.substr(0, dot);
    if (parent == path) found.push_back(&setting);
  }
  return found;
}

std::string_view key_of(const Setting& setting) {
  const std::string_view last = setting.path.substr(setting.path.rfind('.') + 1);
  return last.substr(0, last.find("[]"));
}

bool is_section(Type type) {
  return type == Type::section || type == Type::sections || type == Type::named || type == Type::match;
}

std::vector<std::string_view> choices_of(const Setting& setting) {
  std::vector<std::string_view> choices;
  std::string_view rest = setting.choices;
  while (!rest.empty()) {
    const std::size_t bar = rest.find('|');
    choices.push_back(rest.substr(0, bar));
    rest = bar == std::string_view::npos ? "" : rest.substr(bar + 1);
  }
  return choices;
}

std::string expectation(const Setting& setting) {
  switch (setting.type) {
    case Type::section:
    case Type::named:
      return "a mapping";
    case Type::sections:
      return "a list of mappings";
    case Type::match:
      return "'any', or a mapping with one of 'domain' and 'user'";
    case Type::text:
      return "text";
    case Type::name:
      return "a name of 1 to 32 of a-z, 0-9, '_' and '-'";
    case Type::profile:
      return "the name of a TLS profile";
    case Type::backend:
      return "the name of a backend";
    case Type::host:
      return "a host name or an address without brackets";
    case Type::domain:
      return "a domain such as example.net";
    case Type::user:
      return "a user name without spaces";
    case Type::file:
      return "the path of a readable file";
    case Type::pins:
      return "a list of SHA-256 digests, 64 hex digits each";
    case Type::addresses:
      return "an address with a port such as 192.0.2.1:995 or \"[::]:995\", or a list of them";
    case Type::networks:
      return "a list of networks such as 10.0.0.0/8 or \"::1\"";
    case Type::duration:
      return "a duration" + range_of(setting) + " (units ms, s, m and h)";
    case Type::whole_seconds:
      return "a duration" + range_of(setting) + " in whole seconds (units ms, s, m and h)";
    case Type::count:
      return setting.least == setting.most ? std::to_string(setting.least)
                                           : "a whole number" + range_of(setting);
    case Type::threads:
      return "'auto' or a whole number" + range_of(setting);
    case Type::boolean:
      return "true or false";
    case Type::choice:
      return enumerate(choices_of(setting), "or");
  }
  return {};
}

}  // namespace postern::config
