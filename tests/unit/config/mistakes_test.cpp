#include <gtest/gtest.h>
#include <stdlib.h>

#include <ostream>
#include <string>
#include <vector>

#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

/// A mistake: what it puts in the place of what in kMinimal, and all that is said about it.
struct Mistake {
  const char* name;
  std::string old_part;
  std::string new_part;
  std::string problems;  ///< without "postern.yaml:", which each line begins with
};

/// The name of the test in ctest.
void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.name;
}

const std::vector<Mistake> kMistakes = {
    {"UnknownKey", "version: 1\n", "version: 1\nlimit: {}\n",
     "2:1: unknown key 'limit' in the file, expected version, runtime, log, admin, tls, listeners, backends, "
     "views, routes, store or limits; did you mean 'limits'?\n"},
    {"UnknownKeyFarFromAll", "version: 1\n", "version: 1\nplugins: []\n",
     "2:1: unknown key 'plugins' in the file, expected version, runtime, log, admin, tls, listeners, "
     "backends, views, routes, store or limits\n"},
    {"UnknownKeyInSection", "version: 1\n", "version: 1\nruntime: {treads: 4}\n",
     "2:11: unknown key 'treads' in runtime, expected user, control, seccomp, landlock, core_dumps, threads, "
     "drain_timeout or update_timeout; did you mean 'threads'?\n"},
    {"UnknownKeyInListOfSections", "profile: default", "profil: default",
     "9:5: missing key 'profile' in listeners[], expected one of tls.profiles unless there is 'tls: none'\n"
     "11:5: unknown key 'profil' in listeners[], expected name, bind, tls, profile, "
     "require_tls_for_auth or view; did you mean 'profile'?\n"},
    {"MergeKey", "version: 1\n", "version: 1\nlimits: {<<: {max_sessions: 1}}\n",
     "2:10: unknown key '<<' in limits, expected max_sessions, login_timeout, idle_timeout, write_timeout, "
     "auth_failure_delay, max_auth_failures or max_bad_commands; merge keys are not supported\n"},
    {"DuplicateKey", "version: 1\n", "version: 1\nversion: 1\n",
     "2:1: duplicate key 'version' in the file; it stands in line 1 already\n"},
    {"DuplicateKeyInSection", "    profile: default", "    profile: default\n    name: other",
     "12:5: duplicate key 'name' in listeners[]; it stands in line 9 already\n"},
    {"DuplicateProfile", "listeners:\n",
     "    default: {certificates: [{cert: cert.pem, key: key.pem}]}\nlisteners:\n",
     "8:5: duplicate key 'default' in tls.profiles; it stands in line 4 already\n"},
    {"MissingVersion", "version: 1\n", "", "1:1: missing key 'version' in the file, expected 1\n"},
    {"OtherVersion", "version: 1\n", "version: 2\n", "1:10: version: found the number 2, expected 1\n"},
    {"MissingRoutes", "routes:\n  - match: any\n    backend: store\n", "",
     "1:1: missing key 'routes' in the file, expected a list of mappings\n"},
    {"MissingName", "  - name: pop3s\n    bind", "  - bind",
     "9:5: missing key 'name' in listeners[], expected a name of 1 to 32 of a-z, 0-9, '_' and '-'\n"},
    {"FileIsNoMapping", std::string(kMinimal), "- a\n- b\n",
     "1:1: the file: found a list, expected a mapping\n"},
    {"FileIsAWord", std::string(kMinimal), "hello\n", "1:1: the file: found 'hello', expected a mapping\n"},
    {"SectionIsNothing", "version: 1\n", "version: 1\nlimits:\n",
     "2:1: limits: found nothing, expected a mapping\n"},
    {"SectionIsAList", "version: 1\n", "version: 1\nlog: [info]\n",
     "2:6: log: found a list, expected a mapping\n"},
    {"SectionsAreAMapping", "  - name: pop3s\n    bind: \"[::]:995\"\n    profile: default\n",
     "  name: pop3s\n", "9:3: listeners[]: found a mapping, expected a list of mappings\n"},
    {"SectionsAreEmpty", "routes:\n  - match: any\n    backend: store\n", "routes: []\n",
     "16:9: routes[]: found an empty list, expected a list of mappings\n"},
    {"SectionOfListIsAWord", "      - host: pop.example.net", "      - pop.example.net",
     "15:9: backends[].servers[]: found 'pop.example.net', expected a mapping\n"},
    {"SecondDocument", "listeners:\n", "---\nlisteners:\n",
     "8:1: a second document begins here, expected one document in the file\n"},
    {"SyntaxError", "version: 1\n", "version: [1\n", "2:4: YAML syntax: end of sequence flow not found\n"},
    {"CountIsAWord", "version: 1\n", "version: 1\nlimits: {max_sessions: many}\n",
     "2:24: limits.max_sessions: found 'many', expected a whole number from 1 to 1000000\n"},
    {"CountIsNegative", "version: 1\n", "version: 1\nlimits: {max_sessions: -1}\n",
     "2:24: limits.max_sessions: found the number -1, expected a whole number from 1 to 1000000\n"},
    {"CountIsBelowRange", "version: 1\n", "version: 1\nlimits: {max_auth_failures: 0}\n",
     "2:29: limits.max_auth_failures: found the number 0, expected a whole number from 1 to 100\n"},
    {"CountIsAboveRange", "version: 1\n", "version: 1\nlimits: {max_sessions: 1000001}\n",
     "2:24: limits.max_sessions: found the number 1000001, expected a whole number from 1 to 1000000\n"},
    {"CountHasLeadingZero", "version: 1\n", "version: 1\nlimits: {max_sessions: 0600}\n",
     "2:24: limits.max_sessions: found the number 0600, expected a whole number from 1 to 1000000; leave out "
     "the leading zeros\n"},
    {"CountIsInQuotes", "version: 1\n", "version: 1\nlimits: {max_sessions: \"600\"}\n",
     "2:24: limits.max_sessions: found '600', expected a whole number from 1 to 1000000; leave out the "
     "quotes\n"},
    {"CountIsAList", "version: 1\n", "version: 1\nlimits: {max_sessions: [1]}\n",
     "2:24: limits.max_sessions: found a list, expected a whole number from 1 to 1000000\n"},
    {"CountIsHuge", "version: 1\n", "version: 1\nlimits: {max_sessions: 99999999999999999999999}\n",
     "2:24: limits.max_sessions: found the number 99999999999999999999999, expected a whole number from 1 to "
     "1000000\n"},
    {"PortIsTooLarge", "host: pop.example.net", "host: pop.example.net\n        port: 65536",
     "16:15: backends[].servers[].port: found the number 65536, expected a whole number from 1 to 65535\n"},
    {"Threads", "version: 1\n", "version: 1\nruntime: {threads: atuo}\n",
     "2:20: runtime.threads: found 'atuo', expected 'auto' or a whole number from 1 to 256; did you mean "
     "'auto'?\n"},
    {"ThreadsAboveRange", "version: 1\n", "version: 1\nruntime: {threads: 257}\n",
     "2:20: runtime.threads: found the number 257, expected 'auto' or a whole number from 1 to 256\n"},
    {"BooleanIsAWord", "profile: default", "profile: default\n    require_tls_for_auth: yes",
     "12:27: listeners[].require_tls_for_auth: found 'yes', expected true or false\n"},
    {"BooleanIsInQuotes", "profile: default", "profile: default\n    require_tls_for_auth: \"true\"",
     "12:27: listeners[].require_tls_for_auth: found 'true', expected true or false; leave out the quotes\n"},
    {"DurationWithoutUnit", "version: 1\n", "version: 1\nlimits: {write_timeout: 30}\n",
     "2:25: limits.write_timeout: found the number 30, expected a duration from 1s to 1h (units ms, s, m and "
     "h)\n"},
    {"DurationWithUnknownUnit", "version: 1\n", "version: 1\nlimits: {write_timeout: 1d}\n",
     "2:25: limits.write_timeout: found '1d', expected a duration from 1s to 1h (units ms, s, m and h)\n"},
    {"DurationHasLeadingZero", "version: 1\n", "version: 1\nlimits: {write_timeout: 030s}\n",
     "2:25: limits.write_timeout: found '030s', expected a duration from 1s to 1h (units ms, s, m and h); "
     "leave out the leading zeros\n"},
    {"BooleanIsMisspelt", "profile: default", "profile: default\n    require_tls_for_auth: ture",
     "12:27: listeners[].require_tls_for_auth: found 'ture', expected true or false; did you mean 'true'?\n"},
    {"MatchIsMisspelt", "match: any", "match: ayn",
     "17:12: routes[].match: found 'ayn', expected 'any', or a mapping with one of 'domain' and 'user'; did "
     "you mean 'any'?\n"},
    {"DurationBelowRange", "version: 1\n", "version: 1\nlimits: {idle_timeout: 9999ms}\n",
     "2:24: limits.idle_timeout: found '9999ms', expected a duration from 10s to 24h (units ms, s, m and "
     "h)\n"},
    {"DurationAboveRange", "version: 1\n", "version: 1\nlimits: {auth_failure_delay: 2m}\n",
     "2:30: limits.auth_failure_delay: found '2m', expected a duration from 0s to 1m (units ms, s, m and "
     "h)\n"},
    {"DurationWithPartOfASecond", "version: 1\n", "version: 1\nruntime: {drain_timeout: 1500ms}\n",
     "2:26: runtime.drain_timeout: found '1500ms', expected a duration from 0s to 24h in whole seconds "
     "(units ms, s, m and h)\n"},
    {"Choice", "version: 1\n", "version: 1\nlog: {level: waring}\n",
     "2:14: log.level: found 'waring', expected debug, info, warn or error; did you mean 'warn'?\n"},
    {"ChoiceFarFromAll", "version: 1\n", "version: 1\nlog: {level: verbose}\n",
     "2:14: log.level: found 'verbose', expected debug, info, warn or error\n"},
    {"ChoiceInCapitals", "version: 1\n", "version: 1\nlog: {format: JSON}\n",
     "2:15: log.format: found 'JSON', expected logfmt or json; did you mean 'json'?\n"},
    {"ChoiceIsNothing", "version: 1\n", "version: 1\nlog:\n  format:\n  level: info\n",
     "3:3: log.format: found nothing, expected logfmt or json\n"},
    {"TlsVersion", "      certificates:", "      min_version: 1.2\n      certificates:",
     "5:20: tls.profiles.*.min_version: found the number 1.2, expected TLS1.0, TLS1.1, TLS1.2 or TLS1.3; did "
     "you mean 'TLS1.2'?\n"},
    {"TextIsANumber", "name: store", "name: 12",
     "13:11: backends[].name: found the number 12, expected a name of 1 to 32 of a-z, 0-9, '_' and '-'; put "
     "it in quotes if it is meant as text\n"},
    {"TextIsABoolean", "name: pop3s", "name: true",
     "9:11: listeners[].name: found 'true', expected a name of 1 to 32 of a-z, 0-9, '_' and '-'; put it in "
     "quotes if it is meant as text\n"},
    {"TextIsEmpty", "name: pop3s", "name: \"\"",
     "9:11: listeners[].name: found '', expected a name of 1 to 32 of a-z, 0-9, '_' and '-'\n"},
    {"TextIsAList", "name: pop3s", "name: [pop3s]",
     "9:11: listeners[].name: found a list, expected a name of 1 to 32 of a-z, 0-9, '_' and '-'\n"},
    {"Name", "name: pop3s", "name: POP3 over TLS",
     "9:11: listeners[].name: found 'POP3 over TLS', expected a name of 1 to 32 of a-z, 0-9, '_' and '-'\n"},
    {"NameOfProfile", "    default:\n", "    De.fault:\n",
     "4:5: tls.profiles: found 'De.fault', expected a name of 1 to 32 of a-z, 0-9, '_' and '-'\n"
     "11:14: listeners[].profile: found 'default', expected De.fault; did you mean 'De.fault'?\n"},
    {"Host", "host: pop.example.net", "host: pop.example.net:995",
     "15:15: backends[].servers[].host: found 'pop.example.net:995', expected a host name or an address "
     "without brackets\n"},
    {"HostIsMisspeltAddress", "host: pop.example.net", "host: 192.0.2.300",
     "15:15: backends[].servers[].host: found '192.0.2.300', expected a host name or an address without "
     "brackets\n"},
    {"HostInBrackets", "host: pop.example.net", "host: \"[2001:db8::1]\"",
     "15:15: backends[].servers[].host: found '[2001:db8::1]', expected a host name or an address without "
     "brackets\n"},
    {"Tag", "host: pop.example.net", "host: !!str pop.example.net",
     "15:15: found the tag 'tag:yaml.org,2002:str', expected a value without a tag\n"},
    {"UnsetVariable", "host: pop.example.net", "host: ${env:POSTERN_TEST_NONE}.net",
     "15:15: backends[].servers[].host: the environment variable 'POSTERN_TEST_NONE' is not set\n"},
    {"MalformedVariable", "host: pop.example.net", "host: ${HOST}",
     "15:15: backends[].servers[].host: found '${HOST}', expected ${env:NAME}\n"},
    {"VariableIsEmpty", "host: pop.example.net", "host: ${env:POSTERN_TEST_EMPTY}",
     "15:15: backends[].servers[].host: found '${env:POSTERN_TEST_EMPTY}', expected a host name or an "
     "address without brackets\n"},
    {"AddressWithoutPort", "\"[::]:995\"", "192.0.2.1",
     "10:11: listeners[].bind: found '192.0.2.1', expected an address with a port such as 192.0.2.1:995 or "
     "\"[::]:995\", or a list of them\n"},
    {"AddressIsAName", "\"[::]:995\"", "localhost:995",
     "10:11: listeners[].bind: found 'localhost:995', expected an address with a port such as 192.0.2.1:995 "
     "or \"[::]:995\", or a list of them\n"},
    {"AddressInListIsWrong", "\"[::]:995\"", "[\"[::]:995\", 995]",
     "10:24: listeners[].bind: found the number 995, expected an address with a port such as 192.0.2.1:995 "
     "or \"[::]:995\", or a list of them\n"},
    {"AddressListIsEmpty", "\"[::]:995\"", "[]",
     "10:11: listeners[].bind: found an empty list, expected an address with a port such as 192.0.2.1:995 or "
     "\"[::]:995\", or a list of them\n"},
    {"AddressTwiceInListener", "\"[::]:995\"", "[\"[::]:995\", \"[0::0]:995\"]",
     "10:24: listeners[].bind: found '[::]:995', expected an address that is not taken; line 10 has it\n"},
    {"AddressTwiceInListeners", "backends:\n",
     "  - {name: again, bind: \"[::]:995\", profile: default}\nbackends:\n",
     "12:25: listeners[].bind: found '[::]:995', expected an address that is not taken; line 10 has it\n"},
    {"AddressOfAdminTwice", "version: 1\n", "version: 1\nadmin: {bind: \"[::]:995\"}\n",
     "11:11: listeners[].bind: found '[::]:995', expected an address that is not taken; line 2 has it\n"},
    {"Network", "version: 1\n", "version: 1\nadmin: {allow_from: [10.0.0.0/8, 10.0.0.0/33]}\n",
     "2:34: admin.allow_from: found '10.0.0.0/33', expected a list of networks such as 10.0.0.0/8 or "
     "\"::1\"\n"},
    {"NetworkWithoutList", "version: 1\n", "version: 1\nadmin: {allow_from: 10.0.0.0/8}\n",
     "2:21: admin.allow_from: found '10.0.0.0/8', expected a list of networks such as 10.0.0.0/8 or "
     "\"::1\"\n"},
    {"Pin", "name: store", "name: store\n    tls: {pins_sha256: [abcd]}",
     "14:25: backends[].tls.pins_sha256: found 'abcd', expected a list of SHA-256 digests, 64 hex digits "
     "each\n"},
    {"MissingFile", "cert: cert.pem", "cert: none.pem",
     "6:17: tls.profiles.*.certificates[].cert: cannot read 'FOLDER/none.pem': No such file or directory, "
     "expected the path of a readable file\n"},
    {"FileIsAFolder", "key: key.pem", "key: .",
     "7:16: tls.profiles.*.certificates[].key: cannot read 'FOLDER/': Is a directory, expected the path of a "
     "readable file\n"},
    {"MissingAuthorities", "name: store", "name: store\n    tls: {ca_file: /nowhere/ca.pem}",
     "14:20: backends[].tls.ca_file: cannot read '/nowhere/ca.pem': No such file or directory, expected the "
     "path of a readable file\n"},
    {"NoCertificates", "        - cert: cert.pem\n          key: key.pem\n", "",
     "5:7: tls.profiles.*.certificates[]: found nothing, expected a list of mappings\n"},
    {"CertificateWithoutKey", "\n          key: key.pem", "",
     "6:11: missing key 'key' in tls.profiles.*.certificates[], expected the path of a readable file\n"},
    {"MinVersionAboveMaxVersion",
     "      certificates:", "      min_version: TLS1.3\n      max_version: TLS1.2\n      certificates:",
     "5:20: tls.profiles.*: found min_version TLS1.3 above max_version TLS1.2, expected it below or equal\n"},
    {"MaxVersionBelowDefault", "      certificates:", "      max_version: TLS1.1\n      certificates:",
     "5:20: tls.profiles.*: found min_version TLS1.2 above max_version TLS1.1, expected it below or equal\n"},
    {"UnknownProfile", "profile: default", "profile: defualt",
     "11:14: listeners[].profile: found 'defualt', expected default; did you mean 'default'?\n"},
    {"NoProfilesAtAll",
     "version: 1\ntls:\n  profiles:\n    default:\n      certificates:\n        - cert: cert.pem\n"
     "          key: key.pem\n",
     "version: 1\n", "5:14: listeners[].profile: found 'default', but there are no tls.profiles\n"},
    {"ImplicitTlsWithoutProfile", "    profile: default\n", "",
     "9:5: missing key 'profile' in listeners[], expected one of tls.profiles unless there is 'tls: none'\n"},
    {"StarttlsWithoutProfile", "    profile: default\n", "    tls: starttls\n",
     "9:5: missing key 'profile' in listeners[], expected one of tls.profiles unless there is 'tls: none'\n"},
    {"NoTlsWithProfile", "profile: default",
     "profile: default\n    tls: none\n    require_tls_for_auth: false",
     "11:14: listeners[].profile: found a TLS profile with 'tls: none', expected none\n"},
    {"NoTlsWithoutLogin", "profile: default", "tls: none",
     "9:5: listeners[]: nobody could log in with 'tls: none', expected 'require_tls_for_auth: false' if "
     "passwords may cross the network in plaintext\n"},
    {"NoTlsWithLoginThatNeedsIt", "profile: default", "tls: none\n    require_tls_for_auth: true",
     "12:27: listeners[]: nobody could log in with 'tls: none', expected 'require_tls_for_auth: false' if "
     "passwords may cross the network in plaintext\n"},
    {"ListenerTlsFarFromAll", "profile: default", "tls: ssl",
     "11:10: listeners[].tls: found 'ssl', expected implicit, starttls or none\n"},
    {"ListenerNameTwice", "backends:\n",
     "  - {name: pop3s, bind: \"[::]:996\", profile: default}\nbackends:\n",
     "12:12: listeners[].name: found 'pop3s', expected a name that is not taken; line 9 has it\n"},
    {"BackendNameTwice", "routes:\n", "  - {name: store, servers: [{host: a}]}\nroutes:\n",
     "16:12: backends[].name: found 'store', expected a name that is not taken; line 13 has it\n"},
    {"ServerTwice", "host: pop.example.net",
     "host: pop.example.net\n      - {host: pop.example.net, port: 995}",
     "16:16: backends[].servers[].host: found 'pop.example.net' with port 995 a second time, expected it "
     "once; line 15 has it\n"},
    {"BackendSettingsOfTlsWithoutTls", "name: store",
     "name: store\n    tls: {mode: none, verify: none, ca_file: ca.pem}",
     "14:31: backends[].tls.verify: found a setting of TLS with 'mode: none', expected none\n"
     "14:46: backends[].tls.ca_file: found a setting of TLS with 'mode: none', expected none\n"},
    {"Protocol", "name: store", "name: store\n    protocol: pop",
     "14:15: backends[].protocol: found 'pop', expected pop3 or imap; did you mean 'pop3'?\n"},
    {"UnknownBackend", "backend: store", "backend: sotre",
     "18:14: routes[].backend: found 'sotre', expected store; did you mean 'store'?\n"},
    {"MatchIsAnotherWord", "match: any", "match: all",
     "17:12: routes[].match: found 'all', expected 'any', or a mapping with one of 'domain' and 'user'\n"},
    {"MatchIsEmpty", "match: any", "match: {}",
     "17:12: routes[].match: found neither 'domain' nor 'user', expected exactly one of them\n"},
    {"MatchHasTwoKeys", "match: any", "match: {domain: example.net, user: a@example.net}",
     "17:12: routes[].match: found 'domain' and 'user', expected exactly one of them\n"},
    {"MatchHasUnknownKey", "match: any", "match: {domian: example.net}",
     "17:13: unknown key 'domian' in routes[].match, expected domain or user; did you mean 'domain'?\n"},
    {"DomainWithAt", "match: any", "match: {domain: \"@example.net\"}",
     "17:21: routes[].match.domain: found '@example.net', expected a domain such as example.net; leave out "
     "the '@'\n"},
    {"UserWithSpace", "match: any", "match: {user: some one}",
     "17:19: routes[].match.user: found 'some one', expected a user name without spaces\n"},
    {"RouteBehindAny", "    backend: store\n",
     "    backend: store\n  - {match: {domain: example.net}, backend: store}\n",
     "19:13: routes[]: this route never matches, because 'match: any' in line 17 does, expected it before "
     "that one\n"},
    {"AnyTwice", "    backend: store\n", "    backend: store\n  - {match: any, backend: store}\n",
     "19:13: routes[]: this route never matches, because 'match: any' in line 17 does, expected it before "
     "that one\n"},
    {"DomainTwice", "  - match: any\n",
     "  - {match: {domain: a.net}, backend: store}\n  - match: {domain: A.NET}\n",
     "18:12: routes[]: this route never matches, because 'domain: a.net' in line 17 does, expected it before "
     "that one\n"},
    {"UserBehindDomain", "  - match: any\n",
     "  - {match: {domain: a.net}, backend: store}\n  - match: {user: u@a.net}\n",
     "18:12: routes[]: this route never matches, because 'domain: a.net' in line 17 does, expected it before "
     "that one\n"},
};

class Mistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreToldWithPlaceAndWhatWasExpected) {
  ::unsetenv("POSTERN_TEST_NONE");
  ::setenv("POSTERN_TEST_EMPTY", "", 1);
  const Workspace workspace;
  const Mistake& mistake = GetParam();
  EXPECT_EQ(workspace.told(replaced(kMinimal, mistake.old_part, mistake.new_part)), mistake.problems);
}

INSTANTIATE_TEST_SUITE_P(Each, Mistakes, ::testing::ValuesIn(kMistakes),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(MinimalFile, HasNoMistakes) {
  const Workspace workspace;
  EXPECT_EQ(workspace.problems(kMinimal), "");
}

}  // namespace
}  // namespace postern::config
