"""A maildrop of a million messages: what it costs the gateway and the others, and whether it can be made to cost more.
One event loop, so that nobody gets out of the way by being on another one."""

import socket
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from checks import Checks
from list_server import message_size, start_list_server
from prober import Prober, described
from usage import cpu_nanoseconds, peak_kib

from postern_testing.certificates import self_signed
from postern_testing.client import Client
from postern_testing.gateway import Gateway, configuration, imap_backend

MESSAGES = 1_000_000
FEW = 10
LARGE, SMALL = str(MESSAGES), str(FEW)  # users
PATIENCE = 120.0  # seconds for one answer, on a busy machine
LOGINS = 7

MAX_OCTETS_OF_A_SESSION = 16_000_000  # of memory: 8 for each message, and as much again for what comes and goes
MAX_KIB_OF_ANOTHER = 1024  # it has the list of the first one; its own are a bit or two for each message
MAX_OCTETS_OF_A_RETURN = 1024  # exchanged with the server when nothing has changed
MAX_KIB_OF_A_STALLED = 1024 + 256 + 64  # beyond what the buffers of a session may take: 64 KiB in, 256 KiB out
MAX_NOOP_SECONDS = 0.25  # somebody else's, the longest; a machine with other things to do needs a margin
LISTS_AT_ONCE = 1000
QUIET_SECONDS, QUIET_NANOSECONDS = 0.3, 2_000_000  # of CPU time: whoever uses less is idle
SMALL_BUFFER = 4096  # octets that a client takes which reads nothing


