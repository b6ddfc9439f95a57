#!/usr/bin/env python3
"""Refuses what the house rules forbid in include/ and src/ and no compiler sees.

Clocks, random sources and threads come through seams, or the simulation would be none: a direct one is refused outside the
few files that implement the seam. The rest are habits: no output past the log, no unexplained `catch (...)`, no `TODO`
without an issue, no file that is too long to read, no path of somebody's machine.

usage: house_lint.py ROOT
"""

import re
import sys
from typing import NamedTuple

import cpp_source

MAX_LINES = 800   # more is refused: split the file
LONG_LINES = 500  # more is printed: wants a reason

SYSTEM_SOURCE = "src/base/system.cpp"  # implements Clock and Random over the system


class Word(NamedTuple):
    """What may be said only in some places. `homes` are prefixes of paths."""

    rule: str
    pattern: str
    homes: tuple
    text: str


def _call(names):
    """A call of one of these C functions: not a member, not somebody else's namespace, not a declaration of ours."""
    return rf"(?<![\w.>:~])(?:std::|::)?(?:{names})\s*\("


WORDS = (
    Word("clock", r"\b\w+_clock\s*::\s*now\b|\b(?:clock_gettime|gettimeofday|timespec_get|ftime)\b", (SYSTEM_SOURCE, "src/loop/"),
         "ask the Clock"),
    Word("clock", r"(?:\bstd::|(?<![\w>])::)time\s*\(|(?<![\w.>:])time\s*\(\s*(?:nullptr|NULL|0|&\s*\w+)\s*\)", (SYSTEM_SOURCE, "src/loop/"),
         "ask the Clock"),
    Word("clock", r"\buv_(?:now|hrtime|clock_gettime|gettimeofday)\b", (SYSTEM_SOURCE, "src/loop/"), "ask the Scheduler or the Clock"),
    Word("random", r"\brandom_device\b|\bmt19937(?:_64)?\b|\bdefault_random_engine\b|\bgetrandom\b|\bgetentropy\b|\barc4random\w*"
         r"|\buv_random\b", (SYSTEM_SOURCE,), "ask Random"),
    Word("random", r"\bRAND_(?:priv_)?bytes(?:_ex)?\b", (SYSTEM_SOURCE, "src/tls/"), "ask Random"),
    Word("random", _call(r"srand|srandom|rand_r|drand48|lrand48") + r"|(?<![\w.>:~])(?:std::|::)?rand(?:om)?\s*\(\s*\)",
         (SYSTEM_SOURCE,), "ask Random"),
    Word("thread", r"\bstd::j?thread\b(?!\s*::\s*(?:id|hardware_concurrency)\b)|\bstd::async\b|\bpthread_create\b"
         r"|\buv_thread_create\w*|\buv_queue_work\b", ("src/loop/", "src/app/"), "threads start in loop and app"),
    Word("sleep", r"\bsleep_(?:for|until)\b|\busleep\b|\bnanosleep\b|\bclock_nanosleep\b|\buv_sleep\b|" + _call("sleep"), (),
         "nothing of ours blocks a thread to wait: arm a timer"),
    Word("output", r"\b(?:v?f?printf|fputs|fputc|putchar|putc|perror)\s*\(|" + _call("puts")
         + r"|\bstd::w?(?:cout|cerr|clog)\b|<iostream>|\bfmt::print\b", (SYSTEM_SOURCE, "src/app/", "src/main.cpp"), "write to the log"),
)

TODO = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
ISSUE = re.compile(r"#\d+")
CATCH_ALL = re.compile(r"\bcatch\s*\(\s*\.\.\.\s*\)")
MACHINE_PATH = re.compile(r"(?<![\w./])/(?:home|root|tmp|work|farm|mnt|Users)/\w")


def check_words(name, code):
    for word in WORDS:
        if name.startswith(word.homes):
            continue
        for match in re.finditer(word.pattern, code):
            yield cpp_source.line_of(code, match.start()), word.rule, f"{match.group().rstrip(' (')}: {word.text}"


def check_catch_all(code, comments):
    """`catch (...)` says in a comment, before it, beside it or first thing in it, why nothing may pass."""
    said = comments.split("\n")
    for match in CATCH_ALL.finditer(code):
        line = cpp_source.line_of(code, match.start())
        if not any(part.strip() for part in said[max(0, line - 2):line + 1]):
            yield line, "catch-all", "catch (...) without a comment that says why"


def check_comments(text, comments):
    for line, comment in enumerate(comments.split("\n"), start=1):
        if TODO.search(comment) and not ISSUE.search(comment):
            yield line, "todo", "names no issue: do it, or write #number"
    for match in MACHINE_PATH.finditer(text):
        yield cpp_source.line_of(text, match.start()), "machine-path", "a path of somebody's machine"


def check(name, text):
    """All findings of one source."""
    code, comments = cpp_source.split_text(text)
    found = [*check_words(name, code), *check_catch_all(code, comments), *check_comments(text, comments)]
    if name.endswith(".hpp"):
        first = re.search(r"\S[^\n]*", code)
        if not first or first.group().strip() != "#pragma once":
            found.append((1, "pragma-once", "a header begins with #pragma once"))
    length = len(text.splitlines())
    if length > MAX_LINES:
        found.append((length, "length", f"{length} lines, at most {MAX_LINES}"))
    return [cpp_source.Finding(name, line, rule, text_) for line, rule, text_ in sorted(set(found))]


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    findings, files = [], 0
    for name, text in cpp_source.sources(arguments[1]):
        findings += check(name, text)
        files += 1
        length = len(text.splitlines())
        if LONG_LINES < length <= MAX_LINES:
            print(f"note: {name} has {length} lines")
    return cpp_source.report("house_lint", findings, files)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
