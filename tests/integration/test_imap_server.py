"""The model of an IMAP server, tested on itself: Python's imaplib is its client."""

import imaplib
import socket
import time
from contextlib import contextmanager

import pytest

from postern_testing.client import Client, Closed
from postern_testing.imap_mailbox import Mailbox, Message, SyntheticMailbox
from postern_testing.imap_server import ImapStore
from postern_testing.scripted import Pause, Reset, Send, Upstream

MESSAGE = b"Subject: one\r\nX-UIDL: abc\r\n\r\nbody\r\n"
SECONDS = 20.0


@contextmanager
def logged_in(server: Upstream, mailbox: str | None = "INBOX"):
    with imaplib.IMAP4("127.0.0.1", server.port, timeout=SECONDS) as client:
        client.login("joe", "secret")
        if mailbox:
            assert client.select(mailbox)[0] == "OK"
        yield client


@contextmanager
def raw(server: Upstream, *lines: str):
    """A client that says what it is told, a login and a SELECT before."""
    with Client(server.port) as client:
        client.command("L LOGIN joe secret")
        client.send(b"S SELECT INBOX\r\n")
        while not client.line().startswith(b"S "):
            pass
        client.send("".join(f"{line}\r\n" for line in lines).encode())
        yield client


def test_serves_a_session():
    store = ImapStore([MESSAGE, b"two"])
    with Upstream(store) as server, logged_in(server) as client:
        assert client.untagged_responses["EXISTS"] == [b"2"]
        assert client.response("UIDNEXT") == ("UIDNEXT", [b"3"])
        listed = client.uid("FETCH", "1:*", "(UID RFC822.SIZE)")[1]
        assert listed == [b"1 (UID 1 RFC822.SIZE 35)", b"2 (UID 2 RFC822.SIZE 3)"]
        assert client.uid("FETCH", "1", "(UID BODY.PEEK[])")[1][0] == (b"1 (UID 1 BODY[] {35}", MESSAGE)
        assert client.uid("FETCH", "2", "(BODY.PEEK[]<1.1>)")[1][0] == (b"2 (BODY[]<1> {1}", b"w")
        assert client.uid("FETCH", "1", "(BODY.PEEK[HEADER.FIELDS (X-UIDL)])")[1][0][1] == b"X-UIDL: abc\r\n\r\n"
        assert client.uid("STORE", "1", "+FLAGS.SILENT", r"(\Deleted)")[0] == "OK"
        assert client.uid("SEARCH", "DELETED") == ("OK", [b"1"])
        assert client.uid("EXPUNGE", "1:2")[0] == "OK"
        client.logout()
    assert store.removed() == [1]
    assert store.removals[0].command == "UID EXPUNGE 1:2"
    assert store.inbox.uids() == [2]
    assert store.count("UID FETCH") == 4
    assert server.credentials == [("joe", "secret")]


def test_logins():
    store = ImapStore(users={"joe": "secret"}, capabilities_in_greeting=False)
    with Upstream(store) as server, imaplib.IMAP4("127.0.0.1", server.port, timeout=SECONDS) as client:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.login("joe", "wrong")
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.authenticate("PLAIN", lambda _: b"\0joe\0wrong")
        assert client.authenticate("PLAIN", lambda _: b"\0joe\0secret")[0] == "OK"
    assert server.credentials[-1] == ("joe", "secret")


def test_tls_and_starttls(certificates):
    context = certificates.ecdsa.server_context()
    with Upstream(ImapStore(starttls=context, capabilities=("IMAP4rev1", "STARTTLS"))) as server:
        with imaplib.IMAP4("localhost", server.port, timeout=SECONDS) as client:
            client.starttls(certificates.client_context())
            assert client.login("joe", "secret")[0] == "OK"
    with Upstream(ImapStore(), tls=context) as server:
        tls = certificates.client_context()
        with imaplib.IMAP4_SSL("localhost", server.port, ssl_context=tls, timeout=SECONDS) as client:
            assert client.login("joe", "secret")[0] == "OK"


def test_mailboxes_of_a_user_and_of_others():
    theirs = {"INBOX": Mailbox([b"hers"], uidvalidity=9)}
    store = ImapStore(mailboxes={"Old": Mailbox([b"a"], special_use=r"\Trash")}, mailboxes_of={"mary": theirs})
    with Upstream(store) as server, logged_in(server, None) as client:
        assert client.list()[1] == [rb'(\HasNoChildren \Trash) "/" "Old"', rb'(\HasNoChildren) "/" "INBOX"']
        assert client.status("Old", "(MESSAGES UIDNEXT)")[1] == [b'"Old" (MESSAGES 1 UIDNEXT 2)']
        assert client.create("New")[0] == "OK"
        client.select("Old")
        assert client.uid("MOVE", "1", "New")[0] == "OK"
        assert client.uid("COPY", "1", "Nowhere")[0] == "NO"
        with imaplib.IMAP4("127.0.0.1", server.port, timeout=SECONDS) as other:
            other.login("mary", "x")
            assert other.select()[1] == [b"1"]
    assert store.mailboxes["New"].get(1).text == b"a"
    assert store.removed("Old") == [1]


