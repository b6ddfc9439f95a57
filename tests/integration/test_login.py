"""AUTHORIZATION: what is offered, which logins reach the server, and what the client hears of the server's answer."""

import base64
import threading
import time

import pytest

from postern_testing.client import eventually
from postern_testing.scripted import Hold, Login, Peer, Send, Silence, Store

COMMON = {"TOP", "UIDL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE"}


def capabilities(client) -> set[str]:
    status, lines = client.command_multi("CAPA")
    assert status.startswith(b"+OK")
    return set(lines.decode().splitlines())


def without_implementation(offered: set[str]) -> set[str]:
    return {line for line in offered if not line.startswith("IMPLEMENTATION postern")}


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


# What is offered


def test_plaintext_listener_offers_stls_and_no_login(gateway, upstream, connect):
    client = connect(gateway(upstream(Store())), "pop3")
    offered = capabilities(client)
    assert without_implementation(offered) == COMMON | {"STLS"}
    assert len(offered) == len(COMMON) + 2


def test_login_is_offered_under_tls(gateway, upstream, connect, certificates):
    client = connect(gateway(upstream(Store())), "pop3")
    client.stls(certificates.client_context())
    assert without_implementation(capabilities(client)) == COMMON | {"USER", "SASL PLAIN LOGIN"}


def test_implicit_tls_offers_login(gateway, upstream, connect):
    client = connect(gateway(upstream(Store())), "pop3s")
    assert without_implementation(capabilities(client)) == COMMON | {"USER", "SASL PLAIN LOGIN"}


def test_listener_without_tls_offers_login_where_it_was_allowed(gateway, upstream, connect):
    client = connect(gateway(upstream(Store())), "plain")
    assert without_implementation(capabilities(client)) == COMMON | {"USER", "SASL PLAIN LOGIN"}


def test_login_stays_offered_after_login(gateway, upstream, connect):
    client = connect(gateway(upstream(Store())))
    client.login()
    assert without_implementation(capabilities(client)) == COMMON | {"USER", "SASL PLAIN LOGIN"}


def test_what_the_server_lacks_is_not_offered_after_login(gateway, upstream, connect):
    client = connect(gateway(upstream(Store(capabilities=("USER", "UIDL", "XCLIENT", "UTF8 USER", "LANG")))))
    assert client.login().startswith(b"+OK")
    assert without_implementation(capabilities(client)) == (COMMON - {"TOP"}) | {"USER", "SASL PLAIN LOGIN"}


def test_greeting_has_no_apop_timestamp(gateway, upstream, connect):
    client = connect(gateway(upstream(Store())))
    assert client.greeting.startswith(b"+OK")
    assert b"<" not in client.greeting


@pytest.mark.parametrize("command", ["USER joe", "PASS secret", "AUTH PLAIN AGpvZQBzZWNyZXQ=", "AUTH LOGIN"])
def test_password_is_refused_in_plaintext(gateway, upstream, connect, command):
    server = upstream(Store())
    running = gateway(server)
    client = connect(running, "pop3")
    assert client.command(command).startswith(b"-ERR")
    assert server.connections == 0


@pytest.mark.parametrize("command", ["USER joe", "AUTH PLAIN AGpvZQBzZWNyZXQ="])
def test_refusal_in_plaintext_tells_to_use_tls(gateway, upstream, connect, command):
    client = connect(gateway(upstream(Store())), "pop3")
    assert client.command(command).startswith(b"-ERR [SYS/PERM]")


# Which logins reach the server


@pytest.mark.parametrize("known", [("USER", "SASL PLAIN"), ("USER",), None])
def test_user_and_pass_log_in(gateway, upstream, connect, known):
    server = upstream(Store(capabilities=known))
    client = connect(gateway(server))
    assert client.login("joe", "secret").startswith(b"+OK")
    assert server.credentials == [("joe", "secret")]


