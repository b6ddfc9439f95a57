"""Backends that speak IMAP, before the real program: servers that refuse, break off and lag, and what is seen of it."""

import base64
import os
import stat
import threading

import pytest
import yaml

from postern_testing.client import Client, eventually
from postern_testing.gateway import check, configuration, imap_backend
from postern_testing.imap_server import ImapStore
from postern_testing.scripted import Close, Hold, Reset, Send, Silence, Upstream

MESSAGE = b"Subject: one\r\n\r\nhello\r\n.\r\nthere\r\n"
WIRE = b"Subject: one\r\n\r\nhello\r\n..\r\nthere\r\n"
LIST = "UID FETCH 1:* (UID RFC822.SIZE)"
BODY = "UID FETCH 1 (UID BODY.PEEK[])"
STORE = r"UID STORE 1 +FLAGS.SILENT (\Deleted)"
HALF = b"* 1 FETCH (UID 1 BODY[] {1000}\r\nSubject: one\r\n\r\nhalf\r\n"  # and where is the rest?


@pytest.fixture
def before(gateway):
    """before(server, ..., imap={...}, section={...}): a gateway in front of these servers, which speak IMAP."""

    def start(*servers: Upstream, leg: dict | None = None, **options):
        return gateway(imap_backend(*(server.port for server in servers), **(leg or {})), **options)

    return start


@pytest.fixture
def logged_in(connect):
    def log_in(running, listener: str = "plain") -> Client:
        client = connect(running, listener)
        answer = client.login()
        assert answer.startswith(b"+OK"), answer
        return client

    return log_in


def log_out(client: Client) -> None:
    assert client.command("QUIT").startswith(b"+OK")
    client.expect_closed()


# The configuration


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"protocol": "pop3", "imap": {"mark_seen": "never"}}, "backends[].imap"),
        ({"eol": "exact"}, "backends[].eol"),
        ({"imap": {"uidl": "%{uidvalidity}"}}, "backends[].imap.uidl"),
        ({"imap": {"sizes": "guess"}}, "expected trust, learn or exact"),
    ],
)
def test_mistakes_about_imap_are_told(tmp_path, certificates, change, complaint):
    leaf = certificates.ecdsa
    config = configuration([imap_backend(143)], tmp_path)
    config["tls"]["profiles"]["default"]["certificates"] = [{"cert": str(leaf.cert), "key": str(leaf.key)}]
    file = tmp_path / "postern.yaml"
    file.write_text(yaml.safe_dump(config))
    assert check(file) == (0, "")
    config["backends"][0].update(change)
    file.write_text(yaml.safe_dump(config))
    status, said = check(file)
    assert status == 78 and complaint in said


# Logins


