"""The same octets read by postern and by Python: random messages through the gateway, taken by poplib, against what
imaplib takes from the server itself; random user names and passwords, as the IMAP server's parser understands them."""

import imaplib
import poplib
import random
import re

import pytest

from postern_testing.gateway import imap_backend
from postern_testing.imap_server import ImapStore
from postern_testing.scripted import Store

SEED = 20261127
MESSAGES = 150
LOGINS = 60
DEADLINE = 20.0
# What a codec of dots and line ends can trip over, and what looks like the syntax of either protocol.
PIECES = [b".", b"..", b"\r\n", b"\r\n.", b"\r\n..", b"\r\n.\r\n", b"\n", b"\n.\n", b"\n.\r\n", b"a", b"{5}\r\n", b")\r\n", b"A1 OK done\r\n",
          b"* 1 FETCH (", b"+OK\r\n", b"\xff\xfe", b"x" * 70, b"y" * 998, b"z" * 5000, b" ", b"\t"]  # fmt: skip
LETTERS = "aZ09.@-_ \"\\%*(){}~&+!$'`<>#;,/?:=[]^|äß中\u202e"


@pytest.fixture(autouse=True)
def long_lines(monkeypatch):
    monkeypatch.setattr(poplib, "_MAXLINE", 1 << 20)  # it takes no line of more than 2048 octets


def random_messages() -> list[bytes]:
    dice = random.Random(SEED)
    return [b"".join(dice.choices(PIECES, k=dice.randrange(1, 60))) for _ in range(MESSAGES)]


def lines_of(octets: bytes) -> list[bytes]:
    """What a POP3 client is to have of a message: each line end is CRLF, the last one is there."""
    lines = re.split(rb"\r?\n", octets)
    return lines[:-1] if lines[-1] == b"" else lines


def fetched_by_pop(port: int, count: int) -> tuple[list[list[bytes]], list[list[bytes]]]:
    """Each message by RETR, and by TOP with all its lines."""
    client = poplib.POP3("127.0.0.1", port, timeout=DEADLINE)
    client.user("joe")
    client.pass_("secret")
    whole = [client.retr(number)[1] for number in range(1, count + 1)]
    top = [client.top(number, 10_000)[1] for number in range(1, count + 1)]
    client.quit()
    return whole, top


def test_relayed_messages(gateway, upstream):
    """The dots are doubled by the scripted server and undone by poplib; the gateway passes them on."""
    messages = [re.sub(rb"\r?\n", b"\r\n", message) for message in random_messages()]
    messages = [message if message.endswith(b"\r\n") else message + b"\r\n" for message in messages]
    running = gateway(upstream(Store(messages)))
    whole, top = fetched_by_pop(running.ports["plain"], len(messages))
    for message, by_retr, by_top in zip(messages, whole, top, strict=True):
        assert by_retr == lines_of(message), message
        assert by_top == by_retr, message


def test_translated_messages(gateway, upstream):
    messages = random_messages()
    server = upstream(ImapStore(messages))
    running = gateway(imap_backend(server.port))
    whole, top = fetched_by_pop(running.ports["plain"], len(messages))
    with imaplib.IMAP4("127.0.0.1", server.port, timeout=DEADLINE) as client:
        client.login("joe", "secret")
        client.select("INBOX")
        for number, by_retr in enumerate(whole, 1):
            octets = client.uid("FETCH", str(number), "(BODY.PEEK[])")[1][0][1]
            assert octets == messages[number - 1]
            assert by_retr == lines_of(octets), octets
            assert top[number - 1] == by_retr, octets
        client.logout()


def test_names_and_passwords(gateway, upstream, connect):
    """Each arrives as it was typed, whatever strings the gateway makes of it."""
    dice = random.Random(SEED)
    server = upstream(ImapStore([b"x\r\n"], capabilities=("IMAP4rev1",)))
    running = gateway(imap_backend(server.port))
    expected = []
    for _ in range(LOGINS):
        user = "u" + "".join(dice.choices(LETTERS, k=dice.randrange(0, 20))) + "x"
        password = "".join(dice.choices(LETTERS, k=dice.randrange(1, 100)))
        assert connect(running).auth_plain(user, password).startswith(b"+OK"), (user, password)
        expected.append((user, password))
    assert [tuple(word.encode("latin-1").decode() for word in pair) for pair in server.credentials] == expected
