"""Messages that have broken mail programs and relays before, in store form (LF line ends)."""

import re

HEADER = b"From: ann@example.net\nTo: joe@example.net\nSubject: %s\nDate: Thu, 1 Jan 2026 00:00:00 +0000\n\n"


def wire_form(octets: bytes) -> bytes:
    """With a CR before every LF."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", octets)


def message(name: str, body: bytes) -> bytes:
    return HEADER % name.encode() + body


def subject_of(octets: bytes) -> str:
    return re.search(rb"^Subject: ([^\r\n]*)", octets, re.MULTILINE)[1].decode()


CORPUS = {
    "plain": message("plain", b"hello\n"),
    "dots": message("dots", b".\n..\n...\n.a\n..b\n. \nend.\n.\n"),
    "dot-at-the-end": message("dot at the end", b"text\n."),
    "long-line": message("long line", b"x" * 20_000 + b"\n." + b"y" * 20_000 + b"\nend\n"),
    "no-final-newline": message("no final newline", b"text without an end"),
    "8-bit": message("8 bit", bytes(range(128, 256)) + b"\n\xc3\xa4\xc3\xb6\xff\xfe\n"),
    "nul": message("nul", b"before\0after\n\0\n"),
    "bare-cr": message("bare CR", b"a\rb\n\r.\r\n.\rx\nend\r\n"),
    "final-cr": message("final CR", b"text\r"),
    "mixed": message("mixed", b"one\r\ntwo\n.three\r\n\n.\nfour\r\n"),
    "crlf": message("crlf", b"one\r\n.two\r\nthree\r\n"),
    "from-inside": message("from", b"text\n\nFrom nobody\nFrom somebody else\n"),
    "leading-from": b"From nobody Thu Jan  1 00:00:00 2026\n" + message("leading from", b"text\n"),
    "header-only": b"Subject: header only\n",
    "header-and-blank": b"Subject: header and blank\n\n",
    "header-without-newline": b"Subject: header without newline",
    "empty": b"",
    "blank-line-only": b"\n",
    "no-header": b"no header at all\nsecond line\n",
    "blank-tail": message("blank tail", b"text\n\n\n\n\n"),
    "utf8-header": "Subject: Grüße, ☃\nX-Folded: a\n\tb\n\n☃\n".encode(),
    "terminator-lookalikes": message("lookalikes", b"\n.\n\n.\r\n\n..\n\n.\n\n+OK fake\n-ERR fake\n"),
    "many-lines": message("many lines", b"".join(b"%d\n" % n for n in range(20_000))),
}

BIG = message("big", b"".join(b".%069d\n" % n for n in range(25_000_000 // 71)))
MANY = [message(f"number {n}", b"text %d\n" % n) for n in range(1000)]
