"""Dovecot by itself is what the other tests take it for: the private root works, and the corpus is served."""

import imaplib
import poplib

import pytest
from corpus import CORPUS, message

from postern_testing.client import Client, eventually
from postern_testing.dovecot import Dovecot
from postern_testing.process import group_members


def test_store_serves_plaintext_stls_and_pop3s(dovecot, certificates):
    store = dovecot({"joe": "pw", "ann": "x y"}, {"joe": [message("a", b".a\n"), message("b", b"b\n")]})
    context = certificates.client_context()
    with Client(store.ports.pop3) as client:
        assert client.login("joe", "pw").startswith(b"+OK")
        assert client.command("STAT").startswith(b"+OK 2 ")
        assert b"\r\n..a\r\n" in client.command_multi("RETR 1")[1]
    with Client(store.ports.pop3) as client:
        client.stls(context)
        assert client.auth_plain("ann", "x y").startswith(b"+OK")
    with Client(store.ports.pop3s, context) as client:
        assert client.login("ann", "wrong").startswith(b"-ERR [AUTH]")


@pytest.mark.parametrize("kind", ["plaintext", "starttls", "implicit"])
def test_store_serves_imap(dovecot, certificates, kind):
    store = dovecot({"joe": "pw"}, {"joe": [message("a", b"a\n")]})
    context = certificates.client_context()
    if kind == "implicit":
        session = imaplib.IMAP4_SSL("localhost", store.ports.imaps, ssl_context=context, timeout=30)
    else:
        session = imaplib.IMAP4("localhost", store.ports.imap, timeout=30)
    if kind == "starttls":
        session.starttls(context)
    with session:
        session.login("joe", "pw")
        assert session.select() == ("OK", [b"1"])


def test_corpus_is_served_in_its_order(dovecot):
    store = dovecot({"joe": "pw"}, {"joe": list(CORPUS.values())})
    with Client(store.ports.pop3) as client:
        client.login("joe", "pw")
        assert client.command("STAT").split()[1] == str(len(CORPUS)).encode()
        number = list(CORPUS).index("header-only") + 1
        assert client.command_multi(f"RETR {number}")[1].startswith(b"Subject: header only\r\n")


def test_store_leaves_nothing_behind(dovecot_root, certificates):
    with Dovecot(dovecot_root, {"joe": "pw"}, certificates.ecdsa.pair) as store:
        poplib.POP3("127.0.0.1", store.ports.pop3).quit()
        group = store.process.pid
        assert group_members(group)
    assert not group_members(group)
    assert not store.folder.exists()


def test_new_mail_appears(dovecot):
    store = dovecot({"joe": "pw"})
    store.fill("joe", [message("late", b"x\n")])

    def count() -> bytes:
        with Client(store.ports.pop3) as client:
            client.login("joe", "pw")
            return client.command("STAT").split()[1]

    eventually(lambda: count() == b"1", "the message")
