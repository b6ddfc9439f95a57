"""What a client hears when something is wrong: with its password, with a message, with the server."""

import re
from base64 import b64encode
from collections.abc import Iterator

import pytest
from conftest import PASSWORD, PASSWORDS, Server, logged_in
from corpus import message, subject_of
from maildrop import as_sent, listed, retrieved, top, totals, uidls

from postern_testing.client import Client, Closed
from postern_testing.dovecot import Dovecot
from postern_testing.gateway import Gateway, imap_backend
from postern_testing.mail_store import MailStore
from postern_testing.process import hand_over

REMOVED = b"-ERR no such message (it was removed)"
UNREADABLE = b"-ERR [SYS/PERM] message cannot be read"
of_dovecot = pytest.mark.parametrize("server", ["dovecot"], indirect=True)


# Logging in


@pytest.mark.parametrize("user", PASSWORDS)
def test_password_arrives_as_it_is(server, running_translation, user):
    with Client(running_translation(server).ports["plain"]) as client:
        assert client.login(user, PASSWORDS[user]).startswith(b"+OK")
        assert totals(client) == (0, 0)
    with Client(running_translation(server).ports["plain"]) as client:
        assert client.auth_plain(user, PASSWORDS[user]).startswith(b"+OK")


@pytest.mark.parametrize("octets", [b"x\r\na2 DELETE INBOX", b"x\ny", b"\xff\r"])
def test_password_with_line_ends_goes_nowhere(server, running_translation, octets):
    with Client(running_translation(server).ports["plain"]) as client:
        response = b64encode(b"\0files\0" + octets)
        assert client.command(b"AUTH PLAIN " + response).startswith(b"-ERR")
        assert client.login("files", PASSWORD).startswith(b"+OK")


def test_wrong_password_is_told_as_such(server, running_translation):
    with Client(running_translation(server).ports["plain"]) as client:
        wrong = client.login("files", "wrong")
        assert wrong.startswith(b"-ERR [AUTH]")
        assert client.login("files", PASSWORD).startswith(b"+OK")


@pytest.mark.parametrize("name", ["dovecot", "cyrus", "courier"])
def test_store_that_is_away_is_not_a_wrong_password(make_server, gateway_for, name):
    with make_server(name, "joe") as store:
        gateway = gateway_for(imap_backend(store.imap_port))
        with logged_in(gateway, "joe") as client:
            assert client.command("QUIT").startswith(b"+OK")
    with Client(gateway.ports["plain"]) as client:
        assert client.login("joe", PASSWORD).startswith(b"-ERR [SYS/TEMP]")


# Messages that others have removed


@pytest.fixture
def user(server) -> str:
    return server.new_user("a", "b", "c", "d", "e", "f")


def is_removed(server: Server, answer: bytes) -> bool:
    """Cyrus gives a message once more."""
    return answer == REMOVED or (server.name == "cyrus" and answer.startswith(b"+OK"))


def expunge(server: Server, user: str, *numbers: int) -> None:
    stored = server.store.stored(user)
    server.store.expunge(user, [stored[number - 1].uid for number in numbers])


@pytest.mark.parametrize("command", ["RETR", "TOP"])
def test_message_that_was_removed_is_no_other(server, translation, user, command):
    stored = server.store.stored(user)
    client = translation(user)
    before = listed(client), totals(client), uidls(client)
    expunge(server, user, 1, 3, 6)
    lines = " 99" if command == "TOP" else ""
    for number in (3, 1, 6):
        status, octets = client.command_multi(f"{command} {number}{lines}")
        assert is_removed(server, status), status
        assert not octets or as_sent(octets) == stored[number - 1].octets
    for number in (3, 1, 6):
        assert client.command(f"{command} {number}{lines}") == REMOVED
    for number in (2, 4, 5):
        assert retrieved(client, number) == stored[number - 1].octets
    assert (listed(client), totals(client), uidls(client)) == before
    assert client.command("QUIT").startswith(b"+OK")
    assert server.subjects(user) == ["b", "d", "e"]


@pytest.mark.parametrize("pipelined", [False, True], ids=["one-by-one", "pipelined"])
def test_message_that_is_removed_during_a_walk_is_no_other(server, translation, user, pipelined):
    stored = server.store.stored(user)
    client = translation(user)
    assert retrieved(client, 1) == stored[0].octets
    expunge(server, user, 2, 4, 5)
    if pipelined:
        client.send(b"".join(b"RETR %d\r\n" % number for number in range(1, 7)))
    for number in range(1, 7):
        status = client.line() if pipelined else client.command(f"RETR {number}")
        if number in (2, 4, 5) and status == REMOVED:
            continue
        assert status.startswith(b"+OK") and (number in (1, 3, 6) or server.name == "cyrus")
        assert as_sent(client.multi()) == stored[number - 1].octets


# A message that breaks the connection


@pytest.fixture
def poisoned(server) -> str:
    """Has three messages; the file of the second is shorter than its name says, so Dovecot dies of it."""
    user = server.new_user("a")
    maildir = server.store.folder / "mail" / user
    path = maildir / "cur/1700000000.M1P1.test,S=200,W=220:2,S"
    path.write_bytes(b"Subject: poison\n\n" + b"x" * 25 + b"\n")
    assert path.stat().st_size == 43
    hand_over(path)
    with server.store.imap(user) as connection:
        assert connection.select() == ("OK", [b"2"])
    server.deliver(user, "c")
    return user


