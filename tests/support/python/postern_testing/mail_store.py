"""What the tests ask of every real mail server: IMAP and POP3 over one mailbox, and a way to change it behind POP3."""

import imaplib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .process import hand_over

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

    def append(self, user: str, message: bytes, mailbox: str = "INBOX") -> None:
        """By APPEND, octet for octet; raises Refused where the server does."""
        with self.imap(user) as connection:
            connection.literal = message  # not append(): that one repairs line ends
            status, data = connection._simple_command("APPEND", mailbox)
            if status != "OK":
                raise Refused(data[0].decode(errors="replace"))

    def flag(self, user: str, uids: list[int], flags: str = r"\Seen") -> None:
        with self.imap(user) as connection:
            connection.select()
            _flag(connection, uids, flags)

    def expunge(self, user: str, uids: list[int]) -> None:
        """These and no others, as another mail program would."""
        with self.imap(user) as connection:
            connection.select()
            _flag(connection, uids, r"\Deleted")
            _good(connection.uid("EXPUNGE", _set(uids)))

    def uid_validity(self, user: str) -> int:
        with self.imap(user) as connection:
            connection.select()
            return int(connection.response("UIDVALIDITY")[1][0])

    def stored(self, user: str) -> list[Stored]:
        """The messages in the order of their numbers."""
        with self.imap(user) as connection:
            connection.select()
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
    _good(connection.uid("STORE", _set(uids), "+FLAGS.SILENT", f"({flags})"))


def _set(uids: list[int]) -> str:
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
