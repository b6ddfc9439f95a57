"""TLS on both legs: STLS and its injections, wrong protocols, certificates of servers that are not to be trusted."""

import socket
import ssl
import time
from datetime import datetime, timedelta, timezone

import pytest

from postern_testing.client import Client, eventually
from postern_testing.scripted import Send, Silence, Store

# Towards clients


@pytest.mark.parametrize(
    "octets",
    [
        b"STLS\r\nCAPA\r\n",
        b"STLS\r\nUSER joe\r\nPASS secret\r\n",
        b"STLS\r\n\x16\x03\x01\x02\x00\x01",
        b"STLS\nCAPA\n",
        b"STLS\r\n\r\n",
    ],
)
def test_octets_behind_stls_end_the_connection(gateway, upstream, connect, octets):
    server = upstream(Store())
    client = connect(gateway(server), "pop3")
    client.send(octets)
    client.expect_closed()
    assert server.connections == 0


def test_stls_gives_a_session_under_tls(gateway, upstream, connect, certificates):
    client = connect(gateway(upstream(Store())), "pop3")
    client.stls(certificates.client_context())
    assert client.login().startswith(b"+OK")
    assert client.command("QUIT").startswith(b"+OK")
    client.expect_closed("eof")


def test_stls_forgets_what_was_said_before(gateway, upstream, connect, certificates):
    client = connect(gateway(upstream(Store())), "pop3")
    client.command("USER joe")
    client.stls(certificates.client_context())
    assert client.command("PASS secret").startswith(b"-ERR")


@pytest.mark.parametrize("listener", ["pop3s", "plain"])
def test_stls_is_refused_where_it_makes_no_sense(gateway, upstream, connect, listener):
    client = connect(gateway(upstream(Store())), listener)
    assert client.command("STLS").startswith(b"-ERR")
    assert client.command("CAPA").startswith(b"+OK")


def test_stls_is_refused_under_stls(gateway, upstream, connect, certificates):
    client = connect(gateway(upstream(Store())), "pop3")
    client.stls(certificates.client_context())
    assert client.command("STLS").startswith(b"-ERR")


@pytest.mark.parametrize("octets", [b"CAPA\r\n", b"\x16\x03\x01\x00\x05hello", b"\x15\x03\x01\x00\x02\x02\x28"])
def test_failed_handshake_ends_the_connection(gateway, upstream, connect, octets):
    running = gateway(upstream(Store()))
    client = connect(running, "pop3")
    assert client.command("STLS").startswith(b"+OK")
    client.send(octets)
    assert b"+OK" not in client.rest() and b"-ERR" not in client.rest()
    assert running.wait_for_event("session_end")["reason"] == "client_tls"
    assert running.metric("postern_tls_handshakes_total", listener="pop3", result="failed") == 1


@pytest.mark.parametrize(
    "octets",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"EHLO x\r\n", b"\x16\x03\x01\x02\x00\x01\x00"],
)
@pytest.mark.parametrize("listener", ["pop3", "plain"])
def test_wrong_protocol_is_closed_at_once(gateway, upstream, connect, listener, octets):
    running = gateway(upstream(Store()))
    client = connect(running, listener)
    client.send(octets)
    client.expect_closed()
    running.wait_for_metric(1, "postern_listener_rejected_total", listener=listener, reason="wrong_protocol")


