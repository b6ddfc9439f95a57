"""The machine's clock is set, forward and back, while the gateway runs: only what is about the date notices."""

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from postern_testing.client import Client, eventually
from postern_testing.gateway import REPOSITORY, Gateway, backend, is_sanitized
from postern_testing.packages import unpacked
from postern_testing.scripted import Store

YEAR = 365


class Clock:
    """What the program is told of the date; the time that passes is the true one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, days: int) -> None:
        following = self.file.with_suffix(".next")
        following.write_text(f"{days:+d}d\n")
        following.rename(self.file)


@pytest.fixture
def clock(certificates, tmp_path, monkeypatch) -> Clock:
    if is_sanitized():
        pytest.skip("a sanitizer's library has to be the first")
    (library,) = unpacked(REPOSITORY / "build/cache/faketime", ["libfaketime"]).glob("usr/lib/*/faketime/libfaketime.so.1")
    made = Clock(tmp_path / "clock")
    for name, value in {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(made.file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }.items():
        monkeypatch.setenv(name, value)
    return made


def days_off(running: Gateway) -> int:
    """How far the newest line of the log is from the true date."""
    stamp = datetime.fromisoformat(running.events()[-1]["ts"].replace("Z", "+00:00"))
    return round((stamp - datetime.now(timezone.utc)) / timedelta(days=1))


def login(client: Client) -> bytes:
    answer = client.login()
    client.close()
    return answer


def test_clock_is_set(clock, gateway, upstream, connect, certificates):
    settings = {"mode": "implicit", "ca_file": str(certificates.ca.cert), "server_name": "localhost"}
    server = upstream(Store([b"a\r\n"]), tls=certificates.ecdsa.server_context())
    idle = {"idle_timeout": "10m", "login_timeout": "1m"}
    running = gateway(backend(server.port, tls=settings), limits=idle)
    early, silent = connect(running), connect(running)
    assert early.login().startswith(b"+OK")
    for days in (5, -5 * YEAR, 5 * YEAR, 0):
        clock.set(days)
        assert early.command("NOOP").startswith(b"+OK")  # no deadline is about the date
        assert early.command_multi("RETR 1") == (b"+OK 3 octets", b"a\r\n")
        assert silent.command("CAPA").startswith(b"+OK")
        silent.multi()
        # On other days the server's certificate is not yet good, or not any more.
        expected = b"+OK" if abs(days) < 30 else b"-ERR [SYS/TEMP]"
        eventually(lambda expected=expected: login(connect(running)).startswith(expected), f"{expected!r} {days} days off")
        eventually(lambda days=days: days_off(running) == days, f"a line of the log {days} days off")
    assert early.command("QUIT").startswith(b"+OK")
    begin = time.monotonic()
    running.terminate()
    assert running.wait() == 0
    assert time.monotonic() - begin < 10