class Large:
    def __init__(self, stack: ExitStack, checks: Checks) -> None:
        self.checks = checks
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postern-large-")))
        self_signed(folder)
        store = imap_backend(start_list_server(stack, MESSAGES, FEW))
        config = configuration([store], folder, runtime={"threads": 1, "drain_timeout": "1s"})
        self.gateway = stack.enter_context(Gateway(config, folder, quiet=True))
        self.stack = stack

    def log_in(self, user: str) -> Client:
        client = self.stack.enter_context(Client(self.gateway.ports["plain"], deadline=PATIENCE))
        answer = client.login(user)
        assert answer.startswith(b"+OK"), answer
        return client

    def log_out(self, client: Client) -> None:
        assert client.command("QUIT").startswith(b"+OK")
        client.close()

    def octets_exchanged(self) -> int:
        return int(self.gateway.metric("postern_backend_bytes_total"))

    # What is measured

    def open_and_list(self) -> Client:
        """One session, with somebody else at work."""
        prober = Prober(self.stack, self.gateway.ports["plain"], SMALL)
        for _ in range(3):  # what exists once is not to be counted below
            client = self.log_in(SMALL)
            client.command_multi("LIST")
            client.command_multi("UIDL")
            self.log_out(client)
        before, peak = self.gateway.resident_kib(), peak_kib(self.gateway)
        quiet = time.monotonic()
        time.sleep(0.5)  # what is measured: the other session alone
        begin = time.monotonic()
        client = self.log_in(LARGE)
        opened = time.monotonic()
        sizes = client.command_multi("LIST")[1]
        listed = time.monotonic()
        ids = client.command_multi("UIDL")[1]
        end = time.monotonic()
        grown = self.gateway.resident_kib() - before
        prober.stop()
        print(f"{MESSAGES} messages: PASS {opened - begin:.2f} s, LIST complete {listed - begin:.2f} s, "
              f"UIDL complete {end - begin:.2f} s")  # fmt: skip
        print(f"memory of the session: {grown} KiB, at its highest {peak_kib(self.gateway) - peak} KiB")
        self.checks.require(grown * 1024 < MAX_OCTETS_OF_A_SESSION, "the session costs 16 MB or more")
        self.require_listings(sizes, ids)
        self.require_others_served(prober, quiet, begin, opened, end)
        return client

    def require_listings(self, sizes: bytes, ids: bytes) -> None:
        expected = (f"{n} {message_size(n)}\r\n" for n in range(1, MESSAGES + 1))
        self.checks.require(sizes == "".join(expected).encode(), "LIST is not what the server has")
        distinct = len(set(ids.split()[1::2]))
        self.checks.require(distinct == ids.count(b"\r\n") == MESSAGES, "UIDL is not a million different ids")

    def require_others_served(self, prober: Prober, quiet: float, begin: float, opened: float, end: float) -> None:
        print(f"somebody else's NOOP: {described(prober.times(quiet, begin))}")
        print(f"  while it is opened: {described(prober.times(begin, opened))}")
        print(f"  while it is listed: {described(prober.times(opened, end))}")
        longest = max(prober.times(begin, end))
        self.checks.require(longest < MAX_NOOP_SECONDS, "others wait for somebody's large mailbox")

    def come_again(self, first: Client) -> None:
        """Nothing has changed; the first session is still open."""
        before, octets = self.gateway.resident_kib(), self.octets_exchanged()
        second = self.log_in(LARGE)
        grown = self.gateway.resident_kib() - before
        print(f"another session at the same time: {grown} KiB")
        self.checks.require(grown < MAX_KIB_OF_ANOTHER, "two sessions do not share the list")
        self.log_out(second)
        exchanged = self.octets_exchanged() - octets
        print(f"login to an unchanged mailbox: {exchanged} octets to and from the server")
        self.checks.require(0 < exchanged < MAX_OCTETS_OF_A_RETURN, "an unchanged mailbox costs 1 KiB or more")
        self.log_out(first)
        self.time_returns()

    def time_returns(self) -> None:
        logins, listings = [], []
        for _ in range(LOGINS):
            begin = time.monotonic()
            client = self.log_in(LARGE)
            logins.append(time.monotonic() - begin)
            client.command_multi("UIDL")
            listings.append(time.monotonic() - begin)
            self.log_out(client)
        print(f"  takes {statistics.median(logins) * 1000:.1f} ms, {max(logins) * 1000:.1f} at most; "
              f"UIDL complete {statistics.median(listings):.2f} s, {max(listings):.2f} at most")  # fmt: skip

    def stall(self) -> Client:
        """A client that asks for a thousand lists of a million messages and reads nothing (13 GB)."""
        client = Client(self.gateway.ports["plain"], deadline=PATIENCE)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        assert client.login(LARGE).startswith(b"+OK")
        listed = self.lists()  # first: the metrics take memory as well
        before = self.gateway.resident_kib()
        client.send(b"LIST\r\n" * LISTS_AT_ONCE)
        self.wait_until_idle()
        grown = self.gateway.resident_kib() - before
        print(f"{LISTS_AT_ONCE} LISTs and nothing read: {grown} KiB")
        self.checks.require(grown < MAX_KIB_OF_A_STALLED, "a client that reads nothing costs memory")
        began = client.socket.recv(SMALL_BUFFER, socket.MSG_PEEK).startswith(b"+OK")
        self.checks.require(began and self.lists() == listed, "the first LIST is not the one that waits")
        return client

    def lists(self) -> int:
        return int(self.gateway.metric("postern_commands_total", command="list"))

    def wait_until_idle(self) -> None:
        """Until the gateway has done nothing to speak of for a while."""
        last, since = 0, time.monotonic()
        while time.monotonic() < since + QUIET_SECONDS:
            time.sleep(0.01)
            if (used := cpu_nanoseconds(self.gateway)) > last + QUIET_NANOSECONDS:
                last, since = used, time.monotonic()


def run(checks: Checks) -> None:
    with ExitStack() as stack:
        large = Large(stack, checks)
        first = large.open_and_list()
        large.come_again(first)
        stalled = large.stall()
        stalled.reset()
        large.gateway.wait_for_event("session_end", reason="client_reset")
        print("the session of one that was reset is over")
        stack.enter_context(large.stall())  # and one that is there when the gateway is told to end, which it has to
