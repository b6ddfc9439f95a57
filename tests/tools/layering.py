#!/usr/bin/env python3
"""Keeps the modules' order and the third-party libraries in their places (docs/architecture.md).

Leaves depend on base alone; on the spine a module may use the leaves and what stands to its left. Read are the includes of
every source and the libraries that src/<module>/CMakeLists.txt names.

usage: layering.py ROOT
"""

import re
import sys
from pathlib import Path

import cpp_source

LEAVES = ("base", "pop3", "imap", "sasl", "tls", "metrics", "config")
SPINE = ("coro", "loop", "net", "http", "store", "backend", "maildrop", "auth", "session", "admin", "app")
MODULES = LEAVES + SPINE
MAIN = "main"  # src/main.cpp, above all
FORBIDDEN_PAIRS = {("auth", "maildrop")}  # proving who somebody is does not open his mailbox

EVERYWHERE = frozenset(MODULES + (MAIN,))

# Third-party headers and the modules that may see them. The first match counts.
HEADERS = (
    (r"uv\.h\Z|uv/", {"loop"}),
    (r"ares\w*\.h\Z", {"loop"}),
    (r"openssl/(ssl\w*|tls1|dtls1|srtp)\.h\Z", {"tls"}),
    (r"openssl/", EVERYWHERE),
    (r"yaml-cpp/", {"config"}),
    (r"prometheus/", {"metrics"}),
    (r"http_parser\.h\Z|curl/", {"http"}),
    (r"sqlite3\.h\Z", {"store"}),
    (r"spdlog/|seccomp\.h\Z", {"app"}),
    (r"CLI/", {"app", MAIN}),
    (r"fmt/|nlohmann/", EVERYWHERE),
)

# CMake's names of the same libraries.
LIBRARIES = (
    (r"PkgConfig::(LIBUV|CARES)\Z", {"loop"}),
    (r"OpenSSL::SSL\Z", {"tls"}),
    (r"OpenSSL::Crypto\Z", EVERYWHERE),
    (r"yaml-cpp(::|\Z)", {"config"}),
    (r"prometheus-cpp::", {"metrics"}),
    (r"http_parser::|CURL::", {"http"}),
    (r"SQLite::|PkgConfig::SQLITE", {"store"}),
    (r"spdlog::|PkgConfig::SECCOMP", {"app"}),
    (r"CLI11::", {"app", MAIN}),
    (r"fmt::|nlohmann_json::|Threads::", EVERYWHERE),
)

