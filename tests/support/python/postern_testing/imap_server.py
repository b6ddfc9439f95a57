"""An IMAP4rev1 server on loopback with mailboxes in memory: `Upstream(ImapStore([...]))`.

As strict as any real one, and stricter: what a gateway must never send (sequence numbers, CLOSE, "*" in a set to be
removed, octets behind a login) fails the test. What it says to a command can be replaced, by the command's text without
its tag ("UID FETCH 3 (UID BODY.PEEK[])") or by its name ("UID FETCH"); "$TAG" in octets stands for the tag. TLS, cuts
after any octet and the account of connections are those of `Upstream`.
"""

import ssl
import threading
from dataclasses import dataclass, field

from .client import eventually
from .imap_commands import Conversation
from .imap_mailbox import Mailbox, Message, Removal
from .imap_words import name_of
from .scripted import Answer, Peer, Step

CAPABILITIES = ("IMAP4rev1", "LITERAL+", "SASL-IR", "AUTH=PLAIN", "ID")
CAPABILITIES_AFTER = ("IMAP4rev1", "LITERAL+", "ID", "UIDPLUS", "MOVE", "ESEARCH", "UNSELECT", "SPECIAL-USE")


@dataclass
class ImapStore(Step):
    messages: list[bytes] = field(default_factory=list)  # of INBOX, to begin with
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    mailboxes_of: dict[str, dict[str, Mailbox]] = field(default_factory=dict)  # of users who have their own
    users: dict[str, str] | None = None  # None: everybody may come in
    greeting: str = "ready"
    capabilities: tuple[str, ...] = CAPABILITIES
    capabilities_after: tuple[str, ...] = CAPABILITIES_AFTER
    capabilities_in_greeting: bool = True
    capabilities_in_login_ok: bool = True
    starttls: ssl.SSLContext | None = None
    login_refusal: str = "NO [AUTHENTICATIONFAILED] Authentication failed."
    bad: str = "BAD"  # Courier: NO
    select_sends_uidnext: bool = True
    uid_last: bool = False  # in FETCH
    whole_for_parts: bool = False  # Exchange: a partial FETCH gets everything, and no origin
    knows_guid: bool = False
    max_line: int = 8000
    max_queued: int = 4

    ahead: dict[str, Answer] = field(default_factory=dict)  # what is done before a command is
    instead: dict[str, Answer] = field(default_factory=dict)  # ... instead of doing it
    instead_once: dict[str, Answer] = field(default_factory=dict)
    instead_answer: dict[str, Answer] = field(default_factory=dict)  # ... instead of saying what came of it

    commands: list[str] = field(default_factory=list)  # of all connections, without their tags, passwords included
    removals: list[Removal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.mailboxes.setdefault("INBOX", Mailbox(self.messages))

    @property
    def inbox(self) -> Mailbox:
        return self.mailboxes["INBOX"]

    def run(self, peer: Peer) -> None:
        Conversation(self, peer).run()

    def once(self, command: str, answer: Answer) -> None:
        """`instead`, for the next time only."""
        self.instead_once[command] = answer

    def deliver(self, text: bytes, mailbox: str = "INBOX") -> int:
        with self.lock:
            return self.mailboxes[mailbox].add(Message(text))

    def expunge(self, uid: int, mailbox: str = "INBOX") -> None:
        """Somebody else removes it; sessions hear of it with their next command."""
        with self.lock:
            self.mailboxes[mailbox].remove(uid)

    def count(self, command: str) -> int:
        """How often a command came, by its text or its name."""
        return sum(command in (text, name_of(text)) for text in self.commands)

    def names(self) -> list[str]:
        """The names of the commands."""
        return [name_of(text) for text in self.commands]

    def removed(self, mailbox: str = "INBOX") -> list[int]:
        """The UIDs that commands removed, in that order."""
        with self.lock:
            return [removal.uid for removal in self.removals if removal.mailbox == mailbox]

    def wait_for_removed(self, *uids: int) -> None:
        eventually(lambda: self.removed() == list(uids), f"the server removes {uids}")

    def wait_for(self, command: str) -> None:
        eventually(lambda: self.count(command), f"the server gets {command}")
