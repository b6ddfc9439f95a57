"""Mailboxes in memory, for the model of an IMAP server."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .imap_words import Malformed


@dataclass
class Message:
    text: bytes
    flags: set[str] = field(default_factory=set)
    size: int | None = None  # RFC822.SIZE where it differs from the text's
    date: str = "01-Jan-2026"
    email_id: str = ""
    guid: str = ""
    gm_msgid: int = 0


class Mailbox:
    def __init__(self, messages: Sequence[bytes] = (), uidvalidity: int = 1, **settings) -> None:
        self.uidvalidity = uidvalidity
        self.uidnext = 1
        self.read_only = False
        self.keeps_keywords = True
        self.special_use = ""
        self.mailbox_id = ""
        self.version = 0  # changes whenever a message comes or goes
        self.messages: dict[int, Message] = {}
        self.__dict__.update(settings)
        for text in messages:
            self.add(Message(text))

    def add(self, message: Message) -> int:
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.messages[uid] = message
        self.version += 1
        return uid

    def remove(self, uid: int) -> None:
        del self.messages[uid]
        self.version += 1

    def uids(self) -> list[int]:
        """Ascending."""
        return list(self.messages)

    def get(self, uid: int) -> Message | None:
        return self.messages.get(uid)

    def size(self, uid: int) -> int:
        message = self.messages[uid]
        return len(message.text) if message.size is None else message.size

    def flags(self, uid: int) -> set[str] | frozenset[str]:
        """To be looked at; those of a message that is gone are none."""
        message = self.messages.get(uid)
        return message.flags if message else frozenset()

    def date(self, uid: int) -> str:
        return self.messages[uid].date


class SyntheticMailbox(Mailbox):
    """As many messages as you like, all of one size. They are made when they are asked for."""

    def __init__(self, count: int, size: int = 1000, **settings) -> None:
        super().__init__(**settings)
        self.uidnext = count + 1
        self.made = (count, size)
        self.gone: set[int] = set()

    def text(self, uid: int) -> bytes:
        head = f"Subject: message {uid}\r\n\r\n".encode()
        return head + b"x" * (self.made[1] - len(head) - 2) + b"\r\n"

    def _is_made(self, uid: int) -> bool:
        return 0 < uid <= self.made[0] and uid not in self.gone and uid not in self.messages

    def remove(self, uid: int) -> None:
        self.messages.pop(uid, None)
        self.gone.add(uid)
        self.version += 1

    def uids(self) -> list[int]:
        made = list(range(1, self.made[0] + 1))
        if self.gone:
            made = [uid for uid in made if uid not in self.gone]
        return made + [uid for uid in self.messages if uid > self.made[0]]

    def get(self, uid: int) -> Message | None:
        if self._is_made(uid):
            self.messages[uid] = Message(self.text(uid))
        return self.messages.get(uid)

    def size(self, uid: int) -> int:
        return self.made[1] if self._is_made(uid) else super().size(uid)

    def date(self, uid: int) -> str:
        return Message(b"").date if self._is_made(uid) else super().date(uid)


@dataclass
class Removal:
    mailbox: str
    uid: int
    command: str  # what asked for it


def date(text: str) -> datetime:
    return datetime.strptime(text, "%d-%b-%Y")


def section_of(text: bytes, section: str) -> bytes:
    end = re.search(rb"(?:\A|\n)\r?\n", text)
    header = text[: end.end()] if end else text
    if section == "":
        return text
    if section == "HEADER":
        return header
    if section == "TEXT":
        return text[len(header) :]
    fields = re.fullmatch(r"HEADER\.FIELDS \((.*)\)", section)
    if not fields:
        raise Malformed(f"section {section}")
    names = fields[1].encode().split(b" ")
    found = re.findall(rb"(?:^|(?<=\n))([^:\s]+)(:[^\n]*\n(?:[ \t][^\n]*\n)*)", header)
    return b"".join(name + rest for name, rest in found if name.upper() in names) + b"\r\n"