STANDARD = frozenset("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits clocale
cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib
cstring ctime cuchar cwchar cwctype deque exception execution filesystem format forward_list fstream functional future
initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new
numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex
source_location span sstream stack stdexcept stop_token streambuf string string_view strstream syncstream system_error
thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
""".split())

# POSIX and Linux. Public headers get along with the first line.
SYSTEM_PUBLIC = re.compile(r"(sys/(socket|types|uio|un|time|stat)|netinet/(in|tcp)|arpa/inet|netdb|time)\.h\Z")
SYSTEM = re.compile(r"(sys|netinet|arpa|net|linux|asm|bits)/\w+(/\w+)*\.h\Z"
                    r"|(unistd|fcntl|errno|signal|poll|pthread|sched|pwd|grp|netdb|time|dirent|dlfcn|limits|syslog|crypt"
                    r"|termios|getopt|ucontext|execinfo|malloc|shadow|stdlib|string|stdio|stdint)\.h\Z")


def may_use(module, other):
    """May sources of `module` name what `other` promises?"""
    if module == other:
        return True
    if (module, other) in FORBIDDEN_PAIRS:
        return False
    if module == MAIN:
        return other in MODULES
    if module in LEAVES:
        return other == "base"
    return other in LEAVES or SPINE.index(other) < SPINE.index(module)


def place(name):
    """(module, is public) of a source's path, or None."""
    match = re.match(r"(?:include/postern/(\w+)|src/(\w+))/", name)
    if match:
        module = match.group(1) or match.group(2)
        return (module, match.group(1) is not None) if module in MODULES else None
    return (MAIN, False) if name == "src/main.cpp" else None


def allowed_modules(table, name):
    for pattern, modules in table:
        if re.match(pattern, name):
            return modules
    return None


def project_problem(module, public, path):
    """What is wrong with an include of ours, if anything."""
    parts = path.split("/")
    promised = parts[0] == "postern"
    if promised:
        parts = parts[1:]
    if len(parts) < 2 or ".." in parts or parts[0] not in MODULES:
        return "path", f'"{path}": ours are "postern/<module>/..." or, for private headers, "<module>/..."'
    other = parts[0]
    if not promised and public:
        return "private", f'a public header includes the private "{path}"'
    if not promised and other != module:
        return "private", f'"{path}" is private to {other}'
    if not may_use(module, other):
        return "order", f"{module} stands below or beside {other} and may not use it"
    return None


def third_party_problem(module, public, path):
    if path in STANDARD:
        return None
    if public:
        return None if SYSTEM_PUBLIC.match(path) else ("public", f"a public header shows <{path}> to everybody")
    modules = allowed_modules(HEADERS, path)
    if modules is None:
        return None if SYSTEM.match(path) else ("unknown", f"<{path}>: say in layering.py which modules may see it")
    return None if module in modules else ("library", f"<{path}> is seen only in {', '.join(sorted(modules))}")


def check_source(name, text):
    """All findings of one source."""
    where = place(name)
    if where is None:
        return [cpp_source.Finding(name, 1, "place", "not in the folder of a known module")]
    out = []
    for include in cpp_source.includes(text):
        check = third_party_problem if include.angled else project_problem
        problem = check(*where, include.path)
        if problem:
            out.append(cpp_source.Finding(name, include.line, *problem))
    return out


def check_cmake(name, module, text):
    """All findings of the build file of a module."""
    out = []
    lines = [re.sub(r"#.*", "", line) for line in text.split("\n")]
    named = re.search(r"postern_module\s*\(\s*(\S+)", "\n".join(lines))
    if named and named.group(1) != module:
        out.append(cpp_source.Finding(name, 1, "place", f"postern_module({named.group(1)}) in the folder of {module}"))
    for number, line in enumerate(lines, start=1):
        for library in re.findall(r"(?<![\w$])[\w-]+::[\w-]+|\bpostern_(?!module\b|options\b|test\b)\w+|\byaml-cpp\b(?!::)", line):
            other = re.match(r"postern(?:::|_)(\w+)", library)
            if other and (other.group(1) not in MODULES or not may_use(module, other.group(1))):
                out.append(cpp_source.Finding(name, number, "order", f"{module} may not link {library}"))
            if other:
                continue
            modules = allowed_modules(LIBRARIES, library)
            if modules is None:
                out.append(cpp_source.Finding(name, number, "unknown", f"{library}: say in layering.py who may link it"))
            elif module not in modules:
                out.append(cpp_source.Finding(name, number, "library", f"{library} is linked only in {', '.join(sorted(modules))}"))
    return out


def linked_modules(text):
    plain = re.sub(r"#.*", "", text)
    return set(re.findall(r"\bpostern::(\w+)", plain))


def reachable(module, links):
    seen, todo = set(), [module]
    while todo:
        for other in links.get(todo.pop(), ()):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def check_links(sources, links):
    """Finds includes of a module that the build file does not reach: they compile today and fail to link tomorrow."""
    out = []
    for name, text in sources:
        where = place(name)
        if where is None or where[0] not in links:
            continue
        known = reachable(where[0], links) | {where[0]}
        for include in cpp_source.includes(text):
            used = re.match(r"postern/(\w+)/", include.path)
            if used and used.group(1) not in known and may_use(where[0], used.group(1)):
                text_ = f"src/{where[0]}/CMakeLists.txt does not name postern::{used.group(1)}"
                out.append(cpp_source.Finding(name, include.line, "unlinked", text_))
    return out


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    sources = list(cpp_source.sources(arguments[1]))
    findings, links = [], {}
    for name, text in sources:
        findings += check_source(name, text)
    for path in sorted(Path(arguments[1]).glob("src/*/CMakeLists.txt")):
        text, module = path.read_text(encoding="utf-8"), path.parent.name
        name = f"src/{module}/CMakeLists.txt"
        if module not in MODULES:
            findings.append(cpp_source.Finding(name, 1, "place", f"{module} is not a known module"))
            continue
        findings += check_cmake(name, module, text)
        links[module] = linked_modules(text)
    findings += check_links(sources, links)
    return cpp_source.report("layering", findings, len(sources))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