def cut_short(client: Client, command: str) -> bytes:
    """What comes of a message that ends with the connection, and without its terminator."""
    status = client.command(command)
    assert status.startswith(b"+OK"), status
    with pytest.raises(Closed) as closed:
        client.multi()
    assert not closed.value.received.endswith(b"\r\n.\r\n")
    return closed.value.received


@of_dovecot
def test_message_that_ends_the_connection_is_refused_in_the_end(server, gateway_for, poisoned):
    gateway = gateway_for(server.imap_leg())
    for _ in range(2):
        with logged_in(gateway, poisoned) as client:
            assert subject_of(retrieved(client, 1)) == "a"
            assert b"poison" in cut_short(client, "RETR 2")
    with logged_in(gateway, poisoned) as client:
        assert subject_of(retrieved(client, 1)) == "a"
        assert client.command("RETR 2") == UNREADABLE
        assert client.command("TOP 2 1") == UNREADABLE
        assert subject_of(retrieved(client, 3)) == "c"
        assert client.command("DELE 2").startswith(b"+OK")
        assert client.command("QUIT").startswith(b"+OK")
    assert gateway.metric("postern_messages_refused_total") == 2
    assert gateway.metric("postern_messages_truncated_total") == 2
    assert server.subjects(poisoned) == ["a", "c"]


@of_dovecot
def test_messages_beside_a_broken_one_are_whole(server, gateway_for, poisoned):
    gateway = gateway_for(server.imap_leg())
    with logged_in(gateway, poisoned) as client:
        client.send(b"RETR 1\r\nRETR 3\r\nTOP 1 0\r\nRETR 2\r\nRETR 3\r\nDELE 1\r\nQUIT\r\n")
        for subject in ("a", "c", "a"):
            assert client.line().startswith(b"+OK")
            assert subject_of(client.multi()) == subject
        assert client.line().startswith(b"+OK")
        with pytest.raises(Closed):
            client.multi()
    gateway.wait_for_metric(0, "postern_backend_sessions")
    assert totals(logged_in(gateway, poisoned))[0] == 3


# A server that dies


def test_session_outlives_the_servers_process(server, translation, user):
    client = translation(user)
    stored = server.store.stored(user)
    for number in (1, 2):
        assert retrieved(client, number) == stored[number - 1].octets
        server.store.kill_sessions()
    assert totals(client)[0] == 6
    assert top(client, 3, 0) == stored[2].octets.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    server.store.kill_sessions()
    assert client.command("DELE 3").startswith(b"+OK")
    assert client.command("DELE 6").startswith(b"+OK")
    assert client.command("QUIT").startswith(b"+OK")
    assert server.subjects(user) == ["a", "b", "d", "e"]


@pytest.fixture
def own(make_server, gateway_for) -> Iterator[tuple[Dovecot, Gateway]]:
    """A Dovecot that may crash, with five messages of joe, and a gateway before it."""
    with make_server("dovecot", "joe") as store:
        store.fill("joe", [message(subject, b"text\n") for subject in "abcde"])
        yield store, gateway_for(imap_backend(store.imap_port))


def subjects(store: MailStore) -> list[str]:
    return [subject_of(stored.octets) for stored in store.stored("joe")]


def test_session_outlives_a_crash_of_the_server(own):
    store, gateway = own
    with logged_in(gateway, "joe") as client:
        ids = uidls(client)
        store.crash()
        assert uidls(client) == ids
        store.start_again()
        assert subject_of(retrieved(client, 2)) == "b"
        assert client.command("DELE 2").startswith(b"+OK")
        store.crash()
        store.start_again()
        assert client.command("QUIT").startswith(b"+OK")
    assert subjects(store) == ["a", "c", "d", "e"]
    assert gateway.metric("postern_backend_reconnects_total") == 2


@pytest.mark.parametrize("command, answer", [("RETR 1", b"-ERR [SYS/TEMP]"), ("QUIT", b"-ERR some deleted messages not")])
def test_server_that_stays_away_ends_the_session(own, command, answer):
    store, gateway = own
    with logged_in(gateway, "joe") as client:
        assert client.command("DELE 2").startswith(b"+OK")
        store.crash()
        assert client.command(command).startswith(answer)
        client.expect_closed("eof")
    store.start_again()
    assert subjects(store) == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("command", ["RETR 1", "QUIT"])
def test_mailbox_that_is_another_one_is_left_alone(own, command):
    store, gateway = own
    with logged_in(gateway, "joe") as client:
        before = uidls(client)
        assert client.command("DELE 2").startswith(b"+OK")
        store.crash()
        change_uid_validity(store)
        store.start_again()
        assert client.command(command).startswith(b"-ERR")
        client.expect_closed("eof")
    assert subjects(store) == ["a", "b", "c", "d", "e"]
    with logged_in(gateway, "joe") as client:
        assert not set(uidls(client)) & set(before)
    assert gateway.metric("postern_uidvalidity_changes_total") == 1


def change_uid_validity(store: Dovecot) -> None:
    path = store.folder / "mail/joe/dovecot-uidlist"
    header, _, rest = path.read_bytes().partition(b"\n")
    path.write_bytes(re.sub(rb"V\d+", b"V1234567890", header) + b"\n" + rest)
    for index in path.parent.glob("dovecot.index*"):
        index.unlink()