@pytest.mark.parametrize("known", [("USER", "SASL PLAIN"), ("USER",), None])
def test_auth_plain_logs_in(gateway, upstream, connect, known):
    server = upstream(Store(capabilities=known))
    client = connect(gateway(server))
    assert client.auth_plain("joe", "secret").startswith(b"+OK")
    assert server.credentials == [("joe", "secret")]


def test_auth_plain_without_initial_response(gateway, upstream, connect):
    server = upstream(Store())
    client = connect(gateway(server))
    assert client.command("AUTH PLAIN") == b"+ "
    assert client.command(encoded("\0joe\0secret")).startswith(b"+OK")
    assert server.credentials == [("joe", "secret")]


def test_auth_login_logs_in(gateway, upstream, connect):
    server = upstream(Store())
    client = connect(gateway(server))
    assert client.command("AUTH LOGIN").startswith(b"+ ")
    assert client.command(encoded("joe")).startswith(b"+ ")
    assert client.command(encoded("secret")).startswith(b"+OK")
    assert server.credentials == [("joe", "secret")]


def test_keywords_and_mechanisms_are_taken_in_any_case(gateway, upstream, connect):
    client = connect(gateway(upstream(Store())))
    assert client.command("auth plain " + encoded("\0joe\0secret")).startswith(b"+OK")


def test_authorization_identity_may_be_the_user_itself(gateway, upstream, connect):
    client = connect(gateway(upstream(Store())))
    assert client.auth_plain("joe", "secret", authzid="joe").startswith(b"+OK")


@pytest.mark.parametrize("password", [" lead", "trail ", "in ner", 'p"w\\x', "{5+}", "grün", "x" * 900, " "])
def test_password_arrives_as_it_was_given(gateway, upstream, connect, password):
    server = upstream(Store())
    client = connect(gateway(server))
    assert client.login("joe", password).startswith(b"+OK")
    assert server.credentials == [("joe", password.encode().decode("latin-1"))]


@pytest.mark.parametrize("password", ["trail ", "grün", "x" * 4096])
def test_sasl_password_arrives_as_it_was_given(gateway, upstream, connect, password):
    server = upstream(Store())
    client = connect(gateway(server))
    assert client.auth_plain("joe", password).startswith(b"+OK")
    assert server.credentials == [("joe", password.encode().decode("latin-1"))]


def test_trailing_spaces_of_a_user_are_dropped(gateway, upstream, connect):
    server = upstream(Store())
    client = connect(gateway(server))
    assert client.login("joe@example.net  ", "secret").startswith(b"+OK")
    assert server.credentials == [("joe@example.net", "secret")]


@pytest.mark.parametrize(
    "response",
    [
        "\0joe\0a\r\nDELE 1",
        "\0joe\0a\nb",
        "\0jo\re\0a",
        "\0joe\0a\0b",
        "\0" + "u" * 513 + "\0a",
        "\0joe\0" + "p" * 4097,
        "\0\0secret",
    ],
    ids=["crlf", "lf", "cr-in-user", "nul", "long-user", "long-password", "no-user"],
)
def test_credentials_that_nobody_can_have_are_not_sent_on(gateway, upstream, connect, response):
    server = upstream(Store())
    client = connect(gateway(server))
    assert client.command("AUTH PLAIN " + encoded(response)).startswith(b"-ERR")
    assert server.connections == 0


def test_authorization_as_another_user_is_refused(gateway, upstream, connect):
    server = upstream(Store())
    client = connect(gateway(server))
    assert client.auth_plain("joe", "secret", authzid="ann").startswith(b"-ERR [AUTH]")
    assert server.connections == 0


@pytest.mark.parametrize(
    "command",
    [
        "AUTH PLAIN =",
        "AUTH PLAIN =AAA",
        "AUTH PLAIN AHUA!",
        "AUTH PLAIN AHU",
        "AUTH PLAIN AHUA AHUA",
        "AUTH KERBEROS_V4",
    ],
)
def test_malformed_sasl_is_no_wrong_password(gateway, upstream, connect, command):
    server = upstream(Store())
    client = connect(gateway(server))
    answer = client.command(command)
    assert answer.startswith(b"-ERR ") and not answer.startswith(b"-ERR [")
    assert server.connections == 0