@pytest.mark.parametrize(
    "said, heard, result, reason",
    [
        (b"$TAG NO [AUTHENTICATIONFAILED] no\r\n", b"-ERR [AUTH] ", "auth_failed", "auth_refused"),
        (b"$TAG NO [EXPIRED] no\r\n", b"-ERR [AUTH] ", "auth_failed", "auth_refused"),
        (b"$TAG NO no\r\n", b"-ERR [AUTH] ", "auth_failed", "auth_refused"),
        (b"$TAG NO My database is away\r\n", b"-ERR [SYS/TEMP] ", "temp", "auth_unavailable"),
        (b"$TAG NO [UNAVAILABLE] no\r\n", b"-ERR [SYS/TEMP] ", "temp", "auth_unavailable"),
        (b"$TAG NO [SERVERBUG] no\r\n", b"-ERR [SYS/TEMP] ", "temp", "auth_unavailable"),
        (b"$TAG NO [INUSE] no\r\n", b"-ERR [IN-USE] ", "in_use", "in_use"),
        (b"$TAG NO [LIMIT] no\r\n", b"-ERR [IN-USE] ", "in_use", "backend_limit"),
        (b"$TAG NO [CONTACTADMIN] no\r\n", b"-ERR [SYS/PERM] ", "temp", "backend_policy"),
        (b"$TAG NO [PRIVACYREQUIRED] no\r\n", b"-ERR [SYS/PERM] ", "temp", "backend_policy"),
        (b"$TAG BAD what?\r\n", b"-ERR [SYS/TEMP] ", "protocol", "backend_protocol"),
        (b"* BYE not today\r\n", b"-ERR [SYS/TEMP] ", "unavailable", "backend_lost"),
        ([Close()], b"-ERR [SYS/TEMP] ", "unavailable", "backend_lost"),
        ([Silence()], b"-ERR [SYS/TEMP] ", "timeout", "backend_timeout"),
    ],
)
def test_refused_logins(before, upstream, connect, said, heard, result, reason):
    store = ImapStore([MESSAGE], instead={"AUTHENTICATE": said, "LOGIN": said})
    leg = {"login_timeout": "300ms", "imap": {"not_credentials": ["database is away"]}}
    running = before(upstream(store), leg=leg)
    client = connect(running)
    assert client.login().startswith(heard)
    assert running.metric("postern_backend_logins_total", backend="store", result=result) == 1
    assert running.metric("postern_auth_attempts_total", listener="plain", result=result) == 1
    line = running.wait_for_event("login_failed")
    assert line["reason"] == reason and line["user"] == "joe"
    assert store.count("SELECT") == 0


@pytest.mark.parametrize(
    "command, said, reason",
    [
        ("SELECT", b"$TAG NO Internal error\r\n", "mailbox"),
        ("SELECT", b"$TAG BAD User is authenticated but not connected.\r\n", "mailbox"),
        ("SELECT", b"$TAG NO [UNAVAILABLE] later\r\n", "auth_unavailable"),
        (LIST, [Send(b"* 1 FETCH (UID 1 RFC822.SIZE 10)\r\n"), Close()], "backend_lost"),
        (LIST, b"$TAG NO cannot\r\n", "mailbox"),
        (LIST, b"(((((\r\n", "backend_protocol"),
    ],
)
def test_mailbox_that_cannot_be_listed_is_not_empty(before, upstream, connect, command, said, reason):
    running = before(upstream(ImapStore([MESSAGE] * 3, instead={command: said})))
    client = connect(running)
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
    assert running.wait_for_event("login_failed")["reason"] == reason


@pytest.mark.parametrize("shown", [("plain", "LOGIN"), ("sasl", "AUTHENTICATE")])
def test_password_goes_by_what_the_server_offers(before, upstream, connect, shown):
    way, command = shown
    capabilities = ("IMAP4rev1", "SASL-IR", "AUTH=PLAIN") if way == "sasl" else ("IMAP4rev1",)
    store = ImapStore([MESSAGE], capabilities=capabilities)
    server = upstream(store)
    client = connect(before(server))
    assert client.login("joe", 'q"uo\\te').startswith(b"+OK")
    assert server.credentials == [("joe", 'q"uo\\te')] and store.count(command) == 1


def test_server_that_greets_with_preauth_gets_nothing(before, upstream, connect):
    first = upstream([Send(b"* PREAUTH welcome\r\n"), Silence()])
    second = upstream([Send(b"* PREAUTH welcome\r\n"), Silence()])
    running = before(first, second)
    assert connect(running).login().startswith(b"-ERR [SYS/TEMP]")
    assert first.lines() + second.lines() == []
    assert first.connections + second.connections == 1
    assert running.wait_for_event("login_failed")["reason"] == "backend_protocol"


# TLS towards servers


