#!/usr/bin/python3
"""Mixed traffic for as long as wanted, in front of Dovecot by both roads: do memory and descriptors stay flat?

usage: tests/load/soak.py [MINUTES]     (60; the program under test is $POSTERN)

Customers fetch, delete, pipeline, look only, mistype their password, begin TLS, and go in the middle of a message;
mail arrives; once a minute the configuration is read again. What is compared are the first quarter of the time, after
a tenth of warming up, and the last one.
"""

import random
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support/python"))

from checks import Checks  # noqa: E402
from postern_testing.certificates import Certificates  # noqa: E402
from postern_testing.client import Client, Closed, eventually  # noqa: E402
from postern_testing.dovecot import Dovecot, private_root  # noqa: E402
from postern_testing.gateway import Gateway, backend, configuration, imap_backend, is_sanitized  # noqa: E402

MINUTES = 60.0
ROADS = ("pop3", "imap")
CUSTOMERS = 6  # for each road, each with one session at a time
MESSAGES = 40  # in a mailbox, to begin with; who deletes leaves half of them
PASSWORD = "secret"
LOOKS_EVERY = 2.0  # seconds
RELOADS_EVERY = 60.0
WARMING_UP = 0.1  # of the time
MAX_GROWTH = 1.05  # of the memory
SPARE_KIB = 1024
SPARE_DESCRIPTORS = 6  # medians of what moves with the sessions


@dataclass
class Customer:
    user: str
    front: Gateway
    certificates: Certificates
    dice: random.Random
    over: threading.Event
    sessions: int = 0
    octets: int = 0
    problems: list[str] = field(default_factory=list)

    def run(self) -> None:
        context = self.certificates.client_context()
        ways = [self.fetches, self.fetches, self.deletes, self.pipelines, self.looks, self.mistypes, self.drops]
        while not self.over.is_set():
            listener = self.dice.choice(["plain", "pop3s"])
            try:
                with Client(self.front.ports[listener], tls=context if listener == "pop3s" else None) as client:
                    self.dice.choice(ways)(client)
                self.sessions += 1
            except (AssertionError, Closed, OSError) as error:
                self.problems.append(f"{self.user}: {error!r}")
            self.over.wait(self.dice.uniform(0, 0.05))

    def enter(self, client: Client) -> list[tuple[int, int]]:
        """Numbers and sizes of what is there."""
        answer = eventually_logged_in(client, self.user)
        assert answer.startswith(b"+OK"), answer
        _, listed = client.command_multi("LIST")
        rows = [line.split() for line in listed.splitlines()]
        return [(int(number), int(size)) for number, size in rows]

    def fetch(self, client: Client, number: int, size: int) -> None:
        status, text = client.command_multi(f"RETR {number}")
        assert status.startswith(b"+OK"), status
        plain = (b"\r\n" + text).replace(b"\r\n.", b"\r\n")[2:]
        assert len(plain) == size, f"message of {size} octets came as {len(plain)}"
        self.octets += size

    def fetches(self, client: Client) -> None:
        for number, size in self.enter(client)[:10]:
            self.fetch(client, number, size)
        self.leave(client)

    def deletes(self, client: Client) -> None:
        listed = self.enter(client)
        if len(listed) > MESSAGES // 2:
            for number, size in self.dice.sample(listed, 3):
                self.fetch(client, number, size)
                assert client.command(f"DELE {number}").startswith(b"+OK")
        self.leave(client)

    def pipelines(self, client: Client) -> None:
        numbers = [number for number, _ in self.enter(client)][:15]
        client.send(b"".join(b"RETR %d\r\nTOP %d 3\r\n" % (number, number) for number in numbers) + b"UIDL\r\nQUIT\r\n")
        for _ in range(2 * len(numbers) + 1):
            assert client.line().startswith(b"+OK")
            self.octets += len(client.multi())
        assert client.line().startswith(b"+OK")

    def looks(self, client: Client) -> None:
        self.enter(client)
        assert client.command_multi("UIDL")[0].startswith(b"+OK")
        self.leave(client)

    def mistypes(self, client: Client) -> None:
        assert client.login(self.user, "wrong").startswith(b"-ERR [AUTH]")

    def drops(self, client: Client) -> None:
        client.send(b"RETR %d\r\n" % self.dice.choice(self.enter(client))[0])
        client.line()
        client.reset()

    def leave(self, client: Client) -> None:
        assert client.command("QUIT").startswith(b"+OK")


