"""The text of an IMAP command, taken apart from the front. Strict: one space between two words, none at the end."""

import re
from dataclasses import dataclass

ATOM = re.compile(r'[^(){ %*"\\\]\x00-\x1f\x7f-\xff]+')
PATTERN = re.compile(r'[^(){ "\\\x00-\x1f\x7f-\xff]+')
QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"', re.DOTALL)
NUMBER = re.compile(r"[0-9]+")
FLAG = re.compile(r"\\?[^(){ %*\"\\\]]+")
SYSTEM_FLAGS = {name.lower(): name for name in (r"\Answered", r"\Deleted", r"\Draft", r"\Flagged", r"\Seen")}
STAR = 0


class Malformed(AssertionError):
    """No gateway may send this: the test fails."""


@dataclass
class UidSet:
    ranges: list[tuple[int, int]]  # STAR for "*"

    def has_star(self) -> bool:
        return any(STAR in pair for pair in self.ranges)

    def resolved(self, greatest: int) -> list[tuple[int, int]]:
        pairs = [(first or greatest, last or greatest) for first, last in self.ranges]
        return [(min(pair), max(pair)) for pair in pairs]

    def __contains__(self, uid: int) -> bool:
        return any(first <= uid <= last for first, last in self.ranges)


class Words:
    def __init__(self, text: str) -> None:
        self.rest = text

    def take(self, text: str) -> bool:
        found = self.rest.startswith(text)
        if found:
            self.rest = self.rest[len(text) :]
        return found

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise Malformed(f"expected {text!r} before {self.rest!r}")

    def end(self) -> None:
        if self.rest:
            raise Malformed(f"surplus {self.rest!r}")

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self.rest)
        if not match:
            raise Malformed(f"expected a word before {self.rest!r}")
        self.rest = self.rest[match.end() :]
        return match

    def atom(self) -> str:
        return self._match(ATOM)[0]

    def keyword(self) -> str:
        return self.atom().upper()

    def string(self, otherwise: re.Pattern[str] = ATOM) -> str:
        if not self.rest.startswith('"'):
            return self._match(otherwise)[0]
        return re.sub(r"\\(.)", r"\1", self._match(QUOTED)[1])

    def pattern(self) -> str:
        return self.string(PATTERN)

    def number(self) -> int:
        return int(self._match(NUMBER)[0])

    def until(self, end: str) -> str:
        text, found, self.rest = self.rest.partition(end)
        if not found:
            raise Malformed(f"no {end!r} behind {text!r}")
        return text

    def flags(self) -> list[str]:
        single = not self.take("(")
        flags = []
        while single or not self.take(")"):
            if flags:
                self.expect(" ")
            flag = self._match(FLAG)[0]
            flags.append(SYSTEM_FLAGS.get(flag.lower(), flag))
            if single:
                break
        return flags

    def uids(self, star: bool = False) -> UidSet:
        """`star`: "*" may stand in it."""
        ranges = []
        while True:
            first = self._uid()
            ranges.append((first, self._uid() if self.take(":") else first))
            if not self.take(","):
                break
        found = UidSet(ranges)
        if found.has_star() and not star:
            raise Malformed('"*" in a set')
        if any(first != STAR and last != STAR and last < first for first, last in ranges):
            raise Malformed("a reversed range")
        if any(first == STAR and last != STAR for first, last in ranges):
            raise Malformed("a reversed range")
        return found

    def _uid(self) -> int:
        if self.take("*"):
            return STAR
        uid = self.number()
        if not 0 < uid < 2**32:
            raise Malformed(f"{uid} is no UID")
        return uid


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def ranges(uids: list[int]) -> str:
    """Ascending UIDs as a set, neighbours joined."""
    pairs: list[list[int]] = []
    for uid in uids:
        if pairs and pairs[-1][1] == uid - 1:
            pairs[-1][1] = uid
        else:
            pairs.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in pairs)


def name_of(text: str) -> str:
    words = text.split(" ", 2)
    return " ".join(words[:2] if words[0].upper() == "UID" else words[:1]).upper()
