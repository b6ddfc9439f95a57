"""One connection to the model of an IMAP server: lines, literals, what is said instead, and the login."""

import base64
import re
import select
import ssl
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from .imap_mailbox import Mailbox
from .imap_words import Malformed, Words, name_of, quoted
from .scripted import Answer, Peer, Send, respond

if TYPE_CHECKING:
    from .imap_server import ImapStore

FORBIDDEN = {
    "CLOSE": "it expunges what the user did not delete",
    "ENABLE": "it changes what the server says",
    **dict.fromkeys(("FETCH", "STORE", "COPY", "MOVE", "SEARCH"), "sequence numbers"),
}
LITERAL = re.compile(r"(?:^|(?<=[ (]))\{([0-9]+)(\+?)\}$")
MAX_LITERAL = 65536
BATCH = 10_000  # messages of a list that are written at a time


class Connection:
    """From the greeting to the login. The commands behind it are added by Conversation."""

    def __init__(self, store: "ImapStore", peer: Peer) -> None:
        self.store = store
        self.peer = peer
        self.state = "fresh"  # then authenticated, selected
        self.announced: tuple[str, ...] = ()
        self.tags: set[str] = set()
        self.mailboxes: dict[str, Mailbox] = {}
        self.selected = ""
        self.known: list[int] = []
        self.version = 0
        self.tag = self.text = ""

    def run(self) -> None:
        code = f"[CAPABILITY {self._announce(self.store.capabilities)}] " if self.store.capabilities_in_greeting else ""
        self.peer.send(f"* OK {code}{self.store.greeting}\r\n".encode())
        while True:
            self._read_command()
            try:
                self._perform()
            except Malformed as error:
                raise Malformed(f"{self.text}: {error}") from None

    # Lines and literals.

    def _read_line(self) -> str:
        line = self.peer.read_line()
        taken = len(self.peer.received) - len(self.peer.buffer)
        assert self.peer.received[taken - 2 : taken] == b"\r\n", f"a line that does not end with CRLF: {line!r}"
        assert all(0x20 <= octet < 0x7F for octet in line), f"octets outside 0x20-0x7E in a line: {line!r}"
        return line.decode("ascii")

    def _read_command(self) -> None:
        text, octets = "", 0
        while True:
            line = self._read_line()
            octets += len(line)
            assert octets <= self.store.max_line, f"a line of {octets} octets"
            literal = LITERAL.search(line)
            if not literal:
                break
            text += line[: literal.start()] + quoted(self._read_literal(int(literal[1]), bool(literal[2])))
        self.tag, space, self.text = (text + line).partition(" ")
        self.name = name_of(self.text)
        assert space and self.name.strip() == self.name != "", f"no command: {text + line!r}"
        assert self.tag not in self.tags, f"the tag {self.tag} again"
        self.tags.add(self.tag)
        self.store.commands.append(self.text)

    def _read_literal(self, size: int, at_once: bool) -> str:
        assert size <= MAX_LITERAL, f"a literal of {size} octets"
        small = "LITERAL-" in self.announced and size <= 4096
        assert not at_once or small or "LITERAL+" in self.announced, "{n+} without LITERAL+"
        if not at_once:
            assert not self.peer.buffer, 'a literal that did not wait for "+"'
            self.peer.send(b"+ go ahead\r\n")
        octets = self.peer.read_exactly(size)
        assert b"\0" not in octets, "NUL in a literal"
        return octets.decode("latin-1")

    def _perform(self) -> None:
        store, name = self.store, self.name
        if name in FORBIDDEN or name == "EXAMINE":
            raise Malformed(FORBIDDEN.get(name, "Courier changes UIDVALIDITY"))
        waiting = 1 + self.peer.buffer.count(b"\n")
        assert waiting <= store.max_queued, f"{waiting} commands in the queue"
        if name in ("LOGIN", "AUTHENTICATE"):
            self._expect_silence()
        self._respond(self._wanted(store.ahead) or b"")
        other = self._wanted(store.instead_once)
        if other is None:
            other = self._wanted(store.instead)
        for key in (self.text, name):
            store.instead_once.pop(key, None)
        if other is not None:
            self._respond(other)
            return
        kept = self._wanted(store.instead_answer)
        answer = self._execute()
        for chunk in answer:
            if kept is None:
                self.peer.send(chunk.encode("latin-1"))
        if kept is not None:
            self._respond(kept)
        if name == "LOGOUT":
            self.peer.end("close")
        if name == "STARTTLS" and store.starttls:
            assert not self.peer.buffer, "octets before the handshake"
            self.announced = ()
            self.peer.start_tls(store.starttls)

    def _wanted(self, answers: dict[str, Answer]) -> Answer | None:
        return answers.get(self.text, answers.get(self.name))

    def _respond(self, answer: Answer) -> None:
        def tagged(octets: bytes) -> bytes:
            return octets.replace(b"$TAG", self.tag.encode())

        if isinstance(answer, bytes):
            answer = tagged(answer)
        elif isinstance(answer, list):
            answer = [replace(step, octets=tagged(step.octets)) if isinstance(step, Send) else step for step in answer]
        respond(self.peer, answer)

    def _expect_silence(self) -> None:
        assert not self.peer.buffer, "something follows a login"
        is_tls = isinstance(self.peer.socket, ssl.SSLSocket)  # what is readable there may be no octet of its
        if not is_tls and select.select([self.peer.socket], [], [], 0)[0]:
            assert not self.peer.peek(), "something follows a login"

    def _execute(self) -> Iterator[str]:
        places = {
            "fresh": ("STARTTLS", "LOGIN", "AUTHENTICATE"),
            "authenticated": ("SELECT", "STATUS", "LIST", "CREATE"),
            "selected": ("UNSELECT", "EXPUNGE", "UID FETCH", "UID SEARCH", "UID STORE", "UID EXPUNGE", "UID COPY",
                         "UID MOVE"),
        }  # fmt: skip
        allowed = ("CAPABILITY", "NOOP", "LOGOUT", "ID") + places[self.state]
        if self.state == "selected":
            allowed += places["authenticated"]
        if self.name not in allowed:
            return self._done(f"{self.store.bad} Unknown command, or not now.")
        run: Callable[[Words], Iterator[str]] = getattr(self, "_" + self.name.lower().replace(" ", "_"))
        with nullcontext() if self.state == "fresh" else self.store.lock:
            return iter(self._batches(run(Words(self.text[len(self.name) :]))))

    @staticmethod
    def _batches(lines: Iterator[str]) -> list[str]:
        """Done while the lock is held, sent when it is free; not a string for each of a million lines."""
        batches, batch = [], []
        for line in lines:
            batch.append(line)
            if len(batch) == BATCH:
                batches.append("".join(batch))
                batch = []
        return [*batches, "".join(batch)]

    # What is said.

    def _done(self, condition: str) -> Iterator[str]:
        yield f"{self.tag} {condition}\r\n"

    def _unknown(self) -> Iterator[str]:
        return self._done(f"{self.store.bad} Unknown command.")

    def _announce(self, capabilities: tuple[str, ...]) -> str:
        self.announced = capabilities
        return " ".join(capabilities)

    def _capabilities(self) -> tuple[str, ...]:
        return self.store.capabilities if self.state == "fresh" else self.store.capabilities_after

    def _has(self, capability: str) -> bool:
        return capability in self._capabilities()

    # In any state.

    def _capability(self, words: Words) -> Iterator[str]:
        words.end()
        yield f"* CAPABILITY {self._announce(self._capabilities())}\r\n"
        yield from self._done("OK Capability completed.")

    def _noop(self, words: Words) -> Iterator[str]:
        words.end()
        yield from self._news()
        yield from self._done("OK NOOP completed.")

    def _news(self) -> Iterator[str]:
        raise NotImplementedError

    def _logout(self, words: Words) -> Iterator[str]:
        words.end()
        yield "* BYE Logging out\r\n"
        yield from self._done("OK Logout completed.")

    def _id(self, words: Words) -> Iterator[str]:
        words.expect(" ")
        if not self._has("ID"):
            return (yield from self._unknown())
        if not words.take("NIL"):
            words.expect("(")
            words.string()
            while words.take(" "):
                words.string()
            words.expect(")")
        words.end()
        yield '* ID ("name" "model")\r\n'
        yield from self._done("OK ID completed.")

    # Before the login.

    def _starttls(self, words: Words) -> Iterator[str]:
        words.end()
        yield from self._done("OK Begin TLS now." if self.store.starttls else f"{self.store.bad} No TLS here.")

    def _login(self, words: Words) -> Iterator[str]:
        words.expect(" ")
        user = words.string()
        words.expect(" ")
        password = words.string()
        words.end()
        if self._has("LOGINDISABLED"):
            raise Malformed("LOGIN in spite of LOGINDISABLED")
        return self._admit(user, password)

    def _authenticate(self, words: Words) -> Iterator[str]:
        words.expect(" ")
        if words.keyword() != "PLAIN" or not self._has("AUTH=PLAIN"):
            return self._done("NO Unsupported mechanism.")
        if words.take(" "):
            if not self._has("SASL-IR"):
                raise Malformed("no SASL-IR here")
            response = words.rest
        else:
            words.end()
            self.peer.send(b"+ \r\n")
            response = self._read_line()
        if response == "*":
            return self._done("BAD cancelled")
        _, user, password = base64.b64decode(response, validate=True).decode("latin-1").split("\0")
        return self._admit(user, password)

    def _admit(self, user: str, password: str) -> Iterator[str]:
        self._expect_silence()
        self.peer.credentials.append((user, password))
        if self.store.users is not None and self.store.users.get(user) != password:
            return (yield from self._done(self.store.login_refusal))
        self.state = "authenticated"
        self.mailboxes = self.store.mailboxes_of.get(user, self.store.mailboxes)
        code = f"[CAPABILITY {self._announce(self._capabilities())}] " if self.store.capabilities_in_login_ok else ""
        yield from self._done(f"OK {code}Logged in")
