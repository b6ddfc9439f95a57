"""The real servers by themselves are what other tests take them for, and the relay shows what their POP3 shows."""

from collections.abc import Iterator

import pytest
from conftest import ODD, PASSWORD, Server, gateway_before
from corpus import CORPUS, message, wire_form
from differential import answers, walk
from maildrop import listed, retrieved, uidls

from postern_testing.client import Client
from postern_testing.gateway import Gateway, backend
from postern_testing.process import processes_with

OF_RELAY = [("cyrus", "appended"), ("courier", "files"), ("courier", "appended")]  # Dovecot's turn: test_dovecot.py
MAILBOXES = [("dovecot", "files"), ("dovecot", "appended"), *OF_RELAY]  # Cyrus takes no files
REFUSED = {"dovecot": {"empty"}, "cyrus": {"empty", "header-without-newline", "no-header", "nul"}, "courier": set()}


def by_pop3(server: Server, user: str) -> list[tuple[int, bytes]]:
    """Size in LIST, and message."""
    with server.pop3(user) as client:
        return [(size, retrieved(client, number)) for number, size in listed(client)]


def completed(octets: bytes) -> bytes:
    """As POP3 has to end a message: with CRLF."""
    return octets if octets.endswith(b"\n") else octets + b"\r\n"


def by_imap(server: Server, user: str) -> list[tuple[int, bytes]]:
    return [(stored.size, completed(stored.octets)) for stored in server.store.stored(user)]


def without_nul(server: Server, octets: bytes) -> bytes:
    """Dovecot's IMAP has 0x80 for a NUL, which no IMAP literal may contain; its POP3 has the NUL."""
    return octets.replace(b"\0", b"\x80") if server.name == "dovecot" else octets


# IMAP and POP3


@pytest.mark.parametrize("server, user", MAILBOXES, indirect=["server"])
def test_imap_and_pop3_show_the_same_messages(server, user):
    expected = len(CORPUS) - len(ODD.get(server.name, ())) - (len(server.refused) if user == "appended" else 0)
    imap = by_imap(server, user)
    assert len(imap) == expected
    pop3 = [(size, without_nul(server, octets)) for size, octets in by_pop3(server, user)]
    if server.name == "courier":  # whose POP3 has an order of its own
        imap, pop3 = sorted(imap), sorted(pop3)
    for shown, stored in zip(pop3, imap, strict=True):
        assert shown == stored


def test_append_takes_what_it_is_known_to_take(server):
    assert set(server.refused) == REFUSED[server.name]


def test_imap_announces_what_it_sends(server):
    for stored in server.store.stored("appended"):
        assert stored.size == len(stored.octets)


@pytest.mark.parametrize("server", ["dovecot", "cyrus"], indirect=True)
def test_uidl_is_made_of_uid_validity_and_uid(server):
    validity = server.store.uid_validity("appended")
    form = {"dovecot": "{uid:08x}{validity:08x}", "cyrus": "{validity}.{uid}"}[server.name]
    with server.pop3("appended") as client:
        shown = uidls(client)
    assert shown == [form.format(uid=stored.uid, validity=validity) for stored in server.store.stored("appended")]


@pytest.mark.parametrize("server", ["courier"], indirect=True)
def test_pop3_of_courier_rewrites_what_imap_leaves_alone(server):
    (final_cr_size, final_cr), (utf8_size, utf8) = by_pop3(server, "odd")
    assert final_cr == wire_form(CORPUS["final-cr"]) + b"\r\n"
    assert by_imap(server, "odd")[0] == (final_cr_size, final_cr.removesuffix(b"\r\r\n") + b"\r\n")  # a CR is lost
    assert by_imap(server, "odd")[1] == (utf8_size, wire_form(CORPUS["utf8-header"]))
    assert b"message/global" in utf8 and len(utf8) > utf8_size


def test_change_by_imap_is_seen_by_pop3(server):
    for n in range(3):
        server.store.append("scratch", wire_form(message(f"number {n}", b"text\n")))
    uids = [stored.uid for stored in server.store.stored("scratch")]
    server.store.flag("scratch", uids[:1])
    server.store.expunge("scratch", uids[1:2])
    assert [stored.uid for stored in server.store.stored("scratch")] == [uids[0], *uids[2:]]
    assert len(by_pop3(server, "scratch")) == len(uids) - 1


def test_user_can_be_added(server):
    server.store.add_user("late", PASSWORD)
    server.store.append("late", wire_form(message("late", b"text\n")))
    assert by_pop3(server, "late") == by_imap(server, "late")


@pytest.mark.parametrize("name", ["dovecot", "cyrus", "courier"])
def test_server_leaves_nothing_behind(make_server, name):
    with make_server(name, "joe") as store:
        with store.imap("joe") as connection:
            connection.select()
            assert processes_with(store.folder.name)
    assert not processes_with(store.folder.name)
    assert not store.folder.exists()


# The relay


@pytest.fixture
def relay(server, certificates, tmp_path) -> Iterator[Gateway]:
    with gateway_before(backend(server.store.pop3_port), certificates, tmp_path) as gateway:
        yield gateway


@pytest.mark.parametrize("pipelined", [False, True], ids=["one-by-one", "pipelined"])
@pytest.mark.parametrize("server, user", OF_RELAY, indirect=["server"])
def test_relayed_answers_are_the_direct_ones(server, relay, user, pipelined):
    count = len(server.store.stored(user))
    assert count
    direct = answers(server.pop3(user), walk(count), pipelined=False)
    client = Client(relay.ports["plain"])
    assert client.login(user, PASSWORD).startswith(b"+OK")
    for expected, got in zip(direct, answers(client, walk(count), pipelined), strict=True):
        assert got == expected