def test_cancelled_sasl_is_forgotten(gateway, upstream, connect):
    client = connect(gateway(upstream(Store())))
    assert client.command("AUTH PLAIN") == b"+ "
    answer = client.command("*")
    assert answer.startswith(b"-ERR") and b"[" not in answer
    assert client.login().startswith(b"+OK")


@pytest.mark.parametrize(
    "command",
    ["STAT", "LIST", "RETR 1", "DELE 1", "NOOP", "RSET", "UIDL", "TOP 1 0", "APOP joe x", "XTND", "PASS secret"],
)
def test_commands_out_of_turn_are_refused_before_login(gateway, upstream, connect, command):
    server = upstream(Store())
    client = connect(gateway(server))
    assert client.command(command).startswith(b"-ERR")
    assert client.login().startswith(b"+OK")
    assert server.commands() == []


@pytest.mark.parametrize("command", ["USER ann", "PASS x", "AUTH PLAIN AGpvZQBzZWNyZXQ=", "STLS", "APOP joe x"])
def test_login_commands_are_refused_after_login(gateway, upstream, connect, command):
    server = upstream(Store())
    client = connect(gateway(server))
    client.login()
    before = len(server.lines())
    assert client.command(command).startswith(b"-ERR")
    assert client.command("NOOP").startswith(b"+OK")
    assert server.lines()[before:] == [b"NOOP"]


def test_quit_before_login_ends_the_session(gateway, upstream, connect):
    server = upstream(Store())
    client = connect(gateway(server))
    assert client.command("QUIT").startswith(b"+OK")
    client.expect_closed("eof")
    assert server.connections == 0


# What the client hears

CODED = ("RESP-CODES", "AUTH-RESP-CODE", "USER")


@pytest.mark.parametrize(
    "said, known, heard, result",
    [
        (b"-ERR [AUTH] wrong", CODED, b"-ERR [AUTH]", "auth_failed"),
        (b"-ERR [IN-USE] x", CODED, b"-ERR [IN-USE]", "in_use"),
        (b"-ERR [LOGIN-DELAY] x", CODED, b"-ERR [LOGIN-DELAY]", "login_delay"),
        (b"-ERR [SYS/TEMP] x", CODED, b"-ERR [SYS/TEMP]", "temp"),
        (b"-ERR [SYS/PERM] x", CODED, b"-ERR [SYS/PERM]", "temp"),
        (b"-ERR [sys/temp] x", CODED, b"-ERR [SYS/TEMP]", "temp"),
        (b"-ERR Your mailbox is already locked", CODED, b"-ERR [IN-USE]", "in_use"),
        (b"-ERR mailbox in use by another session", ("USER",), b"-ERR [IN-USE]", "in_use"),
        (b"-ERR internal error", ("USER",), b"-ERR [SYS/TEMP]", "temp"),
        (b"-ERR Unable to open mailbox", None, b"-ERR [SYS/TEMP]", "temp"),
        (b"-ERR temporarily unavailable", None, b"-ERR [SYS/TEMP]", "temp"),
        (b"-ERR", None, b"-ERR [AUTH]", "auth_failed"),
        (b"-ERR bad password", ("USER",), b"-ERR [AUTH]", "auth_failed"),
        (b"-ERR [FOO] bad password", CODED, b"-ERR [AUTH]", "auth_failed"),
    ],
)
def test_refusal_of_the_server(gateway, upstream, connect, said, known, heard, result):
    running = gateway(upstream(Store(capabilities=known, answers={"PASS": said + b"\r\n"})))
    client = connect(running)
    assert client.login().startswith(heard + b" ")
    running.wait_for_metric(1, "postern_backend_logins_total", backend="store", result=result)


