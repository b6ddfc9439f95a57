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
  std::string user;         ///< whom a start as root becomes: a name, a number, or `user:group` in numbers
  std::string control;      ///< path of the control socket, absolute; empty: none
  Mark user_mark;           ///< the setting's, or the section's, or the file's
  bool seccomp = true;      ///< refuse system calls that a gateway has no use for
  bool landlock = true;     ///< refuse files other than those that the start knows of
  bool core_dumps = false;  ///< a dump would hold passwords
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
      true;          ///< false only when written: passwords may cross this listener in plaintext
  std::string view;  ///< of `views`, for IMAP backends; empty: the default one
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

enum class Protocol : std::uint8_t { pop3, imap };
enum class Eol : std::uint8_t {
  safe,
  exact
};  ///< `safe` repairs a bare LF that an upstream sends inside a message

/// A unique-id has 1 to 70 octets (RFC 1939 §7).
inline constexpr std::size_t kLongestUidl = 70;
/// What stands before the unique-ids of every folder but INBOX, at most: eight hex digits, a hash of the
/// folder, and a separator. Two folders may have the same UIDs and the same UIDVALIDITY.
inline constexpr std::size_t kUidlFolderPrefix = 9;

/// One piece of a template for unique-ids.
struct UidlPiece {
  enum class Source : std::uint8_t {
    text,         ///< `text` as it stands; never two of them side by side
    uid,          ///< the message's UID
    uidvalidity,  ///< its mailbox's UIDVALIDITY
    guid,         ///< Dovecot's X-GUID
    email_id,     ///< EMAILID (RFC 8474)
    gm_msgid,     ///< Gmail's X-GM-MSGID
    header,       ///< the header field that `text` names
  };
  Source source = Source::text;
  std::string text;
  bool hex = false;    ///< numbers: lower case hexadecimal instead of decimal
  unsigned width = 0;  ///< numbers: padded with zeros to so many digits
  bool operator==(const UidlPiece&) const = default;
};

/// How unique-ids are made (RFC 1939 §7): "%{uid:08x}%{uidvalidity:08x}". Never yields more than 70 octets,
/// with the prefix of folders where there is one, or others than 0x21 to 0x7E from numbers and text, and
/// never the same for two pairs of the numbers that it has; what a server or a header says is checked when it
/// comes.
struct UidlTemplate {
  std::string text;
  std::vector<UidlPiece> pieces;
  /// Whether UID and UIDVALIDITY are all it takes.
  bool is_computed() const noexcept;
};

/// Peculiarities of servers. `automatic`: by greeting and capabilities, never by ID (RFC 2971 §3).
enum class ImapProfile : std::uint8_t {
  automatic,
  standard,
  dovecot,
  cyrus,
  courier,
  exchange,
  gmail,
  zimbra,
  hmailserver,
  yandex,
  old,  ///< short lines (RFC 2683 §3.2.1.5), nothing in advance
};

enum class Sizes : std::uint8_t {
  trust,  ///< what RFC822.SIZE says
  learn,  ///< the same, until a message that was fetched had another one
  exact,  ///< every new message is read once to count it
};
enum class MarkSeen : std::uint8_t { never, quit };
enum class MissingInbox : std::uint8_t { error, empty };
enum class DeletedMessages : std::uint8_t { show, hide };
enum class Nul : std::uint8_t { replace, pass };

/// How an IMAP backend is made to look like a POP3 maildrop.
struct Imap {
  ImapProfile profile = ImapProfile::automatic;
  UidlTemplate uidl = {
      "%{uid:08x}%{uidvalidity:08x}",
      {{.source = UidlPiece::Source::uid, .text = {}, .hex = true, .width = 8},
       {.source = UidlPiece::Source::uidvalidity, .text = {}, .hex = true, .width = 8}}};  ///< Dovecot's
  Mark uidl_mark;  ///< of the backend where the default was taken
  Sizes sizes = Sizes::learn;
  MarkSeen mark_seen = MarkSeen::quit;
  MissingInbox missing_inbox = MissingInbox::error;
  DeletedMessages deleted_messages = DeletedMessages::show;
  Nul nul = Nul::replace;
  bool prefetch = true;          ///< ask for the next messages while the client walks
  bool announce_client = false;  ///< ID with the client's address, before the login
  std::vector<std::string>
      not_credentials;          ///< parts of texts of a NO to a login that do not mean a wrong password
  std::string login_separator;  ///< of `user+Folder` and `user+Folder#view`, never with a `#`; empty: such
                                ///< logins are not taken apart
  std::uint32_t max_messages = 2'000'000;  ///< a larger mailbox is refused, never cut
  Bytes max_message = Bytes{2} * 1024 * 1024 * 1024;
  milliseconds snapshot_timeout{45000};  ///< from the login to the complete list of messages
};

enum class DeletePolicy : std::uint8_t {
  expunge,  ///< they are gone
  move,     ///< into `move_to`
  flag,     ///< a keyword hides them from POP3
  keep,     ///< a keyword hides them from this view
};
/// What `expunge` does where the server lacks UIDPLUS (RFC 4315 §2.1).
enum class WithoutUidplus : std::uint8_t { protect, flag_only, move, refuse };

inline constexpr const char* kDefaultView = "default";

/// What of a mailbox a POP3 client sees, and what deleting means. The view named "default" is used where no
/// other one is named.
struct View {
  std::string name = kDefaultView;
  std::vector<std::string> folders = {"INBOX"};  ///< UTF-8, each once; INBOX always in capital letters
  std::uint32_t newest = 0;                      ///< of each folder; 0: all
  std::uint32_t days = 0;                        ///< by INTERNALDATE; 0: all
  std::optional<DeletePolicy> remove;            ///< unset: `expunge`, at Gmail `move`
  std::string move_to;                           ///< UTF-8; empty: the folder that the server calls \Trash
  WithoutUidplus without_uidplus = WithoutUidplus::protect;
  std::uint32_t keep_days = 0;  ///< with `keep`: older ones are removed for good; 0: never
  Mark mark;
};

/// What outlives sessions: the lists of messages.
struct Store {
  Bytes memory = Bytes{64} * 1024 * 1024;  ///< least recently used ones are dropped beyond it
  std::string file;                        ///< SQLite; empty: memory only
  Mark mark;
};

struct Backend {
  std::string name;  ///< metric label; [a-z0-9_-]{1,32}, unique
  Protocol protocol = Protocol::pop3;
  std::vector<Server> servers;  ///< at least one; tried in turn
  BackendTls tls;
  Eol eol = Eol::safe;
  Imap imap;                             ///< with Protocol::imap
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
  std::string view;     ///< of `views`; empty: the listener's, or the default one
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
  std::vector<View> views = {View()};  ///< "default" is always among them
  std::vector<Route> routes;
  Store store;
  Limits limits;
};

}  // namespace postern::config
