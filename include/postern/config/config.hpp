#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "postern/base/address.hpp"
#include "postern/base/log.hpp"
#include "postern/base/secret.hpp"
#include "postern/base/units.hpp"

/// The configuration as plain values: complete, checked, immutable once loaded and shared by all loops. Every
/// field has its default here; `docs/configuration.md` and `conf/postern.schema.json` say the same, and a
/// test holds them together.
namespace postern::config {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Where in the files a value stands; lines and columns from 1, 0 where a default was taken.
struct Mark {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;
};

struct Runtime {
  unsigned threads = 0;  ///< event loops; 0 is `auto`: CPUs this process may use (affinity, cgroup cpu.max)
  seconds drain_timeout{60};    ///< after SIGTERM: how long sessions may go on
  seconds update_timeout{600};  ///< how long an UPDATE that was begun may go on, also while draining
};

enum class LogTarget : std::uint8_t { out, err };  ///< `stdout`, `stderr`

struct LogSettings {
  LogFormat format = LogFormat::logfmt;
  LogLevel level = LogLevel::info;
  LogTarget target = LogTarget::out;
};

struct Admin {
  std::vector<SocketAddress> bind;  ///< empty: no admin listener
  std::vector<Network> allow_from;  ///< who may read /metrics, /healthz, /readyz; default: loopback
  Mark mark;
};

struct Certificate {
  std::string cert_file;  ///< PEM, leaf first, then the chain
  std::string key_file;   ///< PEM
  Mark mark;
};

enum class TlsVersion : std::uint8_t { tls1_0, tls1_1, tls1_2, tls1_3 };

/// What a listener shows as a TLS server. Certificates are chosen by SNI from the names in them: exact, then
/// wildcard, then the first in the list; an RSA and an ECDSA certificate for one name stand side by side.
struct TlsProfile {
  std::string name;
  std::vector<Certificate> certificates;
  TlsVersion min_version = TlsVersion::tls1_2;
  TlsVersion max_version = TlsVersion::tls1_3;
  std::string ciphers;       ///< OpenSSL cipher list up to TLS 1.2; empty: OpenSSL's default
  std::string ciphersuites;  ///< TLS 1.3; empty: OpenSSL's default
  std::string curves;        ///< groups; empty: OpenSSL's default
  Mark mark;
};

enum class ListenerTls : std::uint8_t { implicit, starttls, none };

struct Listener {
  std::string name;                 ///< metric label; [a-z0-9_-]{1,32}, unique
  std::vector<SocketAddress> bind;  ///< at least one
  ListenerTls tls = ListenerTls::implicit;
  std::string profile;  ///< of `tls.profiles`; empty with `none`
  bool require_tls_for_auth =
      true;  ///< false only when written: passwords may cross this listener in plaintext
  Mark mark;
};

enum class BackendTlsMode : std::uint8_t { none, starttls, implicit };
enum class Verify : std::uint8_t { full, none };  ///< chain, name and pins; `none` has to be spelled out

/// How a backend is reached over TLS.
struct BackendTls {
  BackendTlsMode mode = BackendTlsMode::implicit;
  Verify verify = Verify::full;
  std::string ca_file;      ///< PEM; empty: the system's store
  std::string server_name;  ///< name to verify and send as SNI; empty: the server's host
  std::vector<std::string>
      pins_sha256;  ///< SHA-256 of the leaf's SubjectPublicKeyInfo, 64 hex digits, lower case; any may match
  TlsVersion min_version = TlsVersion::tls1_2;
  Mark mark;
};

struct Server {
  std::string host;  ///< name or address
  std::uint16_t port = 0;
  Mark mark;
};

enum class Protocol : std::uint8_t { pop3 };
enum class Eol : std::uint8_t {
  safe,
  exact
};  ///< `safe` repairs a bare LF that an upstream sends inside a message

struct Backend {
  std::string name;  ///< metric label; [a-z0-9_-]{1,32}, unique
  Protocol protocol = Protocol::pop3;
  std::vector<Server> servers;  ///< at least one; tried in turn
  BackendTls tls;
  Eol eol = Eol::safe;
  milliseconds connect_timeout{5000};    ///< TCP, for each server
  milliseconds greeting_timeout{10000};  ///< TLS and greeting, for each server
  milliseconds login_timeout{30000};     ///< from the credentials to the server's answer
  milliseconds command_timeout{60000};   ///< silence of the server inside a command or a message
  Mark mark;
};

/// The first route that matches decides. Without a match a login is refused as if the user were unknown.
struct Route {
  enum class Match : std::uint8_t { any, domain, user };
  Match match = Match::any;
  std::string value;    ///< lower case; the domain without `@`, or the whole user name
  std::string backend;  ///< of `backends`
  Mark mark;
};

struct Limits {
  std::uint32_t max_sessions = 20000;     ///< of the process; more are told [SYS/TEMP]
  milliseconds login_timeout{120000};     ///< from accept to login, absolute
  milliseconds idle_timeout{600000};      ///< in TRANSACTION; RFC 1939 §3 asks for at least 10 minutes
  milliseconds write_timeout{300000};     ///< a client that takes no octet for so long is dropped
  milliseconds auth_failure_delay{2000};  ///< least time before a refused login is answered
  std::uint32_t max_auth_failures = 3;    ///< of one connection, then it is closed
  std::uint32_t max_bad_commands = 10;    ///< before login, then the connection is closed
};

struct Config {
  std::string file;
  Runtime runtime;
  LogSettings log;
  Admin admin;
  std::map<std::string, TlsProfile> tls_profiles;
  std::vector<Listener> listeners;
  std::vector<Backend> backends;
  std::vector<Route> routes;
  Limits limits;
};

}  // namespace postern::config
