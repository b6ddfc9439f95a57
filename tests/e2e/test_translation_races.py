"""Two gateways and an IMAP client in one mailbox: each session shows what is true, and what was not named stays."""

import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from conftest import Server, logged_in
from corpus import message, wire_form
from maildrop import as_sent, listed, retrieved, uidls

from postern_testing.client import Client
from postern_testing.gateway import Gateway
from postern_testing.mail_store import by_set

ROUNDS = 25
FIRST = 12  # messages in the mailbox at the beginning
KEPT = 6  # the IMAP client removes nothing while there are so few
REMOVED = b"-ERR no such message (it was removed)"


class Truth:
    """What was done to the mailbox, by UID. Whoever removes something says so before and after it."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.delivered: dict[int, bytes] = {}
        self.shown: dict[int, bytes] = {}
        self.removing: set[int] = set()
        self.removed: set[int] = set()

    def deliver(self, uid: int, octets: bytes) -> None:
        with self.lock:
            self.delivered[uid] = octets

    def remove(self, uids: list[int], how: Callable[[], object]) -> None:
        with self.lock:
            self.removing |= set(uids)
        how()
        with self.lock:
            self.removed |= set(uids)

    def left(self) -> list[int]:
        with self.lock:
            return sorted(set(self.delivered) - self.removing)

    def check_list(self, before: tuple[set[int], set[int]], shown: list[int]) -> None:
        """`before`: what was there, and what was gone, when the login began."""
        there, gone = before
        with self.lock:
            assert not there - self.removing - set(shown), "a message is missing"
        assert not gone & set(shown), f"these are back: {gone & set(shown)}"
        assert shown == sorted(set(shown)), "not in the order of UIDs"

    def check_message(self, uid: int, octets: bytes) -> None:
        with self.lock:
            assert self.shown.setdefault(uid, octets) == octets, f"another message than before for {uid}"

    def is_going(self, uid: int) -> bool:
        with self.lock:
            return uid in self.removing

    def now(self) -> tuple[set[int], set[int]]:
        with self.lock:
            return set(self.delivered) - self.removing, set(self.removed)


class ImapClient:
    """Delivers, marks and removes."""

    def __init__(self, server: Server, user: str, truth: Truth, seed: int) -> None:
        self.server, self.user, self.truth = server, user, truth
        self.random = random.Random(seed)
        self.count = 0

    def run(self, rounds: int) -> None:
        with self.server.store.imap(self.user) as self.connection:
            self.connection.select()
            for _ in range(rounds):
                self.deliver(self.random.randint(0, 2))
                self.mark()
                self.expunge(self.random.randint(0, 2))
            self.connection.noop()

    def deliver(self, count: int) -> None:
        for _ in range(count):
            self.count += 1
            octets = wire_form(message(f"number {self.count}", b".text %d\n" % self.count * self.random.randint(1, 200)))
            self.connection.literal = octets
            status, data = self.connection._simple_command("APPEND", "INBOX")
            assert status == "OK", data
            self.truth.deliver(int(re.search(rb"APPENDUID \d+ (\d+)", data[0])[1]), octets)

    def mark(self) -> None:
        """Never takes away a mark of deletion: it might be of somebody who is about to remove what he has marked.

        And not at Courier, which forgets to remove a message when another session changes its flags just then."""
        if self.server.name == "courier":
            return
        for change in (r"+FLAGS.SILENT (\Seen $Label)", r"-FLAGS.SILENT (\Seen)", r"+FLAGS.SILENT (\Deleted)"):
            uids = self.some(2)
            if uids:
                self.connection.uid("STORE", by_set(uids), *change.split(" ", 1))

    def expunge(self, count: int) -> None:
        uids = self.some(count) if len(self.truth.left()) > KEPT else []
        if uids:
            self.truth.remove(uids, lambda: self.expunge_now(uids))

    def expunge_now(self, uids: list[int]) -> None:
        """Until they are gone: Dovecot and Courier say OK to an EXPUNGE that others at work have made void."""
        self.connection.select()  # Courier does not show a session what it has appended itself until it asks
        while self.connection.uid("SEARCH", "UID", by_set(uids))[1] != [b""]:
            self.connection.uid("STORE", by_set(uids), "+FLAGS.SILENT", r"(\Deleted)")
            assert self.connection.uid("EXPUNGE", by_set(uids))[0] == "OK"
            self.connection.select()

    def some(self, count: int) -> list[int]:
        left = self.truth.left()
        return sorted(self.random.sample(left, min(count, len(left))))


class Pop3Client:
    """Session after session: looks at everything, fetches, removes, and sometimes leaves without QUIT."""

    def __init__(self, gateway: Gateway, user: str, truth: Truth, seed: int, loses_renamed: bool) -> None:
        self.gateway, self.user, self.truth = gateway, user, truth
        self.loses_renamed = loses_renamed  # whether the server cannot find a message while its flags change
        self.random = random.Random(seed)

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            before = self.truth.now()
            with logged_in(self.gateway, self.user) as client:
                self.session(client, before)

    def session(self, client: Client, before: tuple[set[int], set[int]]) -> None:
        uids = [int(uid) for uid in uidls(client)]
        self.truth.check_list(before, uids)
        sizes = listed(client)
        assert [number for number, _ in sizes] == list(range(1, len(uids) + 1))
        first = self.random.randint(1, max(1, len(uids)))
        for number in range(first, min(first + 6, len(uids) + 1)):
            self.fetch(client, number, uids[number - 1], sizes[number - 1][1])
        named = self.random.sample(range(1, len(uids) + 1), min(len(uids), self.random.randint(0, 3)))
        for number in named:
            assert client.command(f"DELE {number}").startswith(b"+OK")
        if self.random.random() < 0.3:
            return  # without QUIT
        self.truth.remove([uids[number - 1] for number in named], lambda: self.quit(client))

    def fetch(self, client: Client, number: int, uid: int, size: int) -> None:
        status, lines = client.command_multi(f"RETR {number}")
        if status == REMOVED:
            assert self.loses_renamed or self.truth.is_going(uid), f"{uid} is there"
            return
        assert status.startswith(b"+OK") if self.loses_renamed else status == b"+OK %d octets" % size
        self.truth.check_message(uid, as_sent(lines))

    def quit(self, client: Client) -> None:
        assert client.command("QUIT").startswith(b"+OK")


def test_everybody_sees_the_truth_and_nothing_is_lost(server, gateway_for):
    user, truth = server.new_user(), Truth()
    is_courier = server.name == "courier"
    leg = server.imap_leg(uidl="%{uid}", mark_seen="never" if is_courier else "quit")
    gateways = [gateway_for(leg), gateway_for(leg)]
    imap = ImapClient(server, user, truth, seed=0)
    with server.store.imap(user) as imap.connection:
        imap.deliver(FIRST)
    clients = [Pop3Client(gateway, user, truth, n + 1, is_courier) for n, gateway in enumerate(gateways)]
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(worker.run, ROUNDS) for worker in (imap, *clients)]:
            done.result()
    stored = server.store.stored(user)
    assert [message.uid for message in stored] == truth.left()
    assert {message.uid: message.octets for message in stored} == {uid: truth.delivered[uid] for uid in truth.left()}
    assert truth.removed == truth.removing
    for uid, octets in truth.shown.items():
        assert octets == truth.delivered[uid]
    for gateway in gateways:
        with logged_in(gateway, user) as client:
            assert [int(uid) for uid in uidls(client)] == truth.left()
            for number, stored_now in enumerate(stored, 1):
                assert retrieved(client, number) == stored_now.octets