@pytest.mark.parametrize(
    "said", [b"OK\r\n", b"* OK IMAP\r\n", b"\x00\xff\xfe\r\n", b"+OK " + b"x" * 5000 + b"\r\n", b"x" * 100_000]
)
def test_nonsense_in_answer_to_the_password(gateway, upstream, connect, said):
    client = connect(gateway(upstream(Store(answers={"PASS": said}))))
    assert client.login().startswith(b"-ERR [SYS/TEMP]")


@pytest.mark.parametrize(
    "greeting",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"* OK IMAP ready\r\n",
        b"\r\n",
        b"-ERR [SYS/TEMP] full\r\n",
        b"-ERR too many connections\r\n",
        b"x" * 100_000,
    ],
)
def test_nonsense_in_the_greeting(gateway, upstream, connect, greeting):
    server = upstream([Send(greeting), Silence()])
    running = gateway(server)
    client = connect(running)
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
    assert server.credentials == []
    assert running.metric("postern_backend_logins_total", backend="store", result="auth_failed") == 0


def test_silent_server_is_given_up_before_its_greeting(gateway, upstream, connect, backend_with):
    server = upstream(Silence())
    client = connect(gateway(backend_with(server, greeting_timeout="200ms")))
    assert client.login().startswith(b"-ERR [SYS/TEMP]")


def test_silent_server_is_given_up_after_the_password(gateway, upstream, connect, backend_with):
    server = upstream([Send(b"+OK\r\n"), Login([Silence()])])
    running = gateway(backend_with(server, login_timeout="300ms"))
    client = connect(running)
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
    assert len(server.credentials) == 1
    running.wait_for_metric(1, "postern_backend_logins_total", backend="store", result="timeout")


def test_client_may_try_again_after_an_outage(gateway, upstream, connect):
    client = connect(gateway(upstream([Send(b"bad\r\n"), Silence()], Store())))
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
    assert client.login().startswith(b"+OK")


def test_client_may_try_again_after_a_wrong_password(gateway, upstream, connect):
    server = upstream(Store(users={"joe": "right"}))
    client = connect(gateway(server))
    assert client.login("joe", "wrong").startswith(b"-ERR [AUTH]")
    assert client.login("joe", "right").startswith(b"+OK")
    assert server.credentials == [("joe", "wrong"), ("joe", "right")]


def test_server_that_closes_after_a_wrong_password_is_connected_afresh(gateway, upstream, connect):
    def refuse(peer: Peer) -> None:
        peer.send(b"-ERR bad\r\n")
        peer.end("close")

    server = upstream(Store(answers={"PASS": refuse}), Store())
    client = connect(gateway(server))
    assert client.login("joe", "wrong").startswith(b"-ERR [AUTH]")
    assert client.login("joe", "right").startswith(b"+OK")


def test_same_wrong_password_is_asked_once(gateway, upstream, connect):
    server = upstream(Store(users={"joe": "right"}))
    client = connect(gateway(server))
    assert client.auth_plain("joe", "wrong").startswith(b"-ERR [AUTH]")
    assert client.command("AUTH LOGIN").startswith(b"+ ")
    assert client.command(encoded("joe")).startswith(b"+ ")
    assert client.command(encoded("wrong")).startswith(b"-ERR [AUTH]")
    assert client.login("joe", "wrong").startswith(b"-ERR [AUTH]")
    assert server.credentials == [("joe", "wrong")]


def test_connection_is_closed_after_too_many_refusals(gateway, upstream, connect):
    server = upstream(Store(users={}))
    client = connect(gateway(server, limits={"auth_failure_delay": "0s", "max_auth_failures": 2}))
    assert client.login("joe", "one").startswith(b"-ERR [AUTH]")
    assert client.login("joe", "two").startswith(b"-ERR [AUTH]")
    client.expect_closed("eof")
    assert len(server.credentials) == 2


def test_connection_is_closed_after_too_many_bad_commands(gateway, upstream, connect):
    running = gateway(upstream(Store()), limits={"max_bad_commands": 3})
    client = connect(running)
    client.send(b"FOO\r\n" * 10)
    assert client.rest().count(b"-ERR") == 3
    assert running.wait_for_event("session_end")["reason"] == "client_protocol"


