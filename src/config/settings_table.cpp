#include "config/settings_table.hpp"

namespace postern::config {
namespace {

constexpr std::int64_t kMillisecond = 1;
constexpr std::int64_t kSecond = 1000 * kMillisecond;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;

constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kGiB = 1024 * kMiB;

constexpr std::string_view kTlsVersions = "TLS1.0|TLS1.1|TLS1.2|TLS1.3";

// The file is a long one, because it is one table, read from top to bottom like the file of the operator.
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
    {.path = "runtime.user",
     .type = Type::text,
     .description = "The user that postern becomes when it is started as root, once ports are bound and keys "
                    "are read: a "
                    "name, or numbers as in `\"1000:1000\"`. As root it does not start without; where it has "
                    "to stay root, "
                    "`root` says so."},
    {.path = "runtime.control",
     .type = Type::text,
     .description = "Path of a Unix socket by which another postern takes over the listening sockets "
                    "(`postern takeover`), so "
                    "that an upgrade refuses no connection; a lock beside it keeps a second postern from "
                    "starting by mistake. "
                    "Its folder has to exist, and be nobody else's. Without it there is none."},
    {.path = "runtime.seccomp",
     .type = Type::boolean,
     .fallback = "true",
     .description =
         "Refuse the system calls that a gateway has no use for, such as those that run other programs. Turn "
         "it off only to debug."},
    {.path = "runtime.landlock",
     .type = Type::boolean,
     .fallback = "true",
     .description = "Refuse files outside the folders that the configuration names and those of the system "
                    "(Linux 5.13 and "
                    "newer). A reload that names a new folder needs a restart instead."},
    {.path = "runtime.core_dumps",
     .type = Type::boolean,
     .fallback = "false",
     .description =
         "Whether a crash may leave a core dump. It would hold passwords of the sessions at that time."},
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
    {.path = "listeners[].view",
     .type = Type::view,
     .description =
         "What whoever connects here sees of a mailbox behind IMAP, one of `views`. A login or a route that "
         "names a view comes first. Without it the view `default`."},

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
     .choices = "pop3|imap",
     .description =
         "What the servers speak. `pop3` is passed on, message by message as it comes; `imap` is translated, "
         "see `backends[].imap`."},
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
     .description = "Without it 995 (`imap`: 993) with `tls.mode: implicit`, else 110 (`imap`: 143)."},
    {.path = "backends[].tls", .type = Type::section, .description = "TLS towards the servers."},
    {.path = "backends[].tls.mode",
     .type = Type::choice,
     .fallback = "implicit",
     .choices = "none|starttls|implicit",
     .description = "`implicit`: TLS from the first octet. `starttls`: STLS, or STARTTLS in IMAP; a server "
                    "without it is "
                    "not used. `none`: "
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
         "LF for a line end can be fooled with `LF . LF`; `exact` changes nothing. Only with `protocol: "
         "pop3`: what comes by IMAP always gets CRLF."},
    {.path = "backends[].imap",
     .type = Type::section,
     .description =
         "How a mailbox behind IMAP is made to look like a POP3 maildrop. Only with `protocol: imap`."},
    {.path = "backends[].imap.profile",
     .type = Type::choice,
     .fallback = "auto",
     .choices = "auto|standard|dovecot|cyrus|courier|exchange|gmail|zimbra|hmailserver|yandex|old",
     .description =
         "Which peculiarities of servers to mind. `auto` looks at the greeting and the capabilities; name "
         "one "
         "for a server that hides what it is. `standard` minds none, `old` sends short lines and nothing in "
         "advance."},
    {.path = "backends[].imap.uidl",
     .type = Type::uidl,
     .fallback = "%{uid:08x}%{uidvalidity:08x}",
     .description =
         "How unique-ids are made, see [Unique-ids](#unique-ids-of-imap-backends). Mail programs that see "
         "other ids fetch everything again, so it has to be what the store's own POP3 server said, and must "
         "not change later: with `store.file` postern does not start with a template that makes other ids "
         "than "
         "the one it served last, unless `--accept-uidl-change` says so. The default is Dovecot's."},
    {.path = "backends[].imap.sizes",
     .type = Type::choice,
     .fallback = "learn",
     .choices = "trust|learn|exact",
     .description =
         "What LIST says. `trust`: what the server says. `learn`: the same, until a message that was fetched "
         "had another size. `exact`: every new message is read once to count it, which costs as much as "
         "fetching it. Clients cope with sizes that are a little wrong, so `exact` is for the others."},
    {.path = "backends[].imap.mark_seen",
     .type = Type::choice,
     .fallback = "quit",
     .choices = "never|quit",
     .description = "Whether messages that were fetched are marked as read at QUIT, as most stores' own POP3 "
                    "servers do. "
                    "TOP never marks."},
    {.path = "backends[].imap.missing_inbox",
     .type = Type::choice,
     .fallback = "error",
     .choices = "error|empty",
     .description =
         "A user who has no INBOX: a failure for now, or an empty maildrop. A store with a fault says the "
         "same, and an empty maildrop makes mail programs forget what they have fetched; so `empty` is only "
         "for stores that make an INBOX with the first message (Cyrus)."},
    {.path = "backends[].imap.deleted_messages",
     .type = Type::choice,
     .fallback = "show",
     .choices = "show|hide",
     .description =
         "Messages that another program has marked as deleted and not removed. Showing them loses no mail, "
         "and it is what Dovecot, Cyrus and Courier do."},
    {.path = "backends[].imap.nul",
     .type = Type::choice,
     .fallback = "replace",
     .choices = "replace|pass",
     .description =
         "A NUL inside a message. `replace` sends the octet 0x80, because Outlook hangs on NULs; `pass` "
         "changes nothing."},
    {.path = "backends[].imap.prefetch",
     .type = Type::boolean,
     .fallback = "true",
     .description =
         "Whether the next messages are asked for while the client fetches one after the other. It hides the "
         "way to the store; the price is a message now and then that nobody wanted."},
    {.path = "backends[].imap.announce_client",
     .type = Type::boolean,
     .fallback = "false",
     .description = "Whether the server is told the client's address before the login (ID, RFC 2971), as "
                    "Dovecot wants it "
                    "from proxies in its `login_trusted_networks`. Others have no business knowing it."},
    {.path = "backends[].imap.not_credentials",
     .type = Type::texts,
     .description =
         "Parts of texts, in capital or small letters, of a NO to a login that does not mean a wrong "
         "password, "
         "such as `Error in IMAP command` of Courier: the client is told to try later, and nobody is asked "
         "for a password. It matters for servers that send no response codes."},
    {.path = "backends[].imap.login_separator",
     .type = Type::separator,
     .description =
         "With `+`, who logs in as `user+Folder` sees that folder alone, and `user+Folder#view` sees it as "
         "that view has it. Without it a login is taken as it stands, because `+` may be part of a user "
         "name."},
    {.path = "backends[].imap.max_messages",
     .type = Type::count,
     .fallback = "2000000",
     .least = 1,
     .most = 10'000'000,
     .description = "A maildrop with more messages is refused with `[SYS/PERM]`, never cut. Each takes 8 "
                    "octets during a "
                    "session: two million are 16 MB."},
    {.path = "backends[].imap.max_message",
     .type = Type::size,
     .fallback = "2GiB",
     .least = 1 * kKiB,
     .most = 1024 * kGiB,
     .description =
         "A larger message is not fetched: RETR is refused. Nothing is kept in memory, so this only guards "
         "against a server that has lost its mind."},
    {.path = "backends[].imap.snapshot_timeout",
     .type = Type::duration,
     .fallback = "45s",
     .least = 1 * kSecond,
     .most = 10 * kMinute,
     .description = "From the server's answer to the login until all messages are listed. Mail programs wait "
                    "for about a "
                    "minute, so more helps nobody who waits."},
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

    {.path = "views[]",
     .type = Type::sections,
     .description =
         "What a client sees of a mailbox behind IMAP and what deleting means there, see [Views](#views). "
         "The "
         "view `default` is used where no other one is named; it always exists and may be written to change "
         "it."},
    {.path = "views[].name",
     .type = Type::name,
     .required = true,
     .description =
         "Name for routes, listeners and logins, unique among the views. With `delete: keep` it is part of a "
         "keyword in the store: after another name everything is there again."},
    {.path = "views[].folders",
     .type = Type::folders,
     .fallback = "INBOX",
     .description =
         "Folders whose messages are shown, one folder after the other. Names with the separators of the "
         "server, in its letters, capital or small; only INBOX is the same in any. Each costs a SELECT at "
         "every login."},
    {.path = "views[].newest",
     .type = Type::count,
     .least = 1,
     .most = 10'000'000,
     .description = "Only so many of each folder, the newest ones. Without it all."},
    {.path = "views[].days",
     .type = Type::count,
     .least = 1,
     .most = 36'500,
     .description = "Only messages that came into the folder in the last so many days. Without it all."},
    {.path = "views[].delete",
     .type = Type::choice,
     .choices = "expunge|move|flag|keep",
     .description =
         "What becomes of deleted messages at QUIT. `expunge`: they are gone. `move`: into another folder. "
         "`flag`: the keyword `$postern-deleted` hides them from POP3. `keep`: the keyword "
         "`$postern-kept-` with the view's name hides them from this view alone. Without it `expunge`, but "
         "`move` at Gmail, where an expunged message stays in the archive."},
    {.path = "views[].move_to",
     .type = Type::folder,
     .description = "The folder for `delete: move` and `without_uidplus: move`. Without it the one that the "
                    "server calls "
                    "its `\\Trash` (RFC 6154)."},
    {.path = "views[].without_uidplus",
     .type = Type::choice,
     .fallback = "protect",
     .choices = "protect|flag_only|move|refuse",
     .description =
         "What a deletion does at a server that cannot expunge single messages (UIDPLUS, RFC 4315), only all "
         "that are marked. `protect` takes the marks of others off for the moment, as RFC 4315 §2.1 "
         "recommends; `flag_only` marks and never expunges; `move` moves them; `refuse` lets no client "
         "delete."},
    {.path = "views[].keep_days",
     .type = Type::count,
     .least = 1,
     .most = 36'500,
     .description =
         "With `delete: keep`: after so many days what this view has deleted is removed for good, also for "
         "others. Without it never."},

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
    {.path = "routes[].view",
     .type = Type::view,
     .description =
         "What these users see of their mailboxes, one of `views`; only with a backend that speaks IMAP. A "
         "login that names a view comes first. Without it the listener's."},

    {.path = "store",
     .type = Type::section,
     .description =
         "What outlives sessions behind IMAP: lists of messages, so that the next login asks for new ones "
         "only. Losing them costs time and changes nothing that a client sees."},
    {.path = "store.memory",
     .type = Type::size,
     .fallback = "64MiB",
     .least = 1 * kMiB,
     .most = 1024 * kGiB,
     .description =
         "Memory for lists; beyond it those that were not used for the longest time are dropped. A message "
         "takes 8 octets, with ids that cannot be computed about 40: the default holds eight million."},
    {.path = "store.file",
     .type = Type::new_file,
     .description =
         "A SQLite database that keeps them over a restart, and with them the templates that "
         "`backends[].imap.uidl` is held to. The file need not exist, its folder has to. Without it memory "
         "alone."},

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

}  // namespace

std::span<const Setting> settings() {
  return kSettings;
}

}  // namespace postern::config