def test_other_sessions_hear_of_changes_with_their_next_command():
    store = ImapStore([b"1", b"2", b"3"])
    with Upstream(store) as server, raw(server) as client:
        store.expunge(1)
        store.expunge(3)
        store.deliver(b"4")
        client.send(b"a UID FETCH 1:* (UID)\r\n")
        answer = [client.line() for _ in range(5)]
        assert answer == [b"* 2 FETCH (UID 2)", b"* 1 EXPUNGE", b"* 2 EXPUNGE", b"* 2 EXISTS", b"a OK Fetch completed."]
    assert store.removed() == []  # nobody but the test


@pytest.mark.parametrize(
    "keys, found",
    [("ALL", b"1 2 3"), ("NOT DELETED", b"2 3"), ("KEYWORD $kept", b"2"), ("UNKEYWORD $kept UID 1:2", b"1"),
     ("SINCE 1-Jan-2026", b"1 2"), ("BEFORE 1-Mar-2025", b"3"), ("UID 9:*", b"3")],
)  # fmt: skip
def test_search(keys, found):
    store = ImapStore([b"1", b"2", b"3"])
    store.inbox.messages[1].flags = {r"\Deleted"}
    store.inbox.messages[2].flags = {"$kept"}
    store.inbox.messages[3].date = "28-Feb-2025"
    with Upstream(store) as server, logged_in(server) as client:
        assert client.uid("SEARCH", keys) == ("OK", [found])


def test_extended_search():
    with Upstream(ImapStore([b"x"] * 4)) as server, raw(server, "a UID SEARCH RETURN (ALL) NOT UID 3") as client:
        assert client.line() == b'* ESEARCH (TAG "a") UID ALL 1:2,4'


def test_answers_can_be_replaced():
    store = ImapStore([b"x"], instead={"UID FETCH 1 (UID)": b"$TAG NO not now\r\n"})
    store.once("NOOP", [Send(b"* 9 EXISTS\r\n"), Send(b"$TAG NO once\r\n")])
    store.ahead["UID SEARCH"] = [Pause(0.01), Send(b"* 7 EXISTS\r\n")]
    store.instead_answer["UID STORE"] = [Reset()]
    lines = ("a UID FETCH 1 (UID)", "b NOOP", "c NOOP", "d UID SEARCH ALL")
    with Upstream(store) as server, raw(server, *lines) as client:
        said = [client.line() for _ in range(7)]
        assert said[:4] == [b"a NO not now", b"* 9 EXISTS", b"b NO once", b"c OK NOOP completed."]
        assert said[4:6] == [b"* 7 EXISTS", b"* SEARCH 1"]
        client.send(b"e UID STORE 1 +FLAGS.SILENT (\\Seen)\r\n")
        with pytest.raises(Closed):
            client.line()
    assert store.inbox.flags(1) == {r"\Seen"}


@pytest.mark.parametrize("how, closed", [("close", "eof"), ("reset", "reset")])
def test_cut_after_any_octet_of_an_answer(how, closed):
    with Upstream(ImapStore([MESSAGE])) as server, raw(server) as client:
        before = len(server.peers[0].output)
        server.cut_at, server.cut_how = before + 30, how
        client.send(b"a UID FETCH 1 (UID BODY.PEEK[])\r\n")
        rest = client.rest()
        assert client.closed == closed
        assert rest == b"* 1 FETCH (UID 1 BODY[] {35}\r\n" or how == "reset"


def test_servers_that_lack_what_others_have():
    old = ("IMAP4rev1",)
    store = ImapStore([b"abc"], capabilities=old, capabilities_after=old, bad="NO", uid_last=True, whole_for_parts=True)
    lines = ("a UID EXPUNGE 1", "b UID MOVE 1 Trash", "c UID FETCH 1 (UID BODY.PEEK[]<0.1>)")
    with Upstream(store) as server, raw(server, *lines) as client:
        unknown = [b"a NO Unknown command.", b"b NO Unknown command."]
        assert [client.line() for _ in range(4)] == [*unknown, b"* 1 FETCH (BODY[] {3}", b"abc UID 1)"]


def test_read_only_mailboxes_keep_everything():
    store = ImapStore(mailboxes={"INBOX": Mailbox([b"x"], read_only=True)})
    with Upstream(store) as server, raw(server, r"a UID STORE 1 +FLAGS.SILENT (\Seen)", "b UID EXPUNGE 1") as client:
        assert client.line().startswith(b"a NO ")
        assert client.line().startswith(b"b NO ")
    assert store.inbox.flags(1) == set()


