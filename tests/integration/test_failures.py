"""A server that dies, stalls or is not there: no message is shown as whole that is not, and nobody hears [AUTH]."""

import pytest

from postern_testing.client import Closed
from postern_testing.process import free_port
from postern_testing.scripted import Close, Login, Reset, Send, Silence, Store, multi_line

MESSAGE = b"Subject: one\r\n\r\nhello\r\n.\r\nthere\r\n"
WIRE = b"Subject: one\r\n\r\nhello\r\n..\r\nthere\r\n"

LONGEST_SESSION = 1000  # octets; more than the server says in the sessions below

# Cut at every octet


def walk(client) -> tuple[list[bytes], bytes | None, bytes]:
    """USER, PASS, RETR 1, QUIT as far as it goes: the status lines, the message if it came to its end, the rest."""
    answers: list[bytes] = []
    message = None
    try:
        for command in ("USER joe", "PASS secret", "RETR 1", "DELE 1", "QUIT"):
            answers.append(client.command(command))
            if not answers[-1].startswith(b"+OK"):
                break
            if command == "RETR 1":
                message = client.multi()
    except (Closed, OSError):
        pass
    return answers, message, bytes(client.buffer)


@pytest.mark.parametrize("listener", ["plain", "pop3s"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_server_that_dies_at_any_octet(gateway, upstream, connect, how, listener):
    store = Store([MESSAGE])
    server = upstream(store)
    running = gateway(server)
    server.cut_how = how
    for cut_at in range(LONGEST_SESSION):
        server.cut_at = cut_at
        with connect(running, listener) as client:
            answers, message, rest = walk(client)
        context = f"cut after {cut_at} octets: {answers} {message!r} {rest!r}"
        peer = server.peers[-1]
        assert message in (None, WIRE), context
        assert message is None or multi_line(MESSAGE) in peer.output, context
        assert not rest.endswith(b"\r\n.\r\n"), context
        if len(answers) == 5 and answers[4].startswith(b"+OK"):
            assert peer.output.endswith(b"+OK\r\n") and peer.lines[-1] == b"QUIT", context
            break  # nothing was cut any more
        refusals = [answer for answer in answers[:4] if not answer.startswith(b"+OK")]
        assert all(answer.startswith(b"-ERR [SYS/TEMP]") for answer in refusals), context
    assert store.wait_for_commit() == [{1}]
    assert cut_at > len(multi_line(MESSAGE))


@pytest.mark.parametrize("listener", ["plain", "pop3s"])
@pytest.mark.parametrize("end", [Close(), Reset()], ids=["close", "reset"])
def test_broken_message_has_no_terminator(gateway, upstream, connect, end, listener):
    running = gateway(upstream(Store([MESSAGE], answers={"RETR 1": [Send(b"+OK\r\nhalf\r\n"), end]})))
    client = connect(running, listener)
    client.login()
    client.send(b"RETR 1\r\n")
    assert client.line().startswith(b"+OK")
    rest = client.rest()
    assert b"half\r\n".startswith(rest)
    if listener == "pop3s":
        assert client.closed != "eof", "a close_notify would tell the client that this was all"
    assert running.wait_for_event("session_end")["reason"] == "backend_lost"
    assert running.metric("postern_messages_truncated_total", backend="store") == 1
    assert running.metric("postern_messages_total", backend="store", op="retr") == 0


@pytest.mark.parametrize("tail", [b"\r", b"\r\n", b"\r\n.", b"\r\n.\r", b".", b"\n.\n", b".\r\n", b"\n.\r\n"])
def test_end_that_only_looks_like_a_terminator(gateway, upstream, connect, backend_with, tail):
    server = upstream(Store([MESSAGE], answers={"RETR 1": [Send(b"+OK\r\nhalf" + tail), Close()]}))
    client = connect(gateway(backend_with(server, eol="exact")))
    client.login()
    client.send(b"RETR 1\r\n")
    assert client.line().startswith(b"+OK")
    with pytest.raises(Closed):
        client.multi()
    assert not client.buffer.endswith((b"\r\n.", b"\r\n.\r", b"\r\n.\r\n"))


def test_server_that_stalls_inside_a_message(gateway, upstream, connect, backend_with):
    server = upstream(Store([MESSAGE], answers={"RETR 1": [Send(b"+OK\r\nhalf\r\n"), Silence()]}))
    running = gateway(backend_with(server, command_timeout="1s"))
    client = connect(running)
    client.login()
    client.send(b"RETR 1\r\n")
    assert client.line().startswith(b"+OK")
    assert b"half\r\n".startswith(client.rest())
    assert running.wait_for_event("session_end")["reason"] == "backend_timeout"


@pytest.mark.parametrize("command", ["STAT", "NOOP", "DELE 1", "LIST 1", "RETR 1", "LIST"])
@pytest.mark.parametrize("end", [Close(), Reset()], ids=["close", "reset"])
def test_server_lost_before_its_answer(gateway, upstream, connect, command, end):
    running = gateway(upstream(Store([MESSAGE], answers={command: [end]})))
    client = connect(running)
    client.login()
    assert client.command(command).startswith(b"-ERR [SYS/TEMP]")
    client.expect_closed()
    line = running.wait_for_event("session_end")
    assert (line["reason"], line["phase"]) == ("backend_lost", "transaction")
    assert running.metric("postern_sessions_closed_total", backend="store", reason="backend_lost") == 1


@pytest.mark.parametrize("answer", [b"NOPE\r\n", b"* OK\r\n", b"x" * 100_000])
def test_nonsense_in_answer_to_a_command(gateway, upstream, connect, answer):
    running = gateway(upstream(Store([MESSAGE], answers={"STAT": answer})))
    client = connect(running)
    client.login()
    assert client.command("STAT").startswith(b"-ERR [SYS/TEMP]")
    client.expect_closed()
    assert running.wait_for_event("session_end")["reason"] == "backend_protocol"


def test_server_lost_while_it_removes_messages(gateway, upstream, connect):
    running = gateway(upstream(Store([MESSAGE], answers={"QUIT": [Close()]})))
    client = connect(running)
    client.login()
    assert client.command("DELE 1").startswith(b"+OK")
    assert client.command("QUIT").startswith(b"-ERR")
    client.expect_closed()
    line = running.wait_for_event("session_end")
    assert line["phase"] == "update" and line["reason"] != "quit"
    assert running.metric("postern_messages_total", backend="store", op="dele") == 0


def test_refused_update_is_told(gateway, upstream, connect):
    running = gateway(upstream(Store([MESSAGE], answers={"QUIT": b"-ERR some messages not removed\r\n"})))
    client = connect(running)
    client.login()
    client.command("DELE 1")
    assert client.command("QUIT").startswith(b"-ERR")
    client.expect_closed()
    assert running.wait_for_event("session_end")["reason"] == "update_failed"


# Servers that are not there


def unreachable() -> int:
    return free_port()


def test_no_server_at_all(gateway, connect):
    port = unreachable()
    servers = [{"host": "127.0.0.1", "port": port}]
    running = gateway({"name": "store", "protocol": "pop3", "servers": servers, "tls": {"mode": "none"}})
    client = connect(running)
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
    assert running.metric("postern_backend_connections_total", backend="store", result="connect") >= 1
    assert running.metric("postern_backend_logins_total", backend="store", result="unavailable") == 1
    assert client.command("QUIT").startswith(b"+OK")


def test_name_that_does_not_exist(gateway, connect):
    servers = [{"host": "store.invalid", "port": 110}]
    running = gateway({"name": "store", "protocol": "pop3", "servers": servers, "tls": {"mode": "none"}})
    client = connect(running)
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
    assert running.metric("postern_backend_connections_total", backend="store", result="dns") >= 1


@pytest.mark.parametrize(
    "script",
    [[Close()], [Reset()], [Send(b"-ERR full\r\n"), Silence()], [Send(b"HTTP/1.1 400\r\n"), Silence()], [Silence()]],
    ids=["close", "reset", "err", "nonsense", "silent"],
)
def test_next_server_is_tried_before_the_password(gateway, upstream, connect, backend_with, script):
    bad, good = upstream(script), upstream(Store())
    running = gateway(backend_with(bad, good, greeting_timeout="300ms"))
    for _ in range(4):
        assert connect(running).login().startswith(b"+OK")
    assert bad.credentials == []
    assert len(good.credentials) == 4


def test_next_server_is_tried_when_one_is_not_there(gateway, upstream, connect, backend_with):
    good = upstream(Store())
    settings = backend_with(good)
    settings["servers"].insert(0, {"host": "127.0.0.1", "port": unreachable()})
    running = gateway(settings)
    for _ in range(4):
        assert connect(running).login().startswith(b"+OK")
    assert len(good.credentials) == 4


@pytest.mark.parametrize("end", [Close(), Reset()], ids=["close", "reset"])
def test_password_is_given_to_one_server_only(gateway, upstream, connect, backend_with, end):
    script = [Send(b"+OK\r\n"), Login([end])]
    servers = [upstream(script), upstream(script)]
    client = connect(gateway(backend_with(*servers)))
    assert client.login().startswith(b"-ERR [SYS/TEMP]")
    assert sum(len(server.credentials) for server in servers) == 1
