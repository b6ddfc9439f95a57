"""Listeners: addresses, SNI, ALPN, the floor of TLS versions, and what a reload changes of them."""

import socket
import ssl

import pytest
from postern_testing.client import Client, eventually
from postern_testing.scripted import Store


def shown(port: int, context: ssl.SSLContext, name: str) -> tuple[bytes, str | None]:
    """The certificate and the protocol that a client gets."""
    raw = socket.create_connection(("127.0.0.1", port), 20)
    with context.wrap_socket(raw, server_hostname=name) as client:
        return client.getpeercert(binary_form=True), client.selected_alpn_protocol()


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def der(leaf) -> bytes:
    return ssl.PEM_cert_to_DER_cert(leaf.cert.read_text())


def certificates_of(*leaves) -> dict:
    rows = [{"cert": str(leaf.cert), "key": str(leaf.key)} for leaf in leaves]
    return {"profiles": {"default": {"certificates": rows}}}


def test_listener_may_have_addresses_of_both_families(gateway, upstream):
    bind = ["127.0.0.1:0", "[::1]:0"]
    listener = {"name": "both", "bind": bind, "tls": "none", "require_tls_for_auth": False}
    running = gateway(upstream(Store()), listeners=[listener])
    addresses = [entry["address"] for entry in running.events("listening", listener="both")]
    assert len(addresses) == 2
    for address in addresses:
        host, _, port = address.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), 20) as client:
            client.sendall(b"USER joe\r\nPASS secret\r\nQUIT\r\n")
            answers = b""
            while octets := client.recv(4096):
                answers += octets
            assert answers.count(b"+OK") == 4, answers
    for client in ("127.0.0.1", "::1"):
        running.wait_for_event("session_end", reason="quit", client=client)


def test_certificate_is_chosen_by_name(gateway, upstream, certificates):
    running = gateway(upstream(Store()), tls=certificates_of(certificates.ecdsa, certificates.other_name))
    port = running.ports["pop3s"]
    assert shown(port, unverified(), "elsewhere.example.org")[0] == der(certificates.other_name)
    assert shown(port, unverified(), "pop.example.net")[0] == der(certificates.ecdsa)
    assert shown(port, unverified(), "nobody.example.com")[0] == der(certificates.ecdsa), "the first one is the default"


def test_alpn_is_pop3_or_nothing(gateway, upstream):
    running = gateway(upstream(Store()))
    port = running.ports["pop3s"]
    context = unverified()
    context.set_alpn_protocols(["http/1.1", "pop3"])
    assert shown(port, context, "localhost")[1] == "pop3"
    assert shown(port, unverified(), "localhost")[1] is None
    context = unverified()
    context.set_alpn_protocols(["http/1.1", "h2"])
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        shown(port, context, "localhost")


def test_version_below_the_floor_is_refused(gateway, upstream, certificates):
    tls = certificates_of(certificates.ecdsa)
    tls["profiles"]["default"]["min_version"] = "TLS1.3"
    running = gateway(upstream(Store()), tls=tls)
    context = unverified()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        shown(running.ports["pop3s"], context, "localhost")
    assert shown(running.ports["pop3s"], unverified(), "localhost")[0] == der(certificates.ecdsa)


def test_reload_opens_and_closes_listeners(gateway, upstream, connect):
    running = gateway(upstream(Store([b"Subject: a\r\n\r\n"])))
    before = connect(running)
    before.login()
    late = {"name": "late", "bind": "127.0.0.1:0", "tls": "none", "require_tls_for_auth": False}
    running.config["listeners"] = [row for row in running.config["listeners"] if row["name"] != "plain"] + [late]
    running.reload(running.config)
    port = int(running.wait_for_event("listening", listener="late")["address"].rpartition(":")[2])
    with Client(port) as client:
        assert client.login().startswith(b"+OK")

    def is_closed() -> bool:
        try:
            socket.create_connection(("127.0.0.1", running.ports["plain"]), 20).close()
            return False
        except ConnectionRefusedError:
            return True

    eventually(is_closed, "the listener that is gone")
    assert before.command("STAT") == b"+OK 1 14", "its sessions stay"


def test_reload_changes_who_may_look_and_tells_what_needs_a_restart(gateway, upstream):
    running = gateway(upstream(Store()))
    assert running.get("/healthz")[0] == 200
    running.config["admin"]["allow_from"] = ["192.0.2.0/24"]
    running.config["log"]["format"] = "json"
    running.reload(running.config)
    running.wait_for_event("config_reload", result="ok")
    assert running.events("config_reload", level="warn"), "log.format stays as it is, and the log says so"
    assert running.get("/healthz")[0] == 403


def test_idle_client_is_closed_and_nothing_removed(gateway, upstream, connect):
    store = Store([b"Subject: a\r\n\r\n"])
    running = gateway(upstream(store), limits={"idle_timeout": "10s"})
    client = connect(running)
    client.login()
    assert client.command("DELE 1").startswith(b"+OK")
    client.expect_closed("eof")
    assert running.wait_for_event("session_end")["reason"] == "idle_timeout"
    assert store.committed == []
