"""A TCP proxy before a real server that passes octets on until it is told to do them harm."""

import socket
import struct
import threading
import time
from collections.abc import Callable

CHUNK = 4096
DEADLINE = 20.0

# What is done with octets on their way to the gateway: given them and how many came before on this connection, gives what
# goes on; None: the connection ends here (after what `end` says).
Rule = Callable[[bytes, int], bytes | None]


class FaultProxy:
    """`rule` is for the octets of the server, from the next chunk on; the default passes them. `at_command` ends the
    connection when a line of the gateway has these octets, before the server sees it, or behind it with `after_command`.
    """

    def __init__(self, port: int) -> None:
        self.target = port
        self.reset()
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]

    def reset(self) -> None:
        """Passes everything on again."""
        self.rule: Rule = lambda octets, _: octets
        self.end = "reset"
        self.at_command: bytes | None = None
        self.after_command: bytes | None = None

    def __enter__(self) -> "FaultProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self.target), DEADLINE)
            for end in (near, far):
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._commands, args=(near, far), daemon=True).start()
            threading.Thread(target=self._answers, args=(near, far), daemon=True).start()

    def _commands(self, near: socket.socket, far: socket.socket) -> None:
        try:
            while octets := near.recv(CHUNK):
                if self.at_command and self.at_command in octets:
                    self._finish(near, far)
                    return
                far.sendall(octets)
                if self.after_command and self.after_command in octets:
                    time.sleep(0.05)  # the server reads it
                    self._finish(near, far)
                    return
            far.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _answers(self, near: socket.socket, far: socket.socket) -> None:
        passed = 0
        try:
            while octets := far.recv(CHUNK):
                changed = self.rule(octets, passed)
                passed += len(octets)
                if changed is None:
                    self._finish(near, far)
                    return
                near.sendall(changed)
            near.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _finish(self, near: socket.socket, far: socket.socket) -> None:
        try:
            if self.end == "reset":
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # shutdown too: the other thread may be inside recv(), which keeps the socket open
            if self.end == "close":
                near.shutdown(socket.SHUT_RDWR)
            near.close()
            far.shutdown(socket.SHUT_RDWR)
            far.close()
        except OSError:
            pass


def cut_after(count: int, proxy: FaultProxy, end: str) -> Rule:
    """`count` octets more go on, over all connections, then each one that says something ends."""
    left = [count]
    proxy.end = end

    def rule(octets: bytes, _: int) -> bytes | None:
        if left[0] <= 0:
            return None
        left[0] -= len(octets)
        return octets if left[0] >= 0 else octets[: left[0]]

    return rule


def dribble(seconds: float) -> Rule:
    """So long between two chunks."""

    def rule(octets: bytes, _: int) -> bytes:
        time.sleep(seconds)
        return octets

    return rule


def silence_after(count: int) -> Rule:
    """`count` octets more go on, and nothing behind them, but the connection stays."""
    left = [count]

    def rule(octets: bytes, _: int) -> bytes:
        kept = octets[: max(left[0], 0)]
        left[0] -= len(octets)
        return kept

    return rule
