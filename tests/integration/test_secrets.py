"""Passwords: what is left of them in memory once they have been used, and that nobody is told them."""

import base64
import os
import sqlite3

import pytest

from postern_testing.client import eventually
from postern_testing.gateway import backend, check, imap_backend, is_sanitized
from postern_testing.imap_server import ImapStore
from postern_testing.memory import find
from postern_testing.scripted import Silence, Store

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="another process's memory needs root"),
    pytest.mark.skipif(is_sanitized(), reason="a sanitizer's own memory is terabytes"),
]

USER = "joe"
# In two parts, so that no test can find what the search itself is made of in a core or a copy of this file.
PASSWORD = "wombat-" + "9f3c71e8-tapir"


def traces(password: str = PASSWORD) -> list[bytes]:
    """Every form that a password has on its way: as it is, in base64, inside a SASL PLAIN message."""
    plain = base64.b64encode(f"\0{USER}\0{password}".encode())
    return [password.encode(), base64.b64encode(password.encode())[:-4], plain[12:-4]]


def left(running) -> list:
    return find(running.process.pid, *traces())


def backend_of(kind: str, server, certificates) -> dict:
    settings = {"name": "store", "servers": [{"host": "127.0.0.1", "port": server.port}]}
    if kind.endswith("tls"):
        settings["tls"] = {"mode": "implicit", "ca_file": str(certificates.ca.cert), "server_name": "localhost"}
    else:
        settings["tls"] = {"mode": "none"}
    settings["protocol"] = kind.partition("-")[0]
    return settings


@pytest.fixture(params=["pop3", "pop3-tls", "imap", "imap-tls"])
def road(request, upstream, certificates):
    """A server of each kind behind the gateway, and how it is configured."""
    tls = certificates.ecdsa.server_context() if request.param.endswith("tls") else None
    script = Store(users={USER: PASSWORD}) if request.param.startswith("pop3") else ImapStore(users={USER: PASSWORD})
    server = upstream(script, tls=tls)
    return backend_of(request.param, server, certificates)


def login_by_user(client):
    assert client.login(USER, PASSWORD).startswith(b"+OK")


def login_by_plain(client):
    assert client.auth_plain(USER, PASSWORD).startswith(b"+OK")


def login_by_login(client):
    assert client.command("AUTH LOGIN").startswith(b"+ ")
    assert client.command(base64.b64encode(USER.encode())).startswith(b"+ ")
    assert client.command(base64.b64encode(PASSWORD.encode())).startswith(b"+OK")


def password_given(client, running, end: str):
    """The client, once its PASS, with this end of the line, lies in the gateway's memory."""
    assert client.command(f"USER {USER}").startswith(b"+OK")
    client.send(f"PASS {PASSWORD}{end}".encode())
    eventually(lambda: left(running), "the password is in memory")
    return client


LOGINS = [login_by_user, login_by_plain, login_by_login]


def test_search_finds_what_is_there(gateway, upstream, connect):
    """The test of the test: while the server has not answered the login, the password is in memory."""
    running = gateway(upstream(Store(answers={"PASS": [Silence()]})))
    password_given(connect(running), running, "\r\n")


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("listener", ["plain", "pop3s"])
def test_nothing_is_left_after_login(gateway, connect, road, listener, login):
    running = gateway(road)
    client = connect(running, listener)
    login(client)
    found = left(running)
    if road["protocol"] == "imap":  # one is kept, to take a lost connection up again
        assert [trace for trace, _, _ in found] == [PASSWORD.encode()]
    else:
        assert found == []
    assert client.command("STAT").startswith(b"+OK")
    assert client.command("QUIT").startswith(b"+OK")
    client.expect_closed("eof")
    assert left(running) == []


@pytest.mark.parametrize("listener", ["plain", "pop3s"])
def test_nothing_is_left_of_a_wrong_password(gateway, upstream, connect, listener):
    running = gateway(upstream(Store(users={USER: "another one"})))
    client = connect(running, listener)
    assert client.login(USER, PASSWORD).startswith(b"-ERR [AUTH]")
    assert left(running) == []


def test_nothing_is_left_when_the_client_goes_before_the_answer(gateway, upstream, connect):
    running = gateway(backend(upstream(Store(answers={"PASS": [Silence()]})).port, login_timeout="1s"))
    client = password_given(connect(running), running, "\r\n")
    client.reset()
    running.wait_for_event("session_end")
    assert left(running) == []


def test_nothing_is_left_of_a_password_that_was_cut_off(gateway, upstream, connect):
    running = gateway(upstream(Store()))
    client = password_given(connect(running), running, "")
    client.reset()
    running.wait_for_event("session_end")
    assert left(running) == []


def test_nobody_is_told(gateway, upstream, connect, tmp_path):
    """Canaries: in the log of every level, the metrics, the store, and what `check` says."""
    store = tmp_path / "store"
    good = ImapStore(users={USER: PASSWORD})
    running = gateway(
        imap_backend(upstream(good).port), log={"level": "debug"}, store={"file": str(store)}, secrets=tuple(
            trace.decode() for trace in traces()
        )
    )
    for login in LOGINS:
        client = connect(running)
        login(client)
        assert client.command("UIDL").startswith(b"+OK")
        client.multi()
        assert client.command("QUIT").startswith(b"+OK")
    wrong = connect(running)
    assert wrong.command(f"USER {USER}").startswith(b"+OK")
    assert wrong.command(f"PASSWORD {PASSWORD}").startswith(b"-ERR")  # a typo must not reach the log either
    assert wrong.command(f"{PASSWORD}").startswith(b"-ERR")
    assert wrong.command(f"AUTH PLAIN {PASSWORD}").startswith(b"-ERR")
    texts = [running.get("/metrics")[1].encode(), check(running.file)[1].encode()]
    running.terminate()
    assert running.wait() == 0
    texts += [path.read_bytes() for path in tmp_path.glob("store*")]
    with sqlite3.connect(store) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    for text in texts:
        for trace in traces():
            assert trace not in text