@pytest.mark.parametrize("octets", [b"USER joe\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100])
def test_plaintext_on_the_tls_port_is_closed(gateway, upstream, octets):
    running = gateway(upstream(Store()))
    with Client(running.ports["pop3s"], greet=False) as client:
        client.send(octets)
        assert b"+OK" not in client.rest()
    running.wait_for_metric(1, "postern_listener_rejected_total", listener="pop3s", reason="client_tls")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_current_versions_are_spoken(gateway, upstream, certificates, version):
    running = gateway(upstream(Store()))
    context = certificates.client_context()
    context.minimum_version = context.maximum_version = version
    with Client(running.ports["pop3s"], context) as client:
        assert client.login().startswith(b"+OK")
        assert client.command("QUIT").startswith(b"+OK")
        client.expect_closed("eof")
    expected = "TLSv1.2" if version == ssl.TLSVersion.TLSv1_2 else "TLSv1.3"
    running.wait_for_metric(1, "postern_tls_handshakes_total", listener="pop3s", version=expected, result="ok")


def test_session_is_resumed(gateway, upstream, certificates):
    running = gateway(upstream(Store()), runtime={"threads": 1})
    context = certificates.client_context()
    with Client(running.ports["pop3s"], context) as client:
        client.command("CAPA")  # the ticket comes with the first octets
        client.multi()
        session = client.socket.session
    raw = socket.create_connection(("127.0.0.1", running.ports["pop3s"]), 20)
    with context.wrap_socket(raw, server_hostname="localhost", session=session) as second:
        assert second.session_reused
        assert second.recv(3) == b"+OK"


def test_certificate_is_chosen_by_what_the_client_takes(gateway, upstream, certificates):
    leaves = [{"cert": str(leaf.cert), "key": str(leaf.key)} for leaf in (certificates.ecdsa, certificates.rsa)]
    running = gateway(upstream(Store()), tls={"profiles": {"default": {"certificates": leaves}}})
    for ciphers in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"):
        context = certificates.client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
        with Client(running.ports["pop3s"], context) as client:
            assert client.socket.cipher()[0] == ciphers


# Towards servers


def tls(certificates, mode: str, **changes) -> dict:
    return {"mode": mode, "ca_file": str(certificates.ca.cert), "server_name": "localhost", **changes}


@pytest.fixture
def store_with(upstream):
    """A server that speaks TLS with this leaf, from the start or by STLS."""

    def start(leaf, mode: str):
        context = leaf.server_context()
        return upstream(Store(), tls=context) if mode == "implicit" else upstream(Store(stls=context))

    return start


BOTH = pytest.mark.parametrize("mode", ["implicit", "starttls"])


@BOTH
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_good_certificate_is_taken(gateway, connect, backend_with, store_with, certificates, mode, kind):
    server = store_with(getattr(certificates, kind), mode)
    client = connect(gateway(backend_with(server, tls=tls(certificates, mode))))
    assert client.login().startswith(b"+OK")
    assert client.command("NOOP").startswith(b"+OK")
    assert server.credentials == [("joe", "secret")]


@BOTH
def test_certificate_may_name_the_address(gateway, connect, backend_with, store_with, certificates, mode):
    server = store_with(certificates.ecdsa, mode)
    settings = {"mode": mode, "ca_file": str(certificates.ca.cert)}
    client = connect(gateway(backend_with(server, tls=settings)))
    assert client.login().startswith(b"+OK")


@BOTH
@pytest.mark.parametrize("kind", ["expired", "untrusted", "other_name"])
def test_bad_certificate_gets_no_password(gateway, connect, backend_with, store_with, certificates, mode, kind):
    server = store_with(getattr(certificates, kind), mode)
    running = gateway(backend_with(server, tls=tls(certificates, mode)))
    client = connect(running)
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
    assert server.credentials == []
    assert running.metric("postern_backend_connections_total", backend="store", result="backend_tls") >= 1


def test_certificate_expires_while_the_gateway_runs(gateway, connect, backend_with, upstream, certificates):
    """Whoever is logged in stays so; nobody's password is sent to that server any more, until it has a new one."""
    end = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=10)
    context = certificates.until(end).server_context()
    server = upstream(Store(), tls=context)
    running = gateway(backend_with(server, tls=tls(certificates, "implicit")))
    early = connect(running)
    assert early.login().startswith(b"+OK")
    assert datetime.now(timezone.utc) < end
    time.sleep((end - datetime.now(timezone.utc)).total_seconds() + 1.1)
    assert early.command("NOOP").startswith(b"+OK")
    assert connect(running).login().startswith(b"-ERR [SYS/TEMP]")
    assert len(server.credentials) == 1
    assert "certificate has expired" in running.wait_for_event("backend_error", reason="backend_tls")["detail"]
    context.load_cert_chain(*certificates.ecdsa.pair)  # the key is another one, too
    eventually(lambda: connect(running).login().startswith(b"+OK"), "a login to the server with the new certificate")


@BOTH
def test_pinned_key_is_taken_and_another_refused(gateway, connect, backend_with, store_with, certificates, mode):
    server = store_with(certificates.ecdsa, mode)
    pins = {"right": certificates.ecdsa.pin(), "wrong": certificates.rsa.pin()}
    backends = [
        backend_with(server, name=name, tls=tls(certificates, mode, pins_sha256=[pin])) for name, pin in pins.items()
    ]
    routes = [{"match": {"user": "ann"}, "backend": "wrong"}, {"match": "any", "backend": "right"}]
    running = gateway(*backends, routes=routes)
    assert connect(running).login("ann").startswith(b"-ERR [SYS/TEMP]")
    assert connect(running).login("joe").startswith(b"+OK")
    assert server.credentials == [("joe", "secret")]


@BOTH
def test_unverified_server_is_taken_where_the_operator_says_so(
    gateway, connect, backend_with, store_with, certificates, mode
):
    server = store_with(certificates.untrusted, mode)
    client = connect(gateway(backend_with(server, tls={"mode": mode, "verify": "none"})))
    assert client.login().startswith(b"+OK")


@pytest.mark.parametrize("injected", [b"+OK injected\r\n", b"-ERR [AUTH] x\r\n", b"x"])
def test_octets_behind_the_answer_to_stls_end_the_attempt(
    gateway, upstream, connect, backend_with, certificates, injected
):
    store = Store(stls=certificates.ecdsa.server_context(), answers={"STLS": b"+OK begin\r\n" + injected})
    server = upstream(store)
    client = connect(gateway(backend_with(server, tls=tls(certificates, "starttls"))))
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
    assert server.credentials == []


@pytest.mark.parametrize("answers", [{}, {"STLS": b"-ERR no\r\n"}, {"STLS": b"nonsense\r\n"}])
def test_server_without_stls_gets_no_password(gateway, upstream, connect, backend_with, certificates, answers):
    server = upstream(Store(answers=answers, stls=certificates.ecdsa.server_context() if answers else None))
    client = connect(gateway(backend_with(server, tls=tls(certificates, "starttls"))))
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
    assert server.credentials == []


def test_capabilities_from_before_tls_are_forgotten(gateway, upstream, connect, backend_with, certificates):
    """An attacker who announces RESP-CODES in plaintext must not decide what a refusal under TLS means."""
    context = certificates.ecdsa.server_context()
    store = Store(stls=context, capabilities=("USER", "TOP", "UIDL"), answers={"PASS": b"-ERR [SYS/TEMP] x\r\n"})
    lie = b"+OK\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nSTLS\r\n.\r\n"

    def capa(peer):
        truth = b"+OK\r\nUSER\r\nTOP\r\nUIDL\r\n.\r\n"
        peer.send(lie if not isinstance(peer.socket, ssl.SSLSocket) else truth)

    store.answers["CAPA"] = capa
    client = connect(gateway(backend_with(upstream(store), tls=tls(certificates, "starttls"))))
    assert client.login().startswith(b"-ERR [AUTH]")


@pytest.mark.parametrize("mode", ["implicit", "starttls"])
def test_server_that_speaks_no_tls_is_not_used(gateway, upstream, connect, backend_with, certificates, mode):
    script = [Send(b"+OK ready\r\n"), Silence()]
    server = upstream(script)
    client = connect(gateway(backend_with(server, tls=tls(certificates, mode), greeting_timeout="500ms")))
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
