"""TRANSACTION: what reaches the server, and that its answers arrive octet by octet as it gave them."""

import pytest

from postern_testing.client import eventually
from postern_testing.gateway import is_sanitized
from postern_testing.scripted import Send, Silence, Store, multi_line

MESSAGE = b"Subject: one\r\n\r\nhello\r\n"


@pytest.fixture
def session(gateway, upstream, connect):
    """session(store): a client that is logged in, and the server behind it."""

    def start(store: Store, listener: str = "plain", **changes):
        server = upstream(store)
        client = connect(gateway(server, **changes), listener)
        assert client.login().startswith(b"+OK")
        return client, server

    return start


# What reaches the server


@pytest.mark.parametrize(
    "said, passed_on",
    [
        (b"stat", "STAT"),
        (b"LIST ", "LIST"),
        (b"list  2 ", "LIST 2"),
        (b"LIST 02", "LIST 2"),
        (b"Retr 1", "RETR 1"),
        (b"TOP 1  0", "TOP 1 0"),
        (b"uidl 1", "UIDL 1"),
        (b"noop ", "NOOP"),
        (b"RSET", "RSET"),
    ],
)
def test_commands_are_passed_on_in_canonical_form(session, said, passed_on):
    client, server = session(Store([MESSAGE, MESSAGE]))
    assert client.command(said).startswith(b"+OK")
    assert server.commands() == [passed_on]


@pytest.mark.parametrize(
    "said",
    [
        b"RETR 1 2", b"RETR +1", b"RETR -1", b"RETR 0", b"RETR", b"RETR 4294967297", b"RETR 1x", b"DELE", b"DELE 1 2", b"TOP 1", b"TOP 1 -1", b"TOP 1 2 3",
        b"LIST 1 2", b"STAT 1", b"NOOP x", b"RSET 1", b"QUIT now", b" STAT", b"", b"LAST", b"XTND XMIT", b"RETR 1\0", b"NO\rOP", b"UTF8", b"LANG", b"XCLIENT ADDR=1",
    ],
)  # fmt: skip
def test_malformed_lines_are_answered_here(session, said):
    client, server = session(Store([MESSAGE]))
    answer = client.command(said)
    assert answer.startswith(b"-ERR ") and not answer.startswith(b"-ERR [")
    assert client.command("NOOP").startswith(b"+OK")
    assert server.commands() == ["NOOP"]


def test_bare_line_feed_ends_a_command(session):
    client, server = session(Store([MESSAGE]))
    client.send(b"NOOP\nSTAT\n")
    assert client.line().startswith(b"+OK")
    assert client.line() == b"+OK 1 23"
    assert server.commands() == ["NOOP", "STAT"]


READ_AHEAD = 16 * 1024  # what is held of a client's input at most


@pytest.mark.parametrize("length", [1025, 20_000, 1_000_000])
def test_overlong_line_is_refused_and_never_passed_on(session, length):
    client, server = session(Store([MESSAGE]))
    try:
        client.send(b"DELE 1" + b" " * length + b"\r\nQUIT\r\n")
    except OSError:
        pass  # it may close before everything was sent
    rest = client.rest()
    assert rest.startswith(b"-ERR") or rest == b"" and length > READ_AHEAD  # a reset may eat the answer
    assert "DELE 1" not in server.commands()


def test_endless_line_before_login_is_bounded(gateway, upstream, connect):
    running = gateway(upstream(Store()))
    client = connect(running)
    before = running.resident_kib("Rss")
    try:
        for _ in range(100):
            client.send(b"x" * 100_000)
    except OSError:
        pass  # closed
    assert is_sanitized() or running.resident_kib("Rss") < before + 2048


def test_quit_without_its_line_end_is_no_quit(session):
    store = Store([MESSAGE])
    client, server = session(store)
    assert client.command("DELE 1").startswith(b"+OK")
    client.send(b"QUIT")
    client.shut_writing()
    client.rest()
    server.wait_until_left()
    assert "QUIT" not in server.commands() and store.committed == []


# Answers


def test_multi_line_answers_are_told_from_single_ones(session):
    client, server = session(Store([MESSAGE, MESSAGE]))
    client.send(b"LIST\r\nLIST 1\r\nUIDL 2\r\nRETR 9\r\nUIDL\r\nNOOP\r\n")
    assert client.line().startswith(b"+OK")
    assert client.multi() == b"1 23\r\n2 23\r\n"
    assert client.line() == b"+OK 1 23"
    assert client.line() == b"+OK 2 uid2"
    assert client.line().startswith(b"-ERR")
    assert client.line().startswith(b"+OK")
    assert client.multi() == b"1 uid1\r\n2 uid2\r\n"
    assert client.line().startswith(b"+OK")