def test_refusal_takes_its_time_and_an_outage_does_not(gateway, upstream, connect):
    server = upstream(Store(users={}), [Send(b"bad\r\n"), Silence()])
    client = connect(gateway(server, limits={"auth_failure_delay": "700ms"}))
    begin = time.monotonic()
    assert client.login("joe", "wrong").startswith(b"-ERR [AUTH]")
    assert time.monotonic() - begin >= 0.7
    begin = time.monotonic()
    assert client.login("ann", "any").startswith(b"-ERR [SYS/TEMP]")
    assert time.monotonic() - begin < 0.7


def test_user_without_a_route_hears_what_a_wrong_password_hears(gateway, upstream, connect):
    server = upstream(Store(users={}))
    routes = [{"match": {"domain": "example.net"}, "backend": "store"}]
    client = connect(gateway(server, routes=routes, limits={"auth_failure_delay": "300ms"}))
    begin = time.monotonic()
    unknown = client.login("joe@elsewhere.example", "x")
    assert time.monotonic() - begin >= 0.3
    assert server.connections == 0
    assert unknown == client.login("joe@EXAMPLE.net", "x")
    assert unknown.startswith(b"-ERR [AUTH]")
    assert server.connections == 1


def test_routes_send_users_to_their_backends(gateway, upstream, connect, backend_with):
    first, second = upstream(Store()), upstream(Store())
    routes = [
        {"match": {"user": "Ann@example.net"}, "backend": "two"},
        {"match": {"domain": "example.net"}, "backend": "one"},
        {"match": "any", "backend": "two"},
    ]
    running = gateway(backend_with(first, name="one"), backend_with(second, name="two"), routes=routes)
    for user in ("joe@example.net", "ann@example.net", "somebody"):
        assert connect(running).login(user).startswith(b"+OK")
    assert [user for user, _ in first.credentials] == ["joe@example.net"]
    assert [user for user, _ in second.credentials] == ["ann@example.net", "somebody"]


# Pipelining across the login


def quiet_before_answer(peer: Peer) -> None:
    """Answers the password late, and fails if anything comes before that."""
    peer.socket.settimeout(0.2)
    try:
        early = peer.socket.recv(100)
    except TimeoutError:
        early = b""
    peer.socket.settimeout(20)
    assert early == b"" and peer.buffer == b"", f"sent behind the password: {early + peer.buffer!r}"
    peer.send(b"+OK\r\n")


def test_commands_behind_the_password_wait_for_its_answer(gateway, upstream, connect):
    server = upstream(Store([b"Subject: x\r\n\r\n"], answers={"PASS": quiet_before_answer}))
    client = connect(gateway(server))
    client.send(b"USER joe\r\nPASS secret\r\nSTAT\r\nQUIT\r\n")
    answers = client.rest().split(b"\r\n")
    assert [answer[:3] for answer in answers] == [b"+OK", b"+OK", b"+OK", b"+OK", b""]
    assert answers[2] == b"+OK 1 14"
    assert server.commands() == ["STAT", "QUIT"]


def test_commands_behind_a_wrong_password_are_refused(gateway, upstream, connect):
    server = upstream(Store(users={}))
    client = connect(gateway(server))
    client.send(b"USER joe\r\nPASS wrong\r\nDELE 1\r\nQUIT\r\n")
    answers = client.rest().split(b"\r\n")
    assert [answer[:3] for answer in answers] == [b"+OK", b"-ER", b"-ER", b"+OK", b""]
    assert "DELE 1" not in server.commands()


def test_client_that_leaves_while_its_login_is_pending_frees_the_server(gateway, upstream, connect):
    gone = threading.Event()
    server = upstream(Store(answers={"PASS": [Hold(gone), Send(b"+OK\r\n")]}))
    running = gateway(server)
    client = connect(running)
    client.send(b"USER joe\r\nPASS secret\r\n")
    eventually(lambda: server.credentials, "the password arrives")
    client.reset()
    gone.set()
    server.wait_until_left()
    assert server.commands() == []
    assert running.wait_for_event("session_end")["reason"] in ("client_reset", "client_eof")


