"""The tools of the integration tests, tested on themselves: the scripted server with the raw client."""

import re
import threading

import pytest

from postern_testing.client import Client, Closed
from postern_testing.gateway import parse_logfmt, parse_metrics
from postern_testing.scripted import Close, Expect, Hold, Reset, Send, StartTls, Store, Upstream

MESSAGE = b"Subject: one\r\n\r\n.dot\r\nend\r\n"


def test_store_serves_a_session():
    store = Store([MESSAGE])
    with Upstream(store) as server, Client(server.port) as client:
        assert client.greeting.startswith(b"+OK")
        assert client.login() == b"+OK maildrop ready"
        assert client.command("STAT") == b"+OK 1 27"
        assert client.command_multi("RETR 1") == (b"+OK 27 octets", b"Subject: one\r\n\r\n..dot\r\nend\r\n")
        assert client.command_multi("TOP 1 1") == (b"+OK", b"Subject: one\r\n\r\n..dot\r\n")
        assert client.command_multi("UIDL") == (b"+OK", b"1 uid1\r\n")
        assert client.command("DELE 1") == b"+OK marked"
        assert client.command_multi("LIST") == (b"+OK", b"")
        assert client.command("QUIT") == b"+OK"
        client.expect_closed()
        assert server.credentials == [("joe", "secret")]
        assert server.commands()[-1] == "QUIT"
    assert store.committed == [{1}]


def test_store_takes_sasl_plain_and_refuses_others():
    with Upstream(Store(users={"joe": "secret"})) as server, Client(server.port) as client:
        assert client.auth_plain("joe", "wrong") == b"-ERR [AUTH] no"
        assert client.auth_plain("joe", "secret").startswith(b"+OK")


def test_script_speaks_tls(certificates):
    script = [
        Send(b"+OK\r\n"),
        Expect(b"STLS"),
        Send(b"+OK\r\n"),
        StartTls(certificates.ecdsa.server_context()),
        Expect(b"NOOP"),
        Send(b"+OK\r\n"),
    ]
    with Upstream(script) as server, Client(server.port) as client:
        client.stls(certificates.client_context())
        assert client.command("NOOP") == b"+OK"


def test_tls_from_the_start(certificates):
    with Upstream(Store(), tls=certificates.rsa.server_context()) as server:
        with Client(server.port, certificates.client_context()) as client:
            assert client.login().startswith(b"+OK")


def test_unmet_expectation_fails_the_test():
    with pytest.raises(AssertionError, match="expected b'NOOP', got b'STAT'"):
        with Upstream([Expect(b"NOOP")]) as server, Client(server.port, greet=False) as client:
            client.send(b"STAT\r\n")
            client.rest()


@pytest.mark.parametrize("cut_at", range(0, 12))
@pytest.mark.parametrize("how, closed", [("close", "eof"), ("reset", "reset")])
def test_cut_after_octets(cut_at, how, closed):
    connected = threading.Event()
    with Upstream([Hold(connected), Send(b"+OK\r\n"), Send(b"+OK two\r\n")]) as server:
        server.cut_at, server.cut_how = cut_at, how
        with Client(server.port, greet=False) as client:
            connected.set()
            received = client.rest()
            assert client.closed == closed
        assert received == b"+OK\r\n+OK two\r\n"[:cut_at] or how == "reset"


def test_client_sees_reset_and_close():
    connected = threading.Event()
    with Upstream([Hold(connected), Send(b"+OK\r\n"), Reset()], [Send(b"+OK\r\n"), Close()]) as server:
        with Client(server.port, greet=False) as client:
            connected.set()  # a reset any sooner would fail the connect()
            client.rest()
            assert client.closed == "reset"
        with Client(server.port) as client:
            client.expect_closed("eof")


def test_client_tells_what_came_before_the_end():
    with Upstream([Send(b"+OK half"), Close()]) as server, Client(server.port, greet=False) as client:
        with pytest.raises(Closed) as closed:
            client.line()
    assert closed.value.received == b"+OK half"


def test_script_waits_for_the_test_and_pattern():
    event = threading.Event()
    with Upstream([Hold(event), Send(b"+OK\r\n", pace=0.001), Expect(re.compile(rb"RETR \d+"))]) as server:
        with Client(server.port, greet=False) as client:
            client.expect_silence(0.05)
            event.set()
            assert client.line() == b"+OK"
            client.send(b"RETR 12\r\n")
            server.wait_for_line(b"RETR 12")


def test_logfmt_is_parsed():
    assert parse_logfmt('ts=1 msg="a \\"b\\" c" event=x empty=') == {
        "ts": "1",
        "msg": 'a "b" c',
        "event": "x",
        "empty": "",
    }


def test_metrics_are_parsed():
    text = '# HELP a b\na_total{x="1",y="2"} 3\nb 1e3\n'
    assert parse_metrics(text) == {("a_total", frozenset({("x", "1"), ("y", "2")})): 3, ("b", frozenset()): 1000}