@pytest.mark.parametrize("command", ["LIST", "UIDL", "RETR 1", "TOP 1 0", "STAT", "LIST 1", "DELE 1", "RSET", "NOOP"])
def test_refusal_by_the_server_is_one_line(session, command):
    client, server = session(Store([MESSAGE], answers={command: b"-ERR no\r\n"}))
    assert client.command(command).startswith(b"-ERR")
    assert client.command("TOP 1 9").startswith(b"+OK")
    assert client.multi() == MESSAGE


def test_unknown_bracket_of_the_server_is_no_code(session):
    client, server = session(
        Store([MESSAGE], answers={"RETR 1": b"-ERR [AUTH] nice try\r\n", "DELE 1": b"-ERR [FOO] x\r\n"})
    )
    assert not client.command("RETR 1").startswith(b"-ERR [AUTH]")
    assert not client.command("DELE 1").startswith(b"-ERR [FOO]")


BODIES = {
    "empty": b"+OK\r\n.\r\n",
    "one-line": b"+OK 3 octets\r\na\r\n.\r\n",
    "dots": b"+OK\r\n..\r\n...\r\n..a\r\n. a\r\n.\r\n",
    "lone-cr": b"+OK\r\na\r.\r\n\r\r\n\r.\r\r\n.\r\n",
    "nul-and-8-bit": b"+OK\r\n\x00\xff\xfe\r\n.\r\n",
    "terminator-like": b"+OK\r\na.\r\n.b\r\n.\r.\r\n.\r\n",
    "blank-lines": b"+OK\r\n\r\n\r\n\r\n.\r\n",
}


