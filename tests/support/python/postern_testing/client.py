"""A raw POP3 client: what is sent and received is octets, and every wait has an end."""

import base64
import socket
import ssl
import struct
import time

DEADLINE = 20.0  # seconds; generous, because sanitizers and a busy machine are slow
CHUNK = 65536


class Closed(Exception):
    """The peer closed where more was expected; `how` is eof, ragged (TLS without close_notify) or reset."""

    def __init__(self, how: str, received: bytes) -> None:
        super().__init__(f"connection closed ({how}), received before that: {received[-200:]!r}")
        self.how = how
        self.received = received


class Client:
    def __init__(
        self, port: int, tls: ssl.SSLContext | None = None, greet: bool = True, deadline: float = DEADLINE
    ) -> None:
        self.deadline = deadline
        self.buffer = bytearray()
        self.closed: str | None = None
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), deadline)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.greeting = b""
        if tls:
            self.start_tls(tls)
        if greet:
            self.greeting = self.line()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """The handshake alone, which the server has to expect now."""
        assert not self.buffer, f"octets before the handshake: {bytes(self.buffer)!r}"
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost", suppress_ragged_eofs=False)

    def stls(self, context: ssl.SSLContext) -> None:
        answer = self.command("STLS")
        assert answer.startswith(b"+OK"), answer
        self.start_tls(context)

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def command(self, line: str | bytes) -> bytes:
        """Sends a line, gives the status line of the answer."""
        self.send((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.line()

    def line(self) -> bytes:
        """The next line without its CRLF; a line that ends otherwise is a failure."""
        line = self._until(b"\n")
        assert line.endswith(b"\r\n"), f"line without CRLF: {line!r}"
        return line[:-2]

    def multi(self) -> bytes:
        """What follows a status line, as it is on the wire, up to the terminator, which is left out."""
        if self._starts_with(b".\r\n"):
            return b""
        return self._until(b"\r\n.\r\n")[: -len(b".\r\n")]

    def command_multi(self, line: str) -> tuple[bytes, bytes]:
        """Status line and, after a `+OK`, the lines behind it."""
        status = self.command(line)
        return status, self.multi() if status.startswith(b"+OK") else b""

    def login(self, user: str = "joe", password: str = "secret") -> bytes:
        assert self.command(f"USER {user}").startswith(b"+OK")
        return self.command(f"PASS {password}")

    def auth_plain(self, user: str, password: str, authzid: str = "") -> bytes:
        response = base64.b64encode(f"{authzid}\0{user}\0{password}".encode()).decode()
        return self.command(f"AUTH PLAIN {response}")

    def rest(self) -> bytes:
        """Everything until the connection ends; `closed` says how it did."""
        while self._receive():
            pass
        return bytes(self.buffer)

    def expect_closed(self, *how: str) -> None:
        """The connection ends, without another octet; in one of these ways, if any are given."""
        rest = self.rest()
        self.close()  # the gateway waits for that, for a while
        assert rest == b"", f"octets before the end: {rest[:200]!r}"
        assert not how or self.closed in how, f"closed by {self.closed}, expected {how}"

    def expect_silence(self, seconds: float = 0.3) -> None:
        before = len(self.buffer)
        self.socket.settimeout(seconds)
        try:
            self._receive_once()
        except TimeoutError:
            return
        raise AssertionError(f"not silent: {bytes(self.buffer[before:])!r}, closed: {self.closed}")

    def close(self) -> None:
        self.socket.close()

    def shut_writing(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Closes with RST, as a machine that has lost its interest does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _until(self, end: bytes) -> bytes:
        searched = 0
        while (found := self.buffer.find(end, searched)) < 0:
            searched = max(0, len(self.buffer) - len(end))
            if not self._receive():
                raise Closed(self.closed or "", bytes(self.buffer))
        found += len(end)
        result = bytes(self.buffer[:found])
        del self.buffer[:found]
        return result

    def _starts_with(self, octets: bytes) -> bool:
        while len(self.buffer) < len(octets) and octets.startswith(bytes(self.buffer)):
            if not self._receive():
                raise Closed(self.closed or "", bytes(self.buffer))
        if not self.buffer.startswith(octets):
            return False
        del self.buffer[: len(octets)]
        return True

    def _receive(self) -> bool:
        self.socket.settimeout(self.deadline)
        try:
            return self._receive_once()
        except TimeoutError:
            raise AssertionError(
                f"nothing came for {self.deadline} s, received so far: {bytes(self.buffer[-200:])!r}"
            ) from None

    def _receive_once(self) -> bool:
        try:
            octets = self.socket.recv(CHUNK)
        except ssl.SSLEOFError:
            self.closed = "ragged"
            return False
        except (ConnectionResetError, BrokenPipeError):
            self.closed = "reset"
            return False
        if not octets:
            self.closed = "eof"
        self.buffer += octets
        return bool(octets)


def eventually(condition, what: str, seconds: float = DEADLINE):
    """Waits until the condition is true, and gives its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)
    return value