def tls_leg(certificates, mode: str) -> dict:
    return {"tls": {"mode": mode, "ca_file": str(certificates.ca.cert), "server_name": "pop.example.net"}}


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_server_is_spoken_to_under_tls(before, upstream, logged_in, certificates, mode):
    context = certificates.ecdsa.server_context()
    if mode == "implicit":
        server = upstream(ImapStore([MESSAGE]), tls=context)
    else:
        server = upstream(ImapStore([MESSAGE], capabilities=("IMAP4rev1", "STARTTLS"), starttls=context))
    client = logged_in(before(server, leg=tls_leg(certificates, mode)), "pop3s")
    assert client.command_multi("RETR 1")[1] == WIRE


@pytest.mark.parametrize("injected", [b"* CAPABILITY IMAP4rev1\r\n", b"* OK hello\r\n", b"\x16"])
def test_octets_behind_starttls_are_an_attack(before, upstream, connect, certificates, injected):
    tag = b"$TAG OK begin\r\n"
    store = ImapStore(capabilities=("IMAP4rev1", "STARTTLS", "AUTH=PLAIN"), instead={"STARTTLS": tag + injected})
    server = upstream(store)
    running = before(server, leg=tls_leg(certificates, "starttls"))
    assert connect(running).login().startswith(b"-ERR [SYS/TEMP]")
    assert server.credentials == [] and store.names()[-1] == "STARTTLS"
    assert running.wait_for_event("login_failed")["reason"] == "backend_tls"


@pytest.mark.parametrize("answer", [b"$TAG NO not now\r\n", b"$TAG BAD what\r\n", b"* OK [CAPABILITY IMAP4rev1]\r\n"])
def test_server_without_starttls_gets_no_password(before, upstream, connect, certificates, answer):
    store = ImapStore(instead={"STARTTLS": answer})
    server = upstream(store)
    running = before(server, leg={**tls_leg(certificates, "starttls"), "greeting_timeout": "300ms"})
    assert connect(running).login().startswith(b"-ERR [SYS/TEMP]")
    assert server.credentials == []
    assert running.wait_for_event("login_failed")["reason"] == "backend_tls"


# Secrets


def test_neither_passwords_nor_mail_are_logged(before, upstream, connect):
    message = b"Subject: innermost\r\n\r\nThoughts\r\n"
    response = base64.b64encode(b"\0joe\0hunter2").decode()
    secrets = ("hunter2", response, "innermost", "Thoughts")
    refusal = f"NO hunter2 is not your password, and {response} is not either"
    server = upstream(ImapStore([message] * 2, users={"joe": "secret"}, login_refusal=refusal))
    running = before(server, secrets=secrets, log={"level": "debug"})
    client = connect(running)
    assert client.login("joe", "hunter2").startswith(b"-ERR [AUTH]")
    assert b"hunter2" not in client.auth_plain("joe", "hunter2")
    assert client.login("joe", "secret").startswith(b"+OK")
    for command in ("RETR 1", "TOP 2 1"):
        assert client.command_multi(command)[1] == message
    log_out(client)
    running.wait_for_event("session_end")


# Messages


@pytest.mark.parametrize("listener", ["plain", "pop3s"])
@pytest.mark.parametrize("end", [Close(), Reset()], ids=["close", "reset"])
def test_broken_message_has_no_terminator(before, upstream, logged_in, listener, end):
    running = before(upstream(ImapStore([MESSAGE], instead={BODY: [Send(HALF), end]})))
    client = logged_in(running, listener)
    client.send(b"RETR 1\r\n")
    assert client.line().startswith(b"+OK")
    assert b"Subject: one\r\n\r\nhalf\r\n".startswith(client.rest())
    assert client.closed == ("reset" if listener == "plain" else "ragged")
    assert running.wait_for_event("session_end")["reason"] == "backend_lost"
    assert running.metric("postern_messages_truncated_total", backend="store") == 1
    assert running.metric("postern_messages_total", backend="store", op="retr") == 0


