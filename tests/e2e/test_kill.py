"""The gateway is killed (SIGKILL) again and again under sessions that delete: no deletion is lost or invented, no message
is shown in part, no unique-id changes, and the store's file opens again (promises 1 and 2; laws L1, L2, L6).
$KILLS says how often, for thousands of sessions."""

import os
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from corpus import message

from postern_testing.certificates import Certificates
from postern_testing.client import Client, Closed
from postern_testing.dovecot import Dovecot
from postern_testing.gateway import Gateway, backend, configuration, imap_backend, is_sanitized

PASSWORD = "secret"
USERS = {f"u{number}@{road}.example": PASSWORD for road in ("pop3", "imap") for number in range(4)}
KILLS = int(os.environ.get("KILLS", 5 if is_sanitized() else 20))
MESSAGES = max(300, 12 * KILLS)  # more than are deleted: some seven sessions between two kills, one message each
SEED = 20261126
LONGEST = 1.2  # seconds that a gateway lives


@dataclass
class Front:
    """The gateway that runs now; None between two."""

    port: int | None = None
    over: bool = False


@dataclass
class Customer:
    """A user with one session at a time, who knows what he did."""

    user: str
    front: Front
    dice: random.Random
    alive: dict[str, int] = field(default_factory=dict)  # unique-id: which message
    doubtful: set[str] = field(default_factory=set)  # deleted by a QUIT that was sent and not answered
    sessions: int = 0
    unanswered: int = 0
    problems: list[str] = field(default_factory=list)

    def run(self) -> None:
        try:
            while not self.front.over:
                if self.front.port is None:
                    time.sleep(0.002)
                    continue
                try:
                    self.session(self.front.port)
                except (Closed, OSError):
                    pass  # the gateway was killed: what that means was noted before
        except Exception as error:  # to be told by the test, not by a thread that nobody hears
            self.problems.append(repr(error))

    def session(self, port: int) -> None:
        with Client(port) as client:
            answer = client.login(self.user, PASSWORD)
            if not answer.startswith(b"+OK"):
                assert answer.startswith((b"-ERR [SYS/TEMP]", b"-ERR [IN-USE]")), answer
                return
            listed = self.look(client)
            self.sessions += 1
            chosen = self.dice.sample(listed, min(len(listed), self.dice.randrange(3)))
            for number, unique_id in self.dice.sample(listed, min(len(listed), 2)):
                self.fetch(client, number, unique_id)
            for number, _ in chosen:
                assert client.command(f"DELE {number}").startswith(b"+OK")
            if self.dice.random() < 0.2:
                return  # without a QUIT nothing is deleted
            self.quit(client, {unique_id for _, unique_id in chosen})

    def look(self, client: Client) -> list[tuple[int, str]]:
        status, lines = client.command_multi("UIDL")
        assert status.startswith(b"+OK"), status
        rows = [line.split() for line in lines.decode().splitlines()]
        listed = [(int(number), unique_id) for number, unique_id in rows]
        ids = {unique_id for _, unique_id in listed}
        if self.sessions == 0:
            self.alive = {unique_id: number for number, unique_id in listed}
            assert len(self.alive) == MESSAGES
        gone = set(self.alive) - ids
        assert ids <= set(self.alive), f"{self.user}: invented or changed: {ids - set(self.alive)}"
        assert gone <= self.doubtful, f"{self.user}: lost without a QUIT: {gone - self.doubtful}"
        for unique_id in gone:
            del self.alive[unique_id]
        self.doubtful.clear()
        return listed

    def fetch(self, client: Client, number: int, unique_id: str) -> None:
        status, text = client.command_multi(f"RETR {number}")
        assert status.startswith(b"+OK"), status
        expected = wire(self.alive[unique_id])
        assert text == expected, f"{self.user}: message {self.alive[unique_id]} came as {text[:80]!r}"

    def quit(self, client: Client, deleted: set[str]) -> None:
        self.doubtful = deleted  # from here on: it may be read
        client.send(b"QUIT\r\n")
        try:
            answer = client.line()
        except (Closed, OSError):
            self.unanswered += bool(deleted)
            raise
        assert answer.startswith(b"+OK"), answer
        for unique_id in deleted:
            del self.alive[unique_id]
        self.doubtful = set()


def wire(number: int) -> bytes:
    """How a message travels, without the terminator: CRLF, and dots doubled."""
    lines = text(number).split(b"\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)


def text(number: int) -> bytes:
    return message(f"number {number}", b".\n" + b"%d\n" % number * (number * 7 % 400))


def test_nothing_is_lost_or_invented(dovecot_root: Path, certificates: Certificates, tmp_path: Path):
    certificates.ecdsa.place(tmp_path)
    mail = {user: [text(number) for number in range(1, MESSAGES + 1)] for user in USERS}
    dice = random.Random(SEED)
    front = Front()
    customers = [Customer(user, front, random.Random(f"{SEED} {user}")) for user in USERS]
    with Dovecot(dovecot_root, USERS, mailboxes=mail) as store:
        config = configuration(
            [backend(store.ports.pop3, name="relayed"), imap_backend(store.ports.imap, name="translated")],
            tmp_path,
            store={"file": str(tmp_path / "store")},
        )
        config["routes"] = [
            {"match": {"domain": "pop3.example"}, "backend": "relayed"},
            {"match": {"domain": "imap.example"}, "backend": "translated"},
        ]
        threads = [threading.Thread(target=customer.run, daemon=True) for customer in customers]
        for thread in threads:
            thread.start()
        try:
            for _ in range(KILLS):
                with Gateway(config, tmp_path, quiet=True) as gateway:
                    assert not gateway.events("store_trouble"), gateway.report()
                    front.port = gateway.ports["plain"]
                    time.sleep(dice.uniform(0.05, LONGEST))
                    front.port = None
                    gateway.expected_status = None
                    gateway.process.kill()
        finally:
            front.over = True
            for thread in threads:
                thread.join(30)
        problems = [problem for customer in customers for problem in customer.problems]
        assert not problems, problems
        last_look(config, tmp_path, customers)
    sessions = sum(customer.sessions for customer in customers)
    print(f"{sessions} sessions, {sum(customer.unanswered for customer in customers)} QUITs without an answer")
    assert sessions > KILLS * len(customers)


def last_look(config: dict, folder: Path, customers: list[Customer]) -> None:
    with Gateway(config, folder, quiet=True) as gateway:
        for customer in customers:
            with Client(gateway.ports["plain"]) as client:
                assert client.login(customer.user, PASSWORD).startswith(b"+OK")
                left = len(customer.look(client))
                assert left == len(customer.alive)
                client.command("QUIT")
