"""50,000 messages in Dovecot, listed by several roads: its own POP3, its POP3 over IMAP (imapc), and postern's
translation without and with something remembered. Each road in turn, several times; what counts is the ratio to
Dovecot's own POP3."""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from checks import Checks
from usage import cpu_nanoseconds

from postern_testing.certificates import self_signed
from postern_testing.client import Client
from postern_testing.dovecot import Dovecot, private_root
from postern_testing.gateway import REPOSITORY, Gateway, configuration, imap_backend

MESSAGES = 50_000
ROUNDS = 7
USER, PASSWORD = "large", "secret"
STRANGERS = [f"stranger{number}" for number in range(ROUNDS + 1)]  # other names of the mailbox, new to the gateway
PATIENCE = 300.0  # seconds: Dovecot looks at 50,000 new files the first time
WARM_LOGINS = 50
OCTETS_OF_MAIL = MESSAGES * 4096  # a message takes a page

MAX_OCTETS_OF_A_RETURN = 4096  # exchanged with the server at a login that finds nothing new
MAX_RATIO = 0.5  # of what is remembered to Dovecot's own; 0.04 were seen

# Dovecot as a POP3 proxy of an IMAP server, with an index of its own.
IMAPC = """
mail_location = imapc:~/imapc
imapc_host = 127.0.0.1
imapc_port = {port}
imapc_password = {password}
imapc_features = rfc822.size fetch-headers
"""


def message(number: int) -> bytes:
    body = b"x" * 60 + b"\n"
    return b"Subject: message %d\nFrom: a@example.net\n\n" % number + body * (1 + number % 20)