# Log and metrics


def test_session_is_told_in_one_line(gateway, upstream, connect):
    running = gateway(upstream(Store([b"Subject: x\r\n\r\nhello\r\n"])))
    client = connect(running, "pop3s")
    client.login("joe@example.net")
    client.command_multi("RETR 1")
    client.command_multi("TOP 1 0")
    client.command("DELE 1")
    client.command("QUIT")
    client.expect_closed("eof")
    line = running.wait_for_event("session_end")
    expected = {"listener": "pop3s", "client": "127.0.0.1", "user": "joe@example.net", "backend": "store"}
    expected |= {"reason": "quit", "retr": "1", "top": "1", "dele": "1"}
    assert {key: line.get(key) for key in expected} == expected
    assert line["tls"].startswith("TLSv1.3")
    assert int(line["client_port"]) > 0 and line["session"]
    assert len(running.events("session_end")) == 1


def test_session_shows_in_metrics(gateway, upstream, connect):
    running = gateway(upstream(Store([b"Subject: x\r\n\r\nhello\r\n"])))
    client = connect(running)
    client.login()
    assert running.metric("postern_backend_sessions", backend="store") == 1
    assert running.metric("postern_client_sessions", listener="plain", state="transaction") == 1
    client.command_multi("RETR 1")
    client.command("DELE 1")
    client.command("QUIT")
    client.expect_closed("eof")
    running.wait_for_event("session_end")
    assert running.metric("postern_backend_sessions", backend="store") == 0
    assert running.metric("postern_client_sessions", listener="plain") == 0
    assert running.metric("postern_listener_connections_total", listener="plain") == 1
    assert running.metric("postern_backend_connections_total", backend="store", result="ok") == 1
    assert running.metric("postern_backend_logins_total", backend="store", result="ok") == 1
    assert running.metric("postern_auth_attempts_total", listener="plain", mech="user", result="ok") == 1
    assert running.metric("postern_messages_total", backend="store", op="retr") == 1
    assert running.metric("postern_messages_total", backend="store", op="dele") == 1
    assert running.metric("postern_sessions_closed_total", backend="store", reason="quit") == 1
    assert running.metric("postern_commands_total", backend="store", command="retr", result="ok") == 1
    assert running.metric("postern_backend_bytes_total", backend="store", direction="to_client") >= 21


def test_refused_login_is_logged_with_the_client_first(gateway, upstream, connect):
    running = gateway(upstream(Store(users={})))
    client = connect(running)
    client.login('joe client=192.0.2.1 "x', "wrong")
    line = running.wait_for_event("login_failed")
    assert line["client"] == "127.0.0.1"
    text = next(line for line in running.output if "event=login_failed" in line)
    assert text.index(" client=") < text.index(" user=")


@pytest.mark.parametrize("outcome", ["ok", "refused", "lost"])
def test_passwords_are_never_logged(gateway, upstream, connect, outcome):
    canary = "canary-0815-Secret"
    scripts = {"ok": Store(), "refused": Store(users={}), "lost": [Send(b"nonsense\r\n")]}
    forms = (canary, encoded(canary), encoded(f"\0joe\0{canary}"), encoded(f"\0ann\0{canary}"))
    running = gateway(upstream(scripts[outcome]), secrets=forms, log={"level": "debug"})
    for attempt in (
        lambda c: c.login("joe", canary),
        lambda c: c.auth_plain("ann", canary),
        lambda c: c.command(f"PASS {canary}"),
    ):
        client = connect(running)
        attempt(client)
        client.command(f"AUTH PLAIN {canary}")  # not base64, and not where it belongs
        client.command("QUIT")
        client.expect_closed()
    eventually(lambda: len(running.events("session_end")) == 3, "all sessions are logged")
