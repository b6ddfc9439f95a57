"""No memory is left: what the system refuses ends the session that asked for it, and not the program."""

import re
import resource
from pathlib import Path

import pytest

from postern_testing.client import Client, Closed, eventually
from postern_testing.gateway import is_sanitized
from postern_testing.scripted import Store

HEADROOM = 4 << 20  # octets; the stack of a thread alone would take 8 MiB
MOST = 3000  # sessions, of which each takes some tens of KiB
REFUSALS = 20

pytestmark = pytest.mark.skipif(is_sanitized(), reason="a sanitizer ends the program where memory is refused")


def limit_memory(pid: int) -> None:
    status = Path(f"/proc/{pid}/status").read_text()
    used = int(re.search(r"^VmData:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024
    resource.prlimit(pid, resource.RLIMIT_DATA, (used + HEADROOM, resource.RLIM_INFINITY))


def test_sessions_end_and_the_program_does_not(gateway, upstream, connect, certificates):
    running = gateway(upstream(Store([b"a\r\n"])))
    early = connect(running)
    assert early.login().startswith(b"+OK")
    limit_memory(running.process.pid)
    context = certificates.client_context()
    clients, refused = [], 0
    while len(clients) < MOST and refused < REFUSALS:
        try:
            clients.append(Client(running.ports["pop3s"], context, deadline=5))
        except (AssertionError, Closed, OSError):
            refused += 1
    assert refused, f"{len(clients)} sessions fitted"
    assert running.process.poll() is None
    for client in clients:
        client.close()
    eventually(lambda: served(connect(running)), "a session when the others have gone")
    assert early.command("NOOP").startswith(b"+OK")  # it had asked for nothing


def served(client: Client) -> bool:
    try:
        return client.login().startswith(b"+OK") and client.command_multi("RETR 1") == (b"+OK 3 octets", b"a\r\n")
    except (AssertionError, Closed, OSError):
        return False


def test_drain_needs_no_memory(gateway, upstream, connect):
    running = gateway(upstream(Store()))
    client = connect(running)
    assert client.login().startswith(b"+OK")
    limit_memory(running.process.pid)
    running.terminate()
    assert running.wait() == 0
