"""Real mail programs that leave their mail on the server download every message once, whatever happens in between."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import PASSWORD, gateway_before
from corpus import message, subject_of

from postern_testing.dovecot import Dovecot
from postern_testing.gateway import backend, imap_backend
from postern_testing.mail_programs import MAIL_PROGRAMS, Account, MailProgram

DELIVERIES = [3, 1, 0, 2, 0, 1, 2, 0, 4, 1]  # how many messages arrive before each poll
EXPUNGED_BEFORE = 5  # by another mail program, by IMAP
READ_BEFORE = 7

ROADS: dict[str, Callable[[Dovecot], dict] | None] = {  # what the gateway has behind it; None: there is no gateway
    "direct": None,
    "relay": lambda store: backend(store.pop3_port),
    "imap": lambda store: imap_backend(store.imap_port),
}


@dataclass
class Road:
    """How a mail program comes to its mailbox in the store."""

    name: str
    store: Dovecot
    port: int
    ca: Path | None


@pytest.fixture(scope="module")
def store(dovecot_root, certificates) -> Iterator[Dovecot]:
    users = {f"{program}-{road}": PASSWORD for program in MAIL_PROGRAMS for road in ROADS}
    with Dovecot(dovecot_root, users, certificates.ecdsa.pair) as running:
        yield running


@pytest.fixture(scope="module", params=ROADS)
def road(request, store, certificates, tmp_path_factory) -> Iterator[Road]:
    leg = ROADS[request.param]
    if not leg:
        yield Road(request.param, store, store.pop3_port, None)
        return
    with gateway_before(leg(store), certificates, tmp_path_factory.mktemp("programs")) as gateway:
        yield Road(request.param, store, gateway.ports["pop3s"], certificates.ca.cert)


@pytest.fixture
def start(road, mail_programs_root) -> Iterator[Callable[[str], MailProgram]]:
    """start(name): a mail program that has never fetched."""
    with ExitStack() as stack:

        def enter(name: str) -> MailProgram:
            account = Account(road.port, f"{name}-{road.name}", PASSWORD, road.ca)
            return stack.enter_context(MAIL_PROGRAMS[name](mail_programs_root, account))

        yield enter


@pytest.mark.parametrize("name", MAIL_PROGRAMS)
def test_nothing_is_downloaded_twice(road, start, name):
    program, user = start(name), f"{name}-{road.name}"
    delivered: list[str] = []
    for poll, count in enumerate(DELIVERIES):
        sent = [f"number-{len(delivered) + n:02}" for n in range(count)]
        delivered += sent
        road.store.fill(user, [message(subject, b".text\n") for subject in sent])
        if poll == EXPUNGED_BEFORE:
            road.store.expunge(user, [1, 4])
        if poll == READ_BEFORE:
            road.store.flag(user, [2, 5])
        assert sorted(map(subject_of, program.poll())) == sent, f"poll {poll}"
    assert len(road.store.stored(user)) == len(delivered) - 2