def eventually_logged_in(client: Client, user: str) -> bytes:
    """Dovecot's POP3 has its mailbox locked until the session before has gone."""
    answer = client.login(user, PASSWORD)
    for _ in range(50):
        if not answer.startswith(b"-ERR [IN-USE]"):
            break
        time.sleep(0.1)
        answer = client.login(user, PASSWORD)
    return answer


def text(number: int) -> bytes:
    size = (500, 2000, 5000, 30000, 200000)[number % 5]
    lines = b"".join(b".%d dots and words\n" % line for line in range(size // 20))
    return b"From: a@example.net\nSubject: %d\n\n" % number + lines


@dataclass
class Look:
    at: float
    kib: int
    descriptors: int


class Soak(Checks):
    def __init__(self, stack: ExitStack) -> None:
        super().__init__()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postern-soak-")))
        certificates = Certificates(folder)
        certificates.ecdsa.place(folder)
        users = [f"u{number}@{road}.example" for road in ROADS for number in range(CUSTOMERS)]
        mail = {user: [text(number) for number in range(MESSAGES)] for user in users}
        root = private_root(Path(__file__).resolve().parents[2] / "build/cache/dovecot")
        self.store = stack.enter_context(Dovecot(root, dict.fromkeys(users, PASSWORD), mailboxes=mail))
        ports = self.store.ports
        config = configuration(
            [backend(ports.pop3, name="relayed"), imap_backend(ports.imap, name="translated")],
            folder,
            store={"file": str(folder / "store")},
            limits={"auth_failure_delay": "100ms"},
        )
        roads = zip(ROADS, ("relayed", "translated"), strict=True)
        config["routes"] = [{"match": {"domain": f"{road}.example"}, "backend": name} for road, name in roads]
        self.gateway = stack.enter_context(Gateway(config, folder, quiet=True))
        self.looks: list[Look] = []
        self.over = threading.Event()
        self.customers = [
            Customer(user, self.gateway, certificates, random.Random(user), self.over) for user in users
        ]

    def run(self, seconds: float) -> None:
        resting = self.look()
        threads = [threading.Thread(target=customer.run, daemon=True) for customer in self.customers]
        for thread in threads:
            thread.start()
        self.watch(seconds)
        self.over.set()
        for thread in threads:
            thread.join(60)
        eventually(lambda: self.gateway.metric("postern_client_sessions") == 0, "every session ends", 60)
        self.judge(seconds, resting)

    def watch(self, seconds: float) -> None:
        begin = time.monotonic()
        reloads = 0
        delivered = MESSAGES
        while (passed := time.monotonic() - begin) < seconds:
            self.looks.append(self.look(passed))
            for customer in self.customers:
                self.store.fill(customer.user, [text(delivered)])
            delivered += 1
            if passed > (reloads + 1) * RELOADS_EVERY:
                self.gateway.reload()
                reloads += 1
            time.sleep(LOOKS_EVERY)

    def look(self, at: float = 0.0) -> Look:
        descriptors = len(list(Path(f"/proc/{self.gateway.process.pid}/fd").iterdir()))
        return Look(at, self.gateway.resident_kib(), descriptors)

    def judge(self, seconds: float, resting: Look) -> None:
        warm = WARMING_UP * seconds
        quarter = (seconds - warm) / 4
        first = [look for look in self.looks if warm <= look.at < warm + quarter]
        last = [look for look in self.looks if look.at >= seconds - quarter]
        before, after = (statistics.median(look.kib for look in part) for part in (first, last))
        open_before, open_after = (statistics.median(look.descriptors for look in part) for part in (first, last))
        problems = [problem for customer in self.customers for problem in customer.problems]
        most = resting.descriptors + SPARE_DESCRIPTORS
        eventually(lambda: self.look().descriptors <= most, "every descriptor is closed", 60)
        print(
            f"{seconds / 60:.0f} minutes, {sum(customer.sessions for customer in self.customers)} sessions, "
            f"{sum(customer.octets for customer in self.customers) / 1e6:.0f} MB of messages\n"
            f"memory {before:.0f} KiB in the first quarter, {after:.0f} KiB in the last\n"
            f"descriptors {open_before:.0f} and {open_after:.0f}; at rest {resting.descriptors} and {self.look().descriptors}"
        )
        self.require(not problems, f"{len(problems)} sessions were not served, as {problems[:3]}")
        self.require(open_after <= open_before + SPARE_DESCRIPTORS, "descriptors grow")
        if not is_sanitized():
            self.require(after <= before * MAX_GROWTH + SPARE_KIB, "memory grows")


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    with ExitStack() as stack:
        soak = Soak(stack)
        soak.run(minutes * 60)
        return soak.status()


if __name__ == "__main__":
    sys.exit(main())
