"""A POP3 server on loopback that does what a test says: each connection follows a script of steps.

A script is a list of steps, or one step. The n-th connection follows the n-th script, and all later ones the last. Most
tests need only `Store`, a proper server whose answers can be replaced one by one.
"""

import base64
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .client import DEADLINE, eventually

CHUNK = 65536


class Gone(Exception):
    """The other side has closed the connection."""


class Ended(Exception):
    """The script has ended the connection."""


class Peer:
    """One accepted connection: what it said, and what the script may do with it."""

    def __init__(self, upstream: "Upstream", connection: socket.socket) -> None:
        self.upstream = upstream
        self.socket = connection
        self.buffer = b""
        self.received = b""
        self.lines: list[bytes] = []
        self.credentials: list[tuple[str, str]] = []
        self.output = bytearray()
        self.ended: str | None = None  # how the other side left: eof or reset
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(DEADLINE)

    def send(self, octets: bytes) -> None:
        cut = self.upstream.cut_at
        allowed = octets if cut is None else octets[: max(0, cut - len(self.output))]
        self.output += allowed  # before it is sent: the test may look as soon as it has arrived
        try:
            self.socket.sendall(allowed)
        except OSError as error:
            self.ended = self.ended or "reset"
            raise Gone from error
        if len(allowed) < len(octets):
            self.end(self.upstream.cut_how)

    def read_line(self) -> bytes:
        """The next line without its line end."""
        while b"\n" not in self.buffer:
            self._receive()
        line, _, self.buffer = self.buffer.partition(b"\n")
        self.lines.append(line.removesuffix(b"\r"))
        return self.lines[-1]

    def read_exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._receive()
        octets, self.buffer = self.buffer[:size], self.buffer[size:]
        return octets

    def peek(self) -> bytes:
        """What comes next, and stays there; nothing if the other side has gone. Not over TLS."""
        try:
            return self.socket.recv(CHUNK, socket.MSG_PEEK)
        except ConnectionError:
            return b""

    def read_to_end(self) -> None:
        while True:
            try:
                self.read_line()
            except Gone:
                return

    def start_tls(self, context: ssl.SSLContext) -> None:
        try:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        except (OSError, ValueError) as error:
            self.ended = "tls"
            raise Gone from error

    def end(self, how: str) -> None:
        if how == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
        self.close()
        raise Ended

    def close(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads from it
        except OSError:
            pass  # closed before
        self.socket.close()

    def _receive(self) -> None:
        try:
            octets = self.socket.recv(CHUNK)
        except TimeoutError:
            raise
        except OSError as error:
            self.ended = self.ended or "reset"
            raise Gone from error
        if not octets:
            self.ended = self.ended or "eof"
            raise Gone
        self.received += octets
        self.buffer += octets


class Step:
    def run(self, peer: Peer) -> None:
        raise NotImplementedError


@dataclass
class Send(Step):
    octets: bytes
    pace: float | None = None  # seconds between single octets: each is to be a packet of its own

    def run(self, peer: Peer) -> None:
        if self.pace is None:
            peer.send(self.octets)
            return
        for octet in self.octets:
            peer.send(bytes([octet]))
            time.sleep(self.pace)


@dataclass
class Expect(Step):
    line: bytes | re.Pattern[bytes]

    def run(self, peer: Peer) -> None:
        try:
            got = peer.read_line()
        except Gone:
            raise AssertionError(f"expected {self.line!r}, but the connection ended ({peer.ended})") from None
        matches = self.line.fullmatch(got) if isinstance(self.line, re.Pattern) else self.line == got
        assert matches, f"expected {self.line!r}, got {got!r}"


@dataclass
class Pause(Step):
    seconds: float

    def run(self, peer: Peer) -> None:
        time.sleep(self.seconds)


@dataclass
class Hold(Step):
    """Waits until the test sets the event."""

    event: threading.Event

    def run(self, peer: Peer) -> None:
        assert self.event.wait(DEADLINE), "nobody ended the wait"


class Close(Step):
    def run(self, peer: Peer) -> None:
        peer.end("close")


class Reset(Step):
    def run(self, peer: Peer) -> None:
        peer.end("reset")


class Silence(Step):
    """Says nothing more, and reads until the other side goes."""

    def run(self, peer: Peer) -> None:
        peer.read_to_end()


@dataclass
class StartTls(Step):
    context: ssl.SSLContext

    def run(self, peer: Peer) -> None:
        peer.start_tls(self.context)


CAPABILITIES = ("TOP", "UIDL", "USER", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "SASL PLAIN")
Answer = bytes | list[Step] | Callable[[Peer], None]


@dataclass
class Login(Step):
    """Takes a login, by USER and PASS or by AUTH PLAIN, and gives the answer to it; CAPA, STLS and QUIT on the way."""

    answer: Answer = b"+OK maildrop ready\r\n"
    capabilities: tuple[str, ...] | None = CAPABILITIES  # None: CAPA is an unknown command
    stls: ssl.SSLContext | None = None
    users: dict[str, str] | None = None  # None: everybody may come in
    answers: dict[str, Answer] = field(default_factory=dict)

    def run(self, peer: Peer) -> None:
        user = ""
        while True:
            line = peer.read_line().decode("latin-1")
            verb, _, argument = line.partition(" ")
            verb = verb.upper()
            if verb == "USER":
                user = argument
                respond(peer, self.answers.get("USER", b"+OK\r\n"))
            elif verb == "PASS":
                if self._take(peer, user, argument):
                    return
            elif verb == "AUTH":
                if self._take(peer, *self._sasl_plain(peer, argument)):
                    return
            elif verb == "CAPA":
                respond(peer, self.answers.get("CAPA") or self._capa())
            elif verb == "STLS" and self.stls:
                respond(peer, self.answers.get("STLS", b"+OK begin\r\n"))
                peer.start_tls(self.stls)
            elif verb == "QUIT":
                peer.send(b"+OK\r\n")
                raise Ended
            else:
                peer.send(b"-ERR not now\r\n")

    def _take(self, peer: Peer, user: str, password: str) -> bool:
        peer.credentials.append((user, password))
        if self.users is not None and self.users.get(user) != password:
            peer.send(b"-ERR [AUTH] no\r\n")
            return False
        respond(peer, self.answer)
        return not isinstance(self.answer, bytes) or self.answer.upper().startswith(b"+OK")

    def _sasl_plain(self, peer: Peer, argument: str) -> tuple[str, str]:
        mechanism, _, response = argument.partition(" ")
        assert mechanism.upper() == "PLAIN", argument
        if not response:
            peer.send(b"+ \r\n")
            response = peer.read_line().decode("ascii")
        _, user, password = base64.b64decode(response, validate=True).decode("latin-1").split("\0")
        return user, password

    def _capa(self) -> bytes:
        if self.capabilities is None:
            return b"-ERR unknown command\r\n"
        stls = ("STLS",) if self.stls else ()
        return b"".join(f"{line}\r\n".encode() for line in ("+OK", *self.capabilities, *stls, "."))


@dataclass
class Store(Step):
    """A whole server with one mailbox. `answers` replaces what it says to a line ("LIST 1") or to a verb ("LIST"),
    before and after login; "PASS" also stands for AUTH. Messages are in CRLF, not dot-stuffed."""

    messages: list[bytes] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    greeting: bytes = b"+OK ready <1.2@store>\r\n"
    capabilities: tuple[str, ...] | None = CAPABILITIES
    stls: ssl.SSLContext | None = None
    users: dict[str, str] | None = None
    committed: list[set[int]] = field(default_factory=list)  # per session that came to QUIT: what it removed

    def run(self, peer: Peer) -> None:
        peer.send(self.greeting)
        login = self.answers.get("PASS", b"+OK maildrop ready\r\n")
        Login(login, self.capabilities, self.stls, self.users, self.answers).run(peer)
        marked: set[int] = set()
        while True:
            line = peer.read_line().decode("latin-1")
            verb = line.split(" ")[0]
            answer = self.answers.get(line, self.answers.get(verb))
            respond(peer, answer if answer is not None else self._answer(line, marked))
            if verb == "QUIT":
                self.committed.append(marked)
                peer.end("close")

    def wait_for_commit(self) -> list[set[int]]:
        """`committed`, as soon as there is a session in it: the client may have its answer a moment earlier."""
        return eventually(lambda: self.committed, "the server removes messages")

    def _answer(self, line: str, marked: set[int]) -> bytes:
        verb, *arguments = line.split(" ")
        alive = [n for n in range(1, len(self.messages) + 1) if n not in marked]
        number = int(arguments[0]) if arguments else None
        if number is not None and number not in alive:
            return b"-ERR no such message\r\n"
        if verb == "STAT":
            return f"+OK {len(alive)} {sum(self._size(n) for n in alive)}\r\n".encode()
        if verb in ("LIST", "UIDL"):
            shown = {n: self._size(n) if verb == "LIST" else f"uid{n}" for n in alive}
            if number is not None:
                return f"+OK {number} {shown[number]}\r\n".encode()
            return b"+OK\r\n" + "".join(f"{n} {text}\r\n" for n, text in shown.items()).encode() + b".\r\n"
        if verb == "RETR":
            return f"+OK {self._size(number)} octets\r\n".encode() + multi_line(self.messages[number - 1])
        if verb == "TOP":
            return b"+OK\r\n" + multi_line(top(self.messages[number - 1], int(arguments[1])))
        if verb == "DELE":
            marked.add(number)
            return b"+OK marked\r\n"
        if verb == "RSET":
            marked.clear()
        if verb in ("NOOP", "RSET", "QUIT"):
            return b"+OK\r\n"
        if verb == "CAPA":
            return Login(capabilities=self.capabilities)._capa()
        return b"-ERR unknown command\r\n"

    def _size(self, number: int | None) -> int:
        return len(self.messages[(number or 0) - 1])


def respond(peer: Peer, answer: Answer) -> None:
    if isinstance(answer, bytes):
        peer.send(answer)
    elif callable(answer):
        answer(peer)
    else:
        for step in answer:
            step.run(peer)


def stuffed(message: bytes) -> bytes:
    return (b"." if message.startswith(b".") else b"") + message.replace(b"\r\n.", b"\r\n..")


def multi_line(message: bytes) -> bytes:
    """The message as it stands behind a `+OK`, terminator included."""
    end = b"" if message.endswith(b"\r\n") or not message else b"\r\n"
    return stuffed(message) + end + b".\r\n"


def top(message: bytes, lines: int) -> bytes:
    head, separator, body = message.partition(b"\r\n\r\n")
    return head + separator + b"".join(body.splitlines(keepends=True)[:lines])


Script = Step | list[Step]


class Upstream:
    """Listens from construction to close(); close() raises what the scripts found wrong."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.scripts = [script if isinstance(script, list) else [script] for script in scripts]
        self.tls = tls
        self.cut_at: int | None = None  # octets after which a connection is ended, and how: close or reset
        self.cut_how = "close"
        self.peers: list[Peer] = []
        self.failures: list[str] = []
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    def __enter__(self) -> "Upstream":
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        self.close()
        if kind is None:
            self.check()

    def check(self) -> None:
        assert not self.failures, "the scripted server: " + "; ".join(self.failures)

    def close(self) -> None:
        self._closing = True
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._threads[0].join(DEADLINE)
        for peer in self.peers:
            peer.close()
        for thread in self._threads:
            thread.join(DEADLINE)

    @property
    def connections(self) -> int:
        return len(self.peers)

    @property
    def credentials(self) -> list[tuple[str, str]]:
        return [pair for peer in self.peers for pair in peer.credentials]

    def lines(self) -> list[bytes]:
        """Every line of every connection."""
        return [line for peer in self.peers for line in peer.lines]

    def commands(self) -> list[str]:
        """What was said after the logins."""
        before = ("USER ", "PASS ", "AUTH ", "CAPA", "STLS")
        return [line for line in (line.decode("latin-1") for line in self.lines()) if not line.startswith(before)]

    def wait_for_line(self, line: bytes) -> None:
        eventually(lambda: line in self.lines(), f"the server receives {line!r}")

    def wait_until_left(self) -> None:
        """Until the gateway has ended every connection it made."""
        eventually(
            lambda: self.peers and all(peer.ended or peer.socket.fileno() < 0 for peer in self.peers), "it leaves"
        )

    def _start(self, target: Callable, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self.scripts[min(len(self.peers), len(self.scripts) - 1)]
            peer = Peer(self, connection)
            self.peers.append(peer)
            self._start(self._follow, peer, script)

    def _follow(self, peer: Peer, script: list[Step]) -> None:
        try:
            if self.tls:
                peer.start_tls(self.tls)
            for step in script:
                step.run(peer)
            peer.read_to_end()
        except (Gone, Ended):
            pass
        except Exception as error:  # whatever it is, the test has to hear of it
            if not self._closing:
                self.failures.append(f"{type(error).__name__}: {error}")
        finally:
            peer.close()