@pytest.mark.parametrize("tail", [b"", b")", b" FLAGS (\\Seen", b" UID 2)\r\n$TAG OK done\r\n"])
def test_message_is_over_when_its_response_is(before, upstream, logged_in, tail):
    """All octets of the literal, and then not the end that belongs there."""
    said = b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s" % (len(MESSAGE), MESSAGE)
    running = before(upstream(ImapStore([MESSAGE], instead={BODY: [Send(said + tail), Close()]})))
    client = logged_in(running)
    client.send(b"RETR 1\r\n")
    assert not client.rest().endswith(b"\r\n.\r\n")
    assert running.metric("postern_messages_truncated_total", backend="store") == 1


def test_connection_that_is_lost_between_commands_is_made_again(before, upstream, logged_in):
    store = ImapStore([MESSAGE, MESSAGE])
    server = upstream(store)
    running = before(server)
    client = logged_in(running)
    server.peers[0].close()
    assert client.command_multi("RETR 1")[1] == WIRE
    assert client.command("DELE 2").startswith(b"+OK")
    log_out(client)
    assert store.removed() == [2]
    assert running.metric("postern_backend_reconnects_total", backend="store") == 1


def test_other_uidvalidity_ends_the_session(before, upstream, logged_in):
    store = ImapStore([MESSAGE, MESSAGE])
    server = upstream(store)
    running = before(server)
    client = logged_in(running)
    store.inbox.uidvalidity = 7
    server.peers[0].close()
    assert client.command("DELE 1").startswith(b"+OK")
    assert client.command("RETR 2").startswith(b"-ERR [SYS/TEMP]")
    client.expect_closed()
    running.wait_for_event("session_end", reason="backend_protocol")
    assert store.removed() == [] and store.inbox.flags(1) == set()


# The end


@pytest.mark.parametrize("listener", ["plain", "pop3s"])
def test_quit_is_finished_though_the_client_is_gone(before, upstream, logged_in, listener):
    gone = threading.Event()
    store = ImapStore([MESSAGE, MESSAGE], ahead={STORE: [Hold(gone)]})
    running = before(upstream(store))
    client = logged_in(running, listener)
    client.send(b"DELE 1\r\nQUIT\r\n")
    store.wait_for(STORE)
    client.reset()
    gone.set()
    store.wait_for_removed(1)
    line = running.wait_for_event("session_end")
    assert (line["phase"], line["dele"]) == ("update", "1")
    assert running.metric("postern_messages_total", backend="store", op="dele") == 1


@pytest.mark.parametrize("leave", [Client.reset, Client.close], ids=["reset", "close"])
def test_client_that_leaves_without_quit_removes_nothing(before, upstream, logged_in, leave):
    store = ImapStore([MESSAGE])
    server = upstream(store)
    running = before(server)
    client = logged_in(running)
    assert client.command("DELE 1").startswith(b"+OK")
    leave(client)
    assert running.wait_for_event("session_end")["phase"] == "transaction"
    server.wait_until_left()
    assert store.removed() == [] and store.count("UID STORE") == 0


def test_refused_removal_is_told(before, upstream, logged_in):
    running = before(upstream(ImapStore([MESSAGE], instead={"UID EXPUNGE": b"$TAG NO I keep it\r\n"})))
    client = logged_in(running)
    assert client.command("DELE 1").startswith(b"+OK")
    assert client.command("QUIT").startswith(b"-ERR some deleted messages not removed")
    client.expect_closed()
    assert running.wait_for_event("update_failed")["marked"] == "1"
    assert running.wait_for_event("session_end")["reason"] == "update_failed"


# Reload and drain


def test_reload_leaves_sessions_where_they_are(before, upstream, logged_in):
    old, new = ImapStore([MESSAGE]), ImapStore([MESSAGE, MESSAGE])
    first, second = upstream(old), upstream(new)
    running = before(first)
    client = logged_in(running)
    running.config["backends"] = [imap_backend(second.port, imap={"mark_seen": "never"})]
    assert running.reload(running.config)["result"] == "ok"
    assert client.command_multi("RETR 1")[1] == WIRE
    later = logged_in(running)
    assert later.command("STAT").startswith(b"+OK 2 ")
    assert client.command("DELE 1").startswith(b"+OK")
    assert client.command("QUIT").startswith(b"+OK")
    assert old.removed() == [1] and new.removed() == []