def folder_for_mail() -> Path | None:
    """In memory, if there is room: some disks take minutes to remove 50,000 files."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > 4 * OCTETS_OF_MAIL
    return memory if has_room else None


class Road:
    """A way to list the mailbox, and how long it took each time."""

    def __init__(self, name: str, port: Callable[[], int], user: Callable[[], str] = lambda: USER) -> None:
        self.name = name
        self.port = port
        self.user = user
        self.times: list[float] = []

    def walk(self) -> bytes:
        """What UIDL says."""
        with Client(self.port(), deadline=PATIENCE) as client:
            assert client.command(f"USER {self.user()}").startswith(b"+OK")
            begin = time.monotonic()
            answer = client.command(f"PASS {PASSWORD}")
            assert answer.startswith(b"+OK"), answer
            listed = client.command_multi("UIDL")[1]
            self.times.append(time.monotonic() - begin)
            assert client.command("QUIT").startswith(b"+OK")
        return listed


class Comparison:
    def __init__(self, stack: ExitStack, checks: Checks) -> None:
        self.stack = stack
        self.checks = checks
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postern-large-")))
        self_signed(self.folder)
        root = private_root(REPOSITORY / "build/cache/dovecot")
        passwords = dict.fromkeys([USER, *STRANGERS], PASSWORD)
        begin = time.monotonic()
        messages = {USER: [message(number) for number in range(MESSAGES)]}
        mail = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postern-mail-", dir=folder_for_mail())))
        store = Dovecot(root, passwords, mailboxes=messages, aliases=dict.fromkeys(STRANGERS, USER), mail=mail)
        self.store = stack.enter_context(store)
        imapc = IMAPC.format(port=store.ports.imap, password=PASSWORD)
        self.proxy = stack.enter_context(Dovecot(root, {USER: PASSWORD}, settings=imapc))
        print(f"{MESSAGES} messages delivered in {time.monotonic() - begin:.0f} s")
        self.gateway = self.start_gateway()
        strangers = iter(STRANGERS)
        self.own = Road("Dovecot's POP3", lambda: self.store.ports.pop3)
        self.imapc = Road("Dovecot's POP3 over imapc", lambda: self.proxy.ports.pop3)
        self.cold = Road("translation, nothing known", self.plain_port, lambda: next(strangers))
        self.warm = Road("translation, remembered", self.plain_port)
        self.restarted = Road("translation, from the file", self.plain_port)
        self.roads = [self.own, self.imapc, self.cold, self.warm, self.restarted]

    def start_gateway(self) -> Gateway:
        leg = imap_backend(self.store.ports.imap)
        config = configuration([leg], self.folder, store={"file": str(self.folder / "store.db")})
        self.gateway_stack = self.stack.enter_context(ExitStack())
        return self.gateway_stack.enter_context(Gateway(config, self.folder, quiet=True))

    def restart_gateway(self) -> None:
        self.gateway_stack.close()
        self.gateway = self.start_gateway()

    def plain_port(self) -> int:
        return self.gateway.ports["plain"]

    def run(self) -> None:
        self.warm_up()
        for _ in range(ROUNDS):
            self.own.walk()
            self.imapc.walk()
            self.walk_and_require(self.cold, "full", "miss")
            self.walk_and_require(self.warm, "unchanged", "memory")
            self.restart_gateway()
            self.walk_and_require(self.restarted, "unchanged", "file")
        self.tell()
        self.measure_returns()

    def warm_up(self) -> None:
        """Every road once: Dovecot writes its indexes, the gateway learns what the server can do."""
        expected = self.own.walk()
        print(f"Dovecot's first look at it: {self.own.times.pop():.1f} s")
        assert expected.count(b"\r\n") == MESSAGES
        for road in self.roads:
            self.checks.require(road.walk() == expected, f"{road.name}: other unique-ids than Dovecot's")
            road.times.clear()

    def walk_and_require(self, road: Road, snapshot: str, load: str) -> None:
        """The road, on which the list comes from there."""
        before = self.counted()
        road.walk()
        came = {name: value - before[name] for name, value in self.counted().items() if value != before[name]}
        self.checks.require(came == {snapshot: 1, load: 1}, f"{road.name}: counted {came}")

    def counted(self) -> dict[str, float]:
        metric = self.gateway.metric
        snapshots = {name: metric("postern_snapshots_total", result=name) for name in ("unchanged", "updated", "full")}
        loads = {name: metric("postern_store_loads_total", result=name) for name in ("memory", "file", "miss")}
        return snapshots | loads

    def tell(self) -> None:
        print(f"from PASS to the end of UIDL, {ROUNDS} times each (median, range, ratio to {self.own.name}):")
        usual = statistics.median(self.own.times)
        for road in self.roads:
            median = statistics.median(road.times)
            times = f"{median * 1000:7.1f} ms ({min(road.times) * 1000:.1f} to {max(road.times) * 1000:.1f})"
            print(f"  {road.name:27} {times:32} {median / usual:5.2f}")
            if road in (self.warm, self.restarted):
                self.checks.require(median <= usual * MAX_RATIO, f"{road.name}: not faster than Dovecot's own")

    def measure_returns(self) -> None:
        """What a login costs that finds nothing new, and asks for nothing."""
        before, cpu, octets = self.counted(), cpu_nanoseconds(self.gateway), self.octets_exchanged()
        for _ in range(WARM_LOGINS):
            with Client(self.plain_port()) as client:
                assert client.login(USER, PASSWORD).startswith(b"+OK")
                assert client.command("QUIT").startswith(b"+OK")
        spent = (cpu_nanoseconds(self.gateway) - cpu) / WARM_LOGINS
        exchanged = (self.octets_exchanged() - octets) / WARM_LOGINS
        print(f"a login that finds nothing new: {exchanged:.0f} octets to and from the server, "
              f"{spent / 1e6:.2f} ms of CPU time of the gateway")  # fmt: skip
        came = {name: value - before[name] for name, value in self.counted().items() if value != before[name]}
        self.checks.require(came == {"unchanged": WARM_LOGINS, "memory": WARM_LOGINS}, f"warm logins counted {came}")
        self.checks.require(0 < exchanged < MAX_OCTETS_OF_A_RETURN, "an unchanged mailbox costs 4 KiB or more")

    def octets_exchanged(self) -> float:
        return self.gateway.metric("postern_backend_bytes_total")


def run(checks: Checks) -> None:
    with ExitStack() as stack:
        Comparison(stack, checks).run()