def test_a_million_messages():
    store = ImapStore(mailboxes={"INBOX": SyntheticMailbox(1_000_000, size=2000)})
    lines = ("a UID SEARCH RETURN (ALL) ALL", "b UID FETCH 999999 (UID BODY.PEEK[])")
    with Upstream(store) as server, raw(server, *lines) as c:
        assert c.line() == b'* ESEARCH (TAG "a") UID ALL 1:1000000'
        c.line()
        assert c.line() == b"* 999999 FETCH (UID 999999 BODY[] {2000}"
        assert c.line() == b"Subject: message 999999"
        for _ in range(4):
            c.line()
        begun = time.monotonic()
        c.send(b"d UID STORE 7 +FLAGS.SILENT (\\Deleted)\r\ne UID EXPUNGE 7\r\nf UID FETCH 1:* (UID RFC822.SIZE)\r\n")
        listed = b""
        while not listed.endswith(b"f OK Fetch completed.\r\n"):
            listed = listed[-100:] + (c.socket.recv(1 << 20) or pytest.fail("closed"))
        assert time.monotonic() - begun < SECONDS
        assert b"* 999999 FETCH (UID 1000000 RFC822.SIZE 2000)\r\n" in listed
    assert store.removed() == [7]


@pytest.mark.parametrize(
    "line, why",
    [
        ("a CLOSE", "expunges"),
        ("a EXAMINE INBOX", "UIDVALIDITY"),
        ("a ENABLE QRESYNC", "changes"),
        ("a FETCH 1 (UID)", "sequence numbers"),
        ("a UID SEARCH 1:2", "SEARCH of 1:2"),
        ("a UID STORE 1:* +FLAGS.SILENT (\\Seen)", "in a set"),
        ("a UID EXPUNGE *", "in a set"),
        ("a UID MOVE 1:* Trash", "in a set"),
        ("a UID FETCH 3:1 (UID)", "reversed"),
        ("a UID FETCH 1 (BODY.PEEK[]<0.0>)", "no octets"),
        ("a UID FETCH 1 (BODY[])", "Seen"),
        ("a UID FETCH 1 (UID) ", "surplus"),
        ("a UID  FETCH 1 (UID)", "no command"),
        ("a EXPUNGE", "UID EXPUNGE"),
        ("L NOOP", "the tag L again"),
        ("a NOOP \xe4", "outside"),
        ("a UID FETCH " + "1," * 4000 + "2 (UID)", "octets"),
        ("\r\n".join(f"{tag} NOOP" for tag in "abcdefghijkl"), "in the queue"),
    ],
)
def test_what_a_gateway_must_never_send_fails_the_test(line, why):
    with pytest.raises(AssertionError, match=why):
        with Upstream(ImapStore([b"x"])) as server, raw(server, line) as client:
            client.rest()


@pytest.mark.parametrize(
    "octets, why",
    [
        (b"a LOGIN joe secret\r\nb SELECT INBOX\r\n", "follows a login"),
        (b"a AUTHENTICATE PLAIN\r\nAGpvZQBzZWNyZXQ=\r\n", "follows a login"),
        (b"a LOGIN {3}\r\njoe secret\r\n", "did not wait"),
        (b"a LOGIN {3+}\r\njoe secret\r\n", "LITERAL"),
        (b"a LOGIN {70000}\r\n", "70000 octets"),
        (b"a NOOP\n", "CRLF"),
        (b"a AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=\r\n", "SASL-IR"),
    ],
)
def test_logins_that_do_not_wait_fail_the_test(octets, why):
    with pytest.raises(AssertionError, match=why):
        with Upstream(ImapStore(capabilities=("IMAP4rev1", "AUTH=PLAIN"))) as server, Client(server.port) as client:
            client.send(octets)
            client.rest()


def test_literals():
    with Upstream(ImapStore()) as server, Client(server.port) as client:
        assert client.command("a LOGIN {3+}\r\njoe {4}") == b"+ go ahead"
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert client.command(b'a"\r\n').startswith(b"a OK")
    assert server.credentials == [("joe", 'a"\r\n')]


def test_ids_of_messages():
    able = ("IMAP4rev1", "OBJECTID", "X-GM-EXT-1")
    store = ImapStore(capabilities_after=able, knows_guid=True)
    store.inbox.add(Message(b"x", email_id="M1", guid="g", gm_msgid=77))
    with Upstream(store) as server, logged_in(server) as client:
        fetched = client.uid("FETCH", "1", "(EMAILID X-GUID X-GM-MSGID)")[1]
        assert fetched == [b'1 (EMAILID (M1) X-GUID "g" X-GM-MSGID 77)']
        fetched = client.uid("FETCH", "1", "(INTERNALDATE FLAGS)")[1]
        assert fetched == [b'1 (INTERNALDATE "01-Jan-2026 12:00:00 +0000" FLAGS ())']
