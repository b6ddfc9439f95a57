"""How sessions end: only a QUIT that was read removes messages, and a gateway told to stop finishes its work."""

import threading

import pytest

from postern_testing.client import Client, Closed
from postern_testing.scripted import Hold, Send, Store

MESSAGE = b"Subject: one\r\n\r\nhello\r\n"


# Clients that go away


@pytest.mark.parametrize(
    "leave", [Client.reset, Client.close, Client.shut_writing], ids=["reset", "close", "half-close"]
)
@pytest.mark.parametrize("listener", ["plain", "pop3s"])
def test_client_that_leaves_without_quit_removes_nothing(gateway, upstream, connect, leave, listener):
    store = Store([MESSAGE])
    server = upstream(store)
    running = gateway(server)
    client = connect(running, listener)
    client.login()
    assert client.command("DELE 1").startswith(b"+OK")
    leave(client)
    server.wait_until_left()
    line = running.wait_for_event("session_end")
    assert line["reason"] in ("client_eof", "client_reset") and line["phase"] == "transaction"
    assert "QUIT" not in server.commands() and store.committed == []
    assert running.metric("postern_messages_total", backend="store", op="dele") == 0


@pytest.mark.parametrize("listener", ["plain", "pop3s"])
def test_quit_is_finished_though_the_client_is_gone(gateway, upstream, connect, listener):
    gone = threading.Event()
    store = Store([MESSAGE], answers={"QUIT": [Hold(gone), Send(b"+OK\r\n")]})
    server = upstream(store)
    running = gateway(server)
    client = connect(running, listener)
    client.login()
    client.send(b"DELE 1\r\nQUIT\r\n")
    server.wait_for_line(b"QUIT")
    client.reset()
    gone.set()
    assert store.wait_for_commit() == [{1}]
    assert running.wait_for_event("session_end")["phase"] == "update"
    assert running.metric("postern_messages_total", backend="store", op="dele") == 1


def test_quit_parsed_ahead_is_not_read(gateway, upstream, connect):
    """`RETR 1, DELE 1, QUIT` and a client that dies inside RETR 1."""
    gone = threading.Event()
    rest = b"x" * 70 + b"\r\n"
    answer = [Send(b"+OK\r\n" + rest), Hold(gone), Send(rest * 200_000 + b".\r\n")]
    store = Store([MESSAGE], answers={"RETR 1": answer})
    server = upstream(store)
    running = gateway(server)
    client = connect(running)
    client.login()
    client.send(b"RETR 1\r\nDELE 1\r\nQUIT\r\n")
    assert client.line().startswith(b"+OK")
    client.reset()
    gone.set()
    assert running.wait_for_event("session_end")["reason"] in ("client_reset", "client_eof")
    server.wait_until_left()
    assert "QUIT" not in server.commands() and store.committed == []


def test_client_that_takes_nothing_is_dropped(gateway, upstream, connect):
    message = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 400_000
    running = gateway(upstream(Store([message])), limits={"write_timeout": "1s"})
    client = connect(running)
    client.login()
    client.send(b"RETR 1\r\n")
    assert running.wait_for_event("session_end")["reason"] == "client_stalled"
    with pytest.raises(Closed):
        client.line()
        client.multi()


# SIGTERM


def test_drain_lets_a_message_finish(gateway, upstream, connect):
    finish = threading.Event()
    answer = [Send(b"+OK\r\nfirst\r\n"), Hold(finish), Send(b"last\r\n.\r\n")]
    running = gateway(upstream(Store([MESSAGE], answers={"RETR 1": answer})), runtime={"drain_timeout": "30s"})
    client = connect(running, "pop3s")
    client.login()
    client.send(b"RETR 1\r\n")
    assert client.line().startswith(b"+OK")
    running.terminate()
    running.wait_for_event("drain")
    finish.set()
    assert client.multi() == b"first\r\nlast\r\n"
    assert client.command("QUIT").startswith(b"+OK"), "who has logged in may go on until the timeout"
    assert running.wait() == 0
    assert running.events("session_end", reason="quit")
    assert running.events("stopped")


def test_drain_ends_idle_sessions(gateway, upstream, connect):
    store = Store([MESSAGE])
    server = upstream(store)
    running = gateway(server, runtime={"drain_timeout": "2s"})
    logged_in, greeted = connect(running), connect(running)
    logged_in.login()
    logged_in.command("DELE 1")
    running.terminate()
    for client in (logged_in, greeted):
        assert client.rest().startswith(b"-ERR [SYS/TEMP]")
    assert running.wait() == 0
    server.wait_until_left()
    assert "QUIT" not in server.commands() and store.committed == []
    assert len(running.events("session_end", reason="draining")) == 2


def test_drain_takes_no_new_sessions(gateway, upstream, connect):
    finish = threading.Event()
    answer = [Send(b"+OK\r\nfirst\r\n"), Hold(finish), Send(b".\r\n")]
    running = gateway(upstream(Store([MESSAGE], answers={"RETR 1": answer})), runtime={"drain_timeout": "30s"})
    client = connect(running)
    client.login()
    client.send(b"RETR 1\r\n")
    client.line()
    running.terminate()
    running.wait_for_event("drain")

    def is_refused() -> bool:
        try:
            with Client(running.ports["plain"], greet=False) as late:
                return late.rest().startswith(b"-ERR [SYS/TEMP]") or late.closed == "reset"
        except ConnectionRefusedError:
            return True

    assert is_refused()
    finish.set()
    client.multi()
    client.close()
    assert running.wait() == 0


def test_drain_has_an_end(gateway, upstream, connect):
    never = threading.Event()
    answer = [Send(b"+OK\r\nfirst\r\n"), Hold(never)]
    running = gateway(upstream(Store([MESSAGE], answers={"RETR 1": answer})), runtime={"drain_timeout": "1s"})
    client = connect(running)
    client.login()
    client.send(b"RETR 1\r\n")
    client.line()
    running.terminate()
    assert running.wait(10) == 0
    never.set()
    assert b"first\r\n".startswith(client.rest())


def test_second_sigterm_ends_at_once(gateway, upstream, connect):
    never = threading.Event()
    answer = [Send(b"+OK\r\nfirst\r\n"), Hold(never)]
    running = gateway(upstream(Store([MESSAGE], answers={"RETR 1": answer})), runtime={"drain_timeout": "10m"})
    client = connect(running)
    client.login()
    client.send(b"RETR 1\r\n")
    client.line()
    running.terminate()
    running.wait_for_event("drain")
    running.expected_status = None
    running.terminate()
    running.wait(10)
    never.set()
    assert b"first\r\n".startswith(client.rest())


def test_update_survives_the_end_of_the_drain(gateway, upstream, connect):
    finish = threading.Event()
    store = Store([MESSAGE], answers={"QUIT": [Hold(finish), Send(b"+OK\r\n")]})
    server = upstream(store)
    running = gateway(server, runtime={"drain_timeout": "1s"})
    client = connect(running)
    client.login()
    client.send(b"DELE 1\r\nQUIT\r\n")
    server.wait_for_line(b"QUIT")
    running.terminate()
    running.wait_for_event("drain")
    with pytest.raises(AssertionError, match="has not ended"):
        running.wait(2)
    finish.set()
    assert running.wait() == 0
    assert store.wait_for_commit() == [{1}]


def test_sigterm_without_sessions_ends_at_once(gateway, upstream):
    running = gateway(upstream(Store()), runtime={"drain_timeout": "10m"})
    running.terminate()
    assert running.wait(10) == 0
    assert running.events("stopped")
