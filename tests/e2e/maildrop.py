"""What a client sees of a maildrop; and what it has to see of messages that lie behind IMAP, in words of its own."""

import re

from postern_testing.client import Client


def sizes(client: Client) -> list[int]:
    return [size for _, size in listed(client)]


def listed(client: Client) -> list[tuple[int, int]]:
    """Number and size in LIST."""
    status, lines = client.command_multi("LIST")
    assert status.startswith(b"+OK"), status
    return [(int(number), int(size)) for number, size in (line.split(b" ") for line in lines.splitlines())]


def totals(client: Client) -> tuple[int, int]:
    """Messages and octets in STAT."""
    _, count, octets = client.command("STAT").split(b" ")
    return int(count), int(octets)


def uidls(client: Client) -> list[str]:
    status, lines = client.command_multi("UIDL")
    assert status.startswith(b"+OK"), status
    return [line.split(" ")[1] for line in lines.decode().splitlines()]


def retrieved(client: Client, number: int) -> bytes:
    """The message as the client of a POP3 server has it: without what the dots were stuffed with."""
    return _unstuffed(client, f"RETR {number}")


def top(client: Client, number: int, lines: int) -> bytes:
    return _unstuffed(client, f"TOP {number} {lines}")


def _unstuffed(client: Client, command: str) -> bytes:
    status, lines = client.command_multi(command)
    assert status.startswith(b"+OK"), f"{command}: {status!r}"
    return as_sent(lines)


def as_sent(lines: bytes) -> bytes:
    """The lines of a message without what their dots were stuffed with."""
    return b"\r\n".join(line.removeprefix(b".") for line in lines.split(b"\r\n"))


def normalised(octets: bytes) -> bytes:
    """A message of IMAP as POP3 has it (RETR-3): lines end with CRLF, the last one too, and there is no NUL."""
    shown = bytearray()
    for octet in octets.replace(b"\0", b"\x80"):
        if octet == 0x0A and not shown.endswith(b"\r"):
            shown.append(0x0D)
        shown.append(octet)
    return bytes(shown if shown.endswith(b"\n") else shown + b"\r\n")


def beginning(shown: bytes, lines: int) -> bytes:
    """What TOP has to give of a message as RETR shows it: header, empty line and so many lines (TOP-2)."""
    every = re.findall(rb".*?\r\n", shown, re.DOTALL)
    header = every.index(b"\r\n") + 1 if b"\r\n" in every else len(every)
    return b"".join(every[: header + lines])
