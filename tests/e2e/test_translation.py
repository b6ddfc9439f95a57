"""The gateway shows what lies behind IMAP as the server's own POP3 would: contents, sizes and unique ids."""

import pytest
from conftest import ODD, PASSWORD, Server, logged_in
from corpus import CORPUS
from differential import answers, walk
from maildrop import beginning, listed, normalised, retrieved, sizes, top, totals, uidls

from postern_testing.client import Client
from postern_testing.gateway import imap_backend

APPENDED = [("dovecot", "appended"), ("cyrus", "appended"), ("courier", "appended")]
MAILBOXES = [("dovecot", "files"), ("courier", "files"), ("courier", "odd"), *APPENDED]
LINES = (0, 1, 5, 99_999_999)

of_every_mailbox = pytest.mark.parametrize("server, user", MAILBOXES, indirect=["server"])
with_a_uidl_like_ours = pytest.mark.parametrize("server", ["dovecot", "cyrus"], indirect=True)


def own_uidls(server: Server, user: str) -> list[str]:
    with server.pop3(user) as client:
        return uidls(client)


@of_every_mailbox
def test_messages_are_those_of_imap(server, translation, user):
    stored = server.store.stored(user)
    assert len(stored) >= (len(ODD[server.name]) if user == "odd" else len(CORPUS) - 5)
    client = translation(user)
    assert listed(client) == [(number, message.size) for number, message in enumerate(stored, 1)]
    assert totals(client) == (len(stored), sum(message.size for message in stored))
    for number, message in enumerate(stored, 1):
        assert retrieved(client, number) == normalised(message.octets), f"RETR {number}"


@pytest.mark.parametrize("server, user", [("dovecot", "files"), ("courier", "odd"), *APPENDED], indirect=["server"])
def test_top_is_the_beginning_of_the_message(server, translation, user):
    client = translation(user)
    for number, message in enumerate(server.store.stored(user), 1):
        shown = normalised(message.octets)
        for lines in LINES:
            assert top(client, number, lines) == beginning(shown, lines), f"TOP {number} {lines}"


@of_every_mailbox
def test_retr_announces_what_imap_has(server, translation, user):
    client = translation(user)
    for number, message in enumerate(server.store.stored(user), 1):
        assert client.command_multi(f"RETR {number}")[0] == b"+OK %d octets" % len(message.octets)


@of_every_mailbox
def test_messages_come_in_any_order_and_pipelined(server, translation, user):
    shown = [normalised(message.octets) for message in server.store.stored(user)]
    numbers = [*range(len(shown), 0, -1), *range(1, len(shown) + 1), *range(1, len(shown) + 1, 2)]
    client = translation(user)
    client.send(b"".join(b"RETR %d\r\n" % number for number in numbers))
    for number in numbers:
        assert client.line().startswith(b"+OK")
        assert client.multi() == stuffed(shown[number - 1]), f"RETR {number}"


def stuffed(shown: bytes) -> bytes:
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in shown.split(b"\r\n"))


@pytest.mark.parametrize("user", ["appended", "files"])
@with_a_uidl_like_ours
def test_ids_are_those_of_the_servers_own_pop3(server, translation, user):
    client = translation(user)
    assert uidls(client) == own_uidls(server, user)


def test_ids_stay_in_every_session_and_every_gateway(server, translation, gateway_for):
    expected = uidls(translation("appended"))
    assert len(set(expected)) == len(expected) > len(CORPUS) // 2
    assert uidls(translation("appended")) == expected
    first, second = gateway_for(server.imap_leg()), gateway_for(server.imap_leg())
    for gateway in (first, second, first):
        with logged_in(gateway, "appended") as client:
            assert uidls(client) == expected
    restarted = gateway_for(server.imap_leg())
    with logged_in(restarted, "appended") as client:
        assert uidls(client) == expected
        assert client.command("UIDL 2") == f"+OK 2 {expected[1]}".encode()


def as_imap_has_it(answer: tuple[str, bytes, bytes]) -> tuple[str, bytes, bytes]:
    command, status, lines = answer
    return command, status, lines.replace(b"\0", b"\x80")


@pytest.mark.parametrize("pipelined", [False, True], ids=["one-by-one", "pipelined"])
@with_a_uidl_like_ours
def test_answers_are_those_of_the_servers_own_pop3(server, translation, pipelined):
    commands = walk(len(server.store.stored("appended")))
    direct = answers(server.pop3("appended"), commands, pipelined=False)
    translated = answers(translation("appended"), commands, pipelined)
    for expected, got in zip(direct, translated, strict=True):
        assert got == as_imap_has_it(expected)


# TLS towards the store


@pytest.mark.parametrize("mode", ["implicit", "starttls"])
@pytest.mark.parametrize("server", ["dovecot"], indirect=True)
def test_store_is_reached_by_verified_tls(server, certificates, gateway_for, mode):
    gateway = gateway_for(tls_leg(server, certificates, mode, "pop.example.net"))
    with logged_in(gateway, "files") as client:
        assert retrieved(client, 1) == normalised(CORPUS["plain"])
        assert sizes(client) == [message.size for message in server.store.stored("files")]


@pytest.mark.parametrize("mode", ["implicit", "starttls"])
@pytest.mark.parametrize("server", ["dovecot"], indirect=True)
def test_store_with_another_name_gets_no_password(server, certificates, gateway_for, mode):
    gateway = gateway_for(tls_leg(server, certificates, mode, "elsewhere.example.org"))
    with Client(gateway.ports["plain"]) as client:
        assert client.login("files", PASSWORD).startswith(b"-ERR [SYS/TEMP]")
    assert gateway.metric("postern_backend_connections_total", result="backend_tls") == 1


def tls_leg(server: Server, certificates, mode: str, name: str) -> dict:
    port = server.store.ports.imaps if mode == "implicit" else server.store.ports.imap
    return imap_backend(port, tls={"mode": mode, "ca_file": str(certificates.ca.cert), "server_name": name})
