"""What the tests ask of every real mail server: IMAP and POP3 over one mailbox, and a way to change it behind POP3."""

import imaplib
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .process import hand_over, processes_with, serving

IMAP_SECONDS = 30.0
ITEMS = "(UID RFC822.SIZE BODY.PEEK[])"


class Refused(Exception):
    """The server does not take what it was given; the text is what it says."""


@dataclass
class Stored:
    """A message as IMAP shows it: `size` is RFC822.SIZE, `octets` the literal of BODY[]."""

    uid: int
    size: int
    octets: bytes


class MailStore:
    """For a server that has `users` (with their passwords), `imap_port` and `pop3_port`, both plaintext on `host`."""

    host = "127.0.0.1"
    takes_files = True  # whether `fill` exists: messages put into the mailbox as files, in store form
    users: dict[str, str]
    folder: Path  # where it runs; its name is in the command lines or environments of its processes
    imap_port: int
    pop3_port: int

    def fill(self, user: str, messages: list[bytes]) -> None:
        """Puts messages behind those that the mailbox has, in this order."""
        raise NotImplementedError

    @contextmanager
    def imap(self, user: str) -> Iterator[imaplib.IMAP4]:
        """Logged in, nothing selected."""
        with imaplib.IMAP4(self.host, self.imap_port, timeout=IMAP_SECONDS) as connection:
            connection.login(user, self.users[user])
            yield connection

    def append(self, user: str, *messages: bytes, mailbox: str = "INBOX", arrived: float = 0) -> None:
        """By APPEND, octet for octet, as if it had arrived then; raises Refused where the server does."""
        when = [imaplib.Time2Internaldate(arrived)] if arrived else []
        with self.imap(user) as connection:
            for message in messages:
                connection.literal = message  # not append(): that one repairs line ends
                status, data = connection._simple_command("APPEND", mailbox, *when)
                if status != "OK":
                    raise Refused(data[0].decode(errors="replace"))

    def create(self, user: str, mailbox: str) -> None:
        with self.imap(user) as connection:
            _good(connection.create(mailbox))

    def delete(self, user: str, mailbox: str) -> None:
        with self.imap(user) as connection:
            _good(connection.delete(mailbox))

    def flag(self, user: str, uids: list[int], flags: str = r"\Seen") -> None:
        with self.imap(user) as connection:
            connection.select()
            _flag(connection, uids, flags)

    def flags(self, user: str, mailbox: str = "INBOX") -> dict[int, set[str]]:
        """What is set of the messages, by UID; without \\Recent, which nobody sets."""
        with self.imap(user) as connection:
            _good(connection.select(mailbox))
            lines = [line for line in _good(connection.uid("FETCH", "1:*", "(UID FLAGS)")) if line]
        found = [(re.search(rb"\bUID (\d+)", line)[1], re.search(rb"FLAGS \(([^)]*)\)", line)[1]) for line in lines]
        return {int(uid): set(flags.decode().split()) - {r"\Recent"} for uid, flags in found}

    def expunge(self, user: str, uids: list[int]) -> None:
        """These and no others, as another mail program would."""
        with self.imap(user) as connection:
            connection.select()
            _flag(connection, uids, r"\Deleted")
            _good(connection.uid("EXPUNGE", by_set(uids)))

    def uid_validity(self, user: str) -> int:
        with self.imap(user) as connection:
            connection.select()
            return int(connection.response("UIDVALIDITY")[1][0])

    def kill_sessions(self) -> None:
        """Ends the processes that serve IMAP to somebody, and no others."""
        for process in serving(processes_with(self.folder.name), self.imap_port):
            os.kill(process, signal.SIGKILL)

    def stored(self, user: str, mailbox: str = "INBOX") -> list[Stored]:
        """The messages in the order of their numbers."""
        with self.imap(user) as connection:
            _good(connection.select(mailbox))
            return [_stored(part) for part in _good(connection.uid("FETCH", "1:*", ITEMS)) if _has_body(part)]


def make_maildir(maildir: Path) -> None:
    parts = [maildir / part for part in ("cur", "new", "tmp")]
    for part in parts:
        part.mkdir(parents=True, exist_ok=True)
    hand_over(maildir.parent, maildir, *parts)


def put_into_maildir(maildir: Path, first: int, messages: list[bytes]) -> None:
    """Delivers into new/; the numbers from `first` on, in the names, make the order."""
    for number, message in enumerate(messages, first):
        path = maildir / "tmp" / f"{1700000000 + number}.M{number}P1.test"
        path.write_bytes(message)
        hand_over(path)
        path.rename(maildir / "new" / path.name)


def _flag(connection: imaplib.IMAP4, uids: list[int], flags: str) -> None:
    _good(connection.uid("STORE", by_set(uids), "+FLAGS.SILENT", f"({flags})"))


def by_set(uids: list[int]) -> str:
    return ",".join(str(uid) for uid in uids)


def _good(answer: tuple[str, list]) -> list:
    status, data = answer
    if status != "OK":
        raise Refused(repr(data))
    return data


def _has_body(part: bytes | tuple[bytes, bytes] | None) -> bool:
    """Not what stands behind a literal, nor the FETCH of somebody else's change."""
    return b"BODY[]" in (part[0] if isinstance(part, tuple) else part or b"")


def _stored(part: bytes | tuple[bytes, bytes]) -> Stored:
    head, octets = part if isinstance(part, tuple) else (part, b"")  # without a literal: "", for an empty message
    return Stored(int(re.search(rb"\bUID (\d+)", head)[1]), int(re.search(rb"RFC822\.SIZE (\d+)", head)[1]), octets)