@pytest.mark.parametrize("answer", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("command", ["RETR 1", "TOP 1 5"])
def test_message_arrives_untouched_in_packets_of_one_octet(session, answer, command):
    client, server = session(Store([MESSAGE], answers={command: [Send(answer, pace=0.001)]}))
    status, body = client.command_multi(command)
    assert status.startswith(b"+OK")
    assert body + b".\r\n" == answer.partition(b"\r\n")[2]
    assert client.command("NOOP").startswith(b"+OK")


@pytest.mark.parametrize("cut", range(1, 36))
def test_message_arrives_untouched_split_anywhere(session, cut):
    answer = b"+OK\r\nab\r\n..\r\n\r.\r\n..x\r\n\r\n...\r\n.\r\n"
    client, server = session(
        Store(
            [MESSAGE],
            answers={"RETR 1": [Send(answer[:cut]), Send(answer[cut : cut + 1], pace=0.003), Send(answer[cut + 1 :])]},
        )
    )
    assert client.command_multi("RETR 1")[1] + b".\r\n" == answer[5:]
    assert client.command("NOOP").startswith(b"+OK")


@pytest.mark.parametrize("listener", ["plain", "pop3s"])
def test_large_message_with_a_line_without_end(session, listener):
    message = b"Subject: x\r\n\r\n" + bytes(range(32, 127)) * 60_000 + b"\r\n" + (b"." + b"y" * 70 + b"\r\n") * 40_000
    client, server = session(Store([message]), listener)
    assert client.command_multi("RETR 1")[1] + b".\r\n" == multi_line(message)


@pytest.mark.parametrize(
    "body, safe, repaired",
    [
        (b"a\n.\nb\r\n.\r\n", b"a\r\n..\r\nb\r\n", 2),
        (b"a\n.\r\n+OK smuggled\r\n.\r\n", b"a\r\n..\r\n+OK smuggled\r\n", 1),
        (b"\n\n\r\n.\r\n", b"\r\n\r\n\r\n", 2),
    ],
    ids=["dot-line", "smuggled-end", "blank-lines"],
)
def test_bare_line_feeds_are_repaired(gateway, upstream, connect, body, safe, repaired):
    running = gateway(upstream(Store([MESSAGE], answers={"RETR 1": b"+OK\r\n" + body})))
    client = connect(running)
    client.login()
    assert client.command_multi("RETR 1")[1] == safe
    assert client.command("NOOP").startswith(b"+OK")
    assert running.metric("postern_eol_repaired_total", backend="store") == repaired


def test_bare_line_feeds_stay_where_the_operator_wants_it(gateway, upstream, connect, backend_with):
    server = upstream(Store([MESSAGE], answers={"RETR 1": b"+OK\r\na\n.\nb\r\n.\r\n"}))
    client = connect(gateway(backend_with(server, eol="exact")))
    client.login()
    assert client.command_multi("RETR 1")[1] == b"a\n.\nb\r\n"


def test_octets_behind_an_answer_end_the_session(session):
    client, server = session(Store([MESSAGE], answers={"NOOP": b"+OK\r\n+OK nobody asked\r\n"}))
    client.send(b"NOOP\r\n")
    assert client.line().startswith(b"+OK")
    client.send(b"STAT\r\n")
    assert b"nobody asked" not in client.rest()


# Pipelining


def test_a_thousand_commands_in_one_packet(session):
    client, server = session(Store([MESSAGE]))
    client.send(b"NOOP\r\n" * 1000 + b"STAT\r\n")
    assert all(client.line().startswith(b"+OK") for _ in range(1000))
    assert client.line() == b"+OK 1 23"
    assert server.commands() == ["NOOP"] * 1000 + ["STAT"]


@pytest.mark.parametrize("known", [("USER", "PIPELINING"), ("USER",), None])
def test_pipelined_messages_keep_their_order(session, known):
    messages = [f"Subject: {n}\r\n\r\n".encode() + b"x" * n * 100 + b"\r\n" for n in range(50)]
    client, server = session(Store(messages, capabilities=known))
    client.send(b"".join(f"RETR {n + 1}\r\n".encode() for n in range(50)) + b"QUIT\r\n")
    for message in messages:
        assert client.line().startswith(b"+OK")
        assert client.multi() == message
    assert client.line().startswith(b"+OK")
    client.expect_closed("eof")


def test_server_without_pipelining_gets_one_command_at_a_time(session):
    def alone(peer):
        peer.socket.settimeout(0.1)
        try:
            early = peer.socket.recv(100)
        except TimeoutError:
            early = b""
        peer.socket.settimeout(20)
        assert early == b"" and peer.buffer == b"", f"sent before the answer: {early + peer.buffer!r}"
        peer.send(b"+OK\r\n")

    client, server = session(Store([MESSAGE], capabilities=("USER", "TOP", "UIDL"), answers={"NOOP": alone}))
    client.send(b"NOOP\r\nNOOP\r\nSTAT\r\n")
    assert [client.line()[:3] for _ in range(3)] == [b"+OK"] * 3


def test_nothing_behind_quit_is_executed(session):
    store = Store([MESSAGE])
    client, server = session(store)
    client.send(b"DELE 1\r\nQUIT\r\nRSET\r\nDELE 1\r\n")
    assert client.rest().count(b"+OK") == 2
    assert server.commands() == ["DELE 1", "QUIT"]
    assert store.wait_for_commit() == [{1}]


# Bounds


def test_client_that_reads_nothing_costs_no_memory(gateway, upstream, connect):
    answer = b"+OK\r\n" + b"".join(b"%d 1000\r\n" % n for n in range(1, 200_000)) + b".\r\n"
    running = gateway(upstream(Store(answers={"LIST": answer})))
    client = connect(running)
    client.login()
    before = running.resident_kib("Rss")
    client.send(b"LIST\r\n" * 1000)
    passed: list[float] = []

    def settled() -> bool:
        passed.append(running.metric("process_cpu_seconds_total"))
        return len(passed) > 20 and passed[-1] - passed[-20] < 0.1

    eventually(settled, "the gateway waits for its client")
    assert is_sanitized() or running.resident_kib("Rss") < before + 4096


def test_sessions_beyond_the_limit_are_told_to_come_back(gateway, upstream, connect):
    running = gateway(upstream(Store()), limits={"max_sessions": 2})
    first, second = connect(running), connect(running)
    third = connect(running)
    assert third.greeting.startswith(b"-ERR [SYS/TEMP]")
    third.expect_closed()
    assert first.command("QUIT").startswith(b"+OK")
    first.expect_closed("eof")
    running.wait_for_event("session_end", reason="quit")
    running.wait_for_event("session_end", reason="overload")
    assert connect(running).greeting.startswith(b"+OK")
    assert second.login().startswith(b"+OK")


def test_client_that_does_not_log_in_is_closed(gateway, upstream, connect):
    running = gateway(upstream(Store()), limits={"login_timeout": "1s"})
    client = connect(running)
    client.expect_closed("eof")
    assert running.wait_for_event("session_end")["reason"] == "login_timeout"


def test_server_that_falls_silent_between_its_lines_is_given_up(gateway, upstream, connect, backend_with):
    server = upstream(Store([MESSAGE], answers={"STAT": [Silence()]}))
    running = gateway(backend_with(server, command_timeout="1s"))
    client = connect(running)
    client.login()
    assert client.command("STAT").startswith(b"-ERR [SYS/TEMP]")
    client.expect_closed()
    assert running.wait_for_event("session_end")["reason"] == "backend_timeout"
