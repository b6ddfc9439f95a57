"""Somebody else's session: how long does a NOOP take while the gateway is busy? In a process of its own, so that
measuring does not wait for Python."""

import multiprocessing
import statistics
import time
from contextlib import ExitStack
from multiprocessing.connection import Connection

from postern_testing.client import Client

PACE = 0.0005  # seconds between two


class Prober:
    """Runs from construction on. Give it times of time.monotonic()."""

    def __init__(self, stack: ExitStack, port: int, user: str) -> None:
        self._pipe, other_end = multiprocessing.Pipe()
        process = multiprocessing.Process(target=_probe, args=(other_end, port, user), daemon=True)
        process.start()
        stack.callback(process.join)
        stack.callback(process.terminate)
        assert self._pipe.recv() == "logged in"

    def stop(self) -> None:
        self._pipe.send("stop")
        self._seen: list[tuple[float, float]] = self._pipe.recv()

    def times(self, begin: float, end: float) -> list[float]:
        """Of the NOOPs that were under way between these two."""
        return [took for at, took in self._seen if at + took > begin and at < end]


def described(times: list[float]) -> str:
    ordered = [took * 1000 for took in sorted(times)]
    middle, late = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    return f"{middle:.2f} ms, 99 of 100 within {late:.1f} ms, longest {ordered[-1]:.1f} ms ({len(ordered)} NOOPs)"


def _probe(pipe: Connection, port: int, user: str) -> None:
    seen = []
    with Client(port) as client:
        assert client.login(user).startswith(b"+OK")
        pipe.send("logged in")
        while not pipe.poll(PACE):
            begin = time.monotonic()
            assert client.command("NOOP").startswith(b"+OK")
            seen.append((begin, time.monotonic() - begin))
        client.command("QUIT")
    pipe.send(seen)