def test_drain_lets_a_message_finish_and_ends_who_is_idle(before, upstream, logged_in):
    finish = threading.Event()
    begin = b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s" % (len(MESSAGE), MESSAGE[:20])
    end = MESSAGE[20:] + b")\r\n$TAG OK done\r\n"
    store = ImapStore([MESSAGE])
    store.once(BODY, [Send(begin), Hold(finish), Send(end)])
    running = before(upstream(store), runtime={"drain_timeout": "1s"})
    fetching, idle = logged_in(running, "pop3s"), logged_in(running)
    assert idle.command("DELE 1").startswith(b"+OK")
    fetching.send(b"RETR 1\r\n")
    assert fetching.line().startswith(b"+OK")
    running.terminate()
    running.wait_for_event("drain")
    finish.set()
    assert fetching.multi() == WIRE
    assert fetching.command("QUIT").startswith(b"+OK")
    assert idle.rest().startswith(b"-ERR [SYS/TEMP]")
    assert running.wait() == 0
    assert store.removed() == []


def test_update_survives_the_end_of_the_drain(before, upstream, logged_in):
    finish = threading.Event()
    store = ImapStore([MESSAGE], ahead={STORE: [Hold(finish)]})
    running = before(upstream(store), runtime={"drain_timeout": "0s"})
    client = logged_in(running)
    client.send(b"DELE 1\r\nQUIT\r\n")
    store.wait_for(STORE)
    running.terminate()
    running.wait_for_event("drain")
    with pytest.raises(AssertionError, match="has not ended"):
        running.wait(1)
    finish.set()
    assert running.wait() == 0
    assert store.removed() == [1]


# What is remembered


def test_file_of_the_store_is_for_the_gateway_alone(before, upstream, logged_in, tmp_path):
    file = tmp_path / "state" / "store.db"
    file.parent.mkdir()
    store = ImapStore([MESSAGE])
    umask = os.umask(0)  # the gateway inherits it
    try:
        running = before(upstream(store), store={"file": str(file)})
    finally:
        os.umask(umask)
    log_out(logged_in(running))
    eventually(lambda: running.metric("postern_store_writes_total") == 1, "the file is written")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes["store.db"] == 0o600 and set(modes.values()) == {0o600}


def test_list_of_messages_outlives_the_process(gateway, upstream, connect, tmp_path):
    store = ImapStore([MESSAGE])
    leg = imap_backend(upstream(store).port)
    for process in (1, 2):
        running = gateway(leg, store={"file": str(tmp_path / "store.db")})
        client = connect(running)
        assert client.login().startswith(b"+OK")
        assert client.command_multi("LIST")[1] == b"1 %d\r\n" % len(MESSAGE)
        log_out(client)
        running.terminate()
        assert running.wait() == 0
    assert store.count(LIST) == 1


def test_metrics_tell_how_lists_were_had(before, upstream, logged_in):
    store = ImapStore([MESSAGE])
    running = before(upstream(store))
    assert running.metric("postern_snapshots_total", backend="store") == 0
    for name in ("uidvalidity_changes", "message_sizes_unknown", "message_size_mismatches", "backend_reconnects"):
        assert running.metric(f"postern_{name}_total", backend="store") == 0
    log_out(logged_in(running))
    log_out(logged_in(running))
    store.deliver(MESSAGE)
    log_out(logged_in(running))
    for result in ("full", "unchanged", "updated"):
        assert running.metric("postern_snapshots_total", backend="store", result=result) == 1
    assert store.count(LIST) == 1
    assert running.metric("postern_store_loads_total", result="memory") == 2
